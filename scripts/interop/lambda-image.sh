#!/usr/bin/env bash
# The image for Lambda: builds it for both architectures on a base of Debian, and a user's own image on top of it, then has
# lambda-image.ts serve events from them: read-only root, a capped memory, a user that owns nothing. Asks for root, and Debian.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/interop/base-image.sh
bun=node_modules/.bin/bun
$bun scripts/build.ts amd64 arm64
mine=$(mktemp -d)
trap 'rm -rf "$mine"' EXIT
cat >"$mine/MyStream.ts" <<'EOF'
import { defineStream, double, string } from "derive";
import { HOUR } from "./units.ts";
export default defineStream({
  streamName: "telemetry",
  dimensions: { docType: ["main"] },
  columns: {
    clientId: string().orSkip(),
    hours: double("payload.info.subsessionLength").map((seconds) => seconds / HOUR).default(0),
  },
});
EOF
echo 'export const HOUR = 3600;' >"$mine/units.ts"
for architecture in amd64 arm64; do
  buildah build --quiet --platform "linux/$architecture" --build-arg "BASE_IMAGE=localhost/derive-base:$architecture" \
    --tag "localhost/derive:$architecture" --file Dockerfile.lambda . >/dev/null
  # As docs/lambda.md has it.
  printf 'FROM localhost/derive:%s\nCOPY MyStream.ts units.ts /var/task/\nCMD ["MyStream.ts"]\n' "$architecture" >"$mine/Dockerfile"
  buildah build --quiet --platform "linux/$architecture" --tag "localhost/mine:$architecture" "$mine" >/dev/null
done
$bun scripts/interop/lambda-image.ts
buildah rmi --prune >/dev/null # what earlier runs left
