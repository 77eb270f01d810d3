#!/usr/bin/env bash
# The page of `derive verify --html` in Chromium (Debian's), driven by playwright-core, with axe-core's rules of accessibility:
# light and dark, wide and narrow, by keyboard. Screenshots stay in the folder that it names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-page}
mkdir -p "$folder"
command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu; }
[[ -d $folder/node_modules/axe-core ]] || npm install --prefix "$folder" --silent --no-audit --no-fund playwright-core@1.64.1 axe-core@4.11.0
node_modules/.bin/bun scripts/interop/page.ts "$folder"
