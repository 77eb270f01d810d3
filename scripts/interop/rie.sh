#!/usr/bin/env bash
# AWS's own Runtime Interface Emulator (Go): builds it from its module, and runs ./derive under it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-rie}
version=${RIE_VERSION:-v0.0.0-20261030222936-bef5c4ba774d}
mkdir -p "$folder"
[[ -x $folder/aws-lambda-rie ]] || GOBIN="$folder" go install "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@$version"
node_modules/.bin/bun scripts/interop/rie.ts "$folder/aws-lambda-rie"
