"""Stand-ins for AWS: moto, mended where it needs it, a registry in ECR's place, and buckets with a sample day in them."""

import atexit
import json
import logging
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.request
import warnings

import boto3
from botocore.config import Config
from moto.cloudformation.models import CloudFormationBackend
from moto.iam.access_control import AssumedRoleAccessKey
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUN = str(ROOT / "node_modules/.bin/bun")
REGISTRY_PORT = int(os.environ.get("INTEROP_REGISTRY_PORT", "9351"))
REGISTRY = f"127.0.0.1:{REGISTRY_PORT}"
MOTO = int(os.environ.get("INTEROP_PORT", "9350"))
ENDPOINT = f"http://127.0.0.1:{MOTO}"
ACCOUNT = "123456789012"

folder = pathlib.Path(tempfile.mkdtemp(prefix="derive-interop-deploy-"))
failures = []


def check(what, seen, expected=True):
    holds = seen == expected
    if not holds:
        failures.append(what)
    print(f"{'ok    ' if holds else 'FAILED'} {what}" + ("" if holds else f": {seen!r}"), flush=True)


# moto 5.2.5 forgets the outputs of stacks that come by a change set, as those of `aws cloudformation deploy` do.
execute = CloudFormationBackend.execute_change_set


def execute_change_set(self, change_set_name, stack_name=None):
    execute(self, change_set_name, stack_name)
    for stack in self.stacks.values():
        stack._parse_template()
        stack.output_map = stack._create_output_map()


CloudFormationBackend.execute_change_set = execute_change_set

collect = AssumedRoleAccessKey.collect_policies


def collect_policies(self):
    """Those that a stack gives to its roles are no texts in moto 5.2.5, which its enforcement cannot read."""
    return [json.dumps(one) if isinstance(one, dict) and "Statement" in one else one for one in collect(self)]


AssumedRoleAccessKey.collect_policies = collect_policies

logging.getLogger("werkzeug").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", "Tried to parse")  # it knows neither queue policies nor alarms
logging.getLogger("moto").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", MOTO, verbose=False)
server.start()

environment = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": ENDPOINT,
    "AWS_EC2_METADATA_DISABLED": "true",
}
os.environ.update(environment)


def client(service, credentials=None):
    keys = {}
    if credentials is not None:
        keys = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
    return boto3.client(service, config=Config(retries={"max_attempts": 1}), **keys)


def enforce(is_on):
    """Whether IAM decides about requests."""
    request = urllib.request.Request(
        f"{ENDPOINT}/moto-api/reset-auth", data=b"0" if is_on else b"1000000", headers={"Content-Type": "text/plain"}
    )
    urllib.request.urlopen(request)


# ---- a registry in ECR's place, and an `aws` that tells of it
(folder / "registry.yml").write_text(
    f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\nhttp: {{addr: '{REGISTRY}'}}\n"
)
registry = subprocess.Popen(
    ["docker-registry", "serve", str(folder / "registry.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
)
atexit.register(registry.terminate)
atexit.register(shutil.rmtree, folder, ignore_errors=True)
(folder / "bin").mkdir()


def program(name, script):
    path = folder / "bin" / name
    path.write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{script}\n")
    path.chmod(0o755)


# moto has another way than AWS to say that nothing has changed, which the command line does not know.
program(
    "aws",
    f"""if [[ $1 == cloudformation && $2 == deploy ]]; then
  {shutil.which("aws")} "$@" 2>&1 | tee "{folder}/said" && exit
  exec grep -q "No updates are to be performed" "{folder}/said"
fi
{shutil.which("aws")} "$@" | sed 's/{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{REGISTRY}/'""",
)
# This registry speaks HTTP, as ECR does not.
program(
    "buildah",
    f'case $1 in login | push) set -- "$1" --tls-verify=false "${{@:2}}";; esac\nexec {shutil.which("buildah")} "$@"',
)
deploying = {
    **environment,
    "PATH": f"{folder}/bin:{os.environ['PATH']}",
    "REGISTRY_AUTH_FILE": str(folder / "auth.json"),
}

# ---- the buckets, which are there before
s3 = client("s3")
for bucket in ["raw-bucket", "out-bucket", "metadata-bucket"]:
    s3.create_bucket(Bucket=bucket)
s3.put_bucket_notification_configuration(
    Bucket="raw-bucket",
    NotificationConfiguration={
        "TopicConfigurations": [
            {"Id": "theirs", "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:theirs", "Events": ["s3:ObjectCreated:*"]}
        ]
    },
    SkipDestinationValidation=True,
)
day = folder / "day"
subprocess.run([BUN, "scripts/sample-day.ts", str(day), "--pings", "300"], cwd=ROOT, check=True, capture_output=True)
keys = []
for path in sorted(day.rglob("*")):
    key = str(path.relative_to(day))
    if not path.is_file():
        continue
    is_metadata = key.endswith(".json")
    s3.upload_file(str(path), "metadata-bucket" if is_metadata else "raw-bucket", key)
    if not is_metadata and "/main/" in key:
        keys.append(key)
s3.put_object(Bucket="raw-bucket", Key="other/secret", Body=b"-")
s3.put_object(Bucket="out-bucket", Key="other/secret", Body=b"-")
