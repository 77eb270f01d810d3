"""python scripts/interop/deployment, which deploy.sh runs: the deployment, then its roles."""

import json
import subprocess
import sys

import deployed  # noqa: F401 each of them checks when it is loaded
import roles  # noqa: F401
from stand_ins import REGISTRY, failures, server

server.stop()
# The base images are for the next run.
for image in json.loads(subprocess.run(["buildah", "images", "--json"], check=True, capture_output=True).stdout):
    for name in image.get("names") or []:
        if name.startswith(REGISTRY):
            subprocess.run(["buildah", "rmi", name], check=False, capture_output=True)
print("All holds." if not failures else f"{len(failures)} failed.")
sys.exit(1 if failures else 0)
