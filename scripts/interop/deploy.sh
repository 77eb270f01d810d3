#!/usr/bin/env bash
# The deployment against stand-ins: cfn-lint over the templates, then deployment/, which has scripts/deploy.ts deploy to moto (its
# image built by buildah and pushed to a registry on this machine) and tries the roles that came of it. Asks for root, Debian, PyPI.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/interop/base-image.sh
dpkg -s docker-registry >/dev/null 2>&1 ||
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-registry
folder=${INTEROP_FOLDER:-${TMPDIR:-/tmp}/derive-interop-deploy}
[[ -x $folder/bin/moto_server ]] || {
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet 'moto[server,cloudformation,s3,iam,sts,sqs,awslambda,events,logs,ecr]==5.2.5' cfn-lint==1.51.0 awscli==1.45.11
}
echo "cfn-lint:"
"$folder/bin/cfn-lint" deploy/function.yaml deploy/repository.yaml
echo "no findings"
PATH="$folder/bin:$PATH" PYTHONDONTWRITEBYTECODE=1 "$folder/bin/python" scripts/interop/deployment
