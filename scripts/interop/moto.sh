#!/usr/bin/env bash
# moto (Python): installs it into a folder of its own, starts it, and runs check.ts over it. moto.sh install: that alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-moto}
port=${INTEROP_PORT:-9311}
if [[ ! -e $folder/installed ]]; then
  python3 -m venv --clear "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --no-compile 'moto[s3]==5.2.5' flask==3.1.3 flask-cors==6.0.5
  touch "$folder/installed" # not before the end: an installation that was cut short is begun again
fi
[[ ${1:-} != install ]] || exit 0
"$folder/bin/moto_server" -H 127.0.0.1 -p "$port" >"$folder/log" 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.2
done
node_modules/.bin/bun scripts/interop/check.ts "http://127.0.0.1:$port"
