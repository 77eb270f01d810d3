#!/usr/bin/env bash
# MinIO (Go): builds it from its module, starts it, and runs check.ts over it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-minio}
port=${INTEROP_PORT:-9312}
version=${MINIO_VERSION:-v0.0.0-20260212201848-7aac2a2c5b7c}
mkdir -p "$folder"
[[ -x $folder/minio ]] || GOBIN="$folder" go install "github.com/minio/minio@$version"
export MINIO_ROOT_USER=testing-access-key MINIO_ROOT_PASSWORD=testing-secret-key
rm -rf "$folder/data"
"$folder/minio" server --quiet --address "127.0.0.1:$port" "$folder/data" >"$folder/log" 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.2
done
node_modules/.bin/bun scripts/interop/check.ts "http://127.0.0.1:$port"
