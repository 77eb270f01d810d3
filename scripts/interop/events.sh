#!/usr/bin/env bash
# Events and batch runs of the built binary on one dataset, killed at random, counted by DuckDB (from PyPI). SEED and ROUNDS as asked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-events}
[[ -x $folder/bin/python ]] || { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet 'duckdb==1.4.2'; }
[[ -x ./derive ]] || npm run --silent build
[[ -d $folder/raw ]] || node_modules/.bin/bun scripts/sample-day.ts "$folder/raw" --pings 600
"$folder/bin/python" scripts/interop/events.py "$PWD/derive" "$folder" "${SEED:-1}" "${ROUNDS:-10}"
