"""Deploys to moto with scripts/deploy.ts, looks at what came of it, and tries its roles where moto enforces IAM: the built
binary, with the credentials of each, has to get along; what no role is for has to be denied. deploy.sh runs this."""

import atexit
import json
import logging
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import warnings

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.cloudformation.models import CloudFormationBackend
from moto.iam import iam_backends
from moto.iam.access_control import AssumedRoleAccessKey
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUN = str(ROOT / "node_modules/.bin/bun")
REGISTRY_PORT = int(os.environ.get("INTEROP_REGISTRY_PORT", "9351"))
REGISTRY = f"127.0.0.1:{REGISTRY_PORT}"
MOTO = int(os.environ.get("INTEROP_PORT", "9350"))
ENDPOINT = f"http://127.0.0.1:{MOTO}"
ACCOUNT = "123456789012"

folder = pathlib.Path(tempfile.mkdtemp(prefix="derive-interop-deploy-"))
failures = 0


def check(what, seen, expected=True):
    global failures
    holds = seen == expected
    failures += not holds
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

# ---- the deployment
task = folder / "task"
task.mkdir()
(task / "Mine.ts").write_text(
    'import { defineStream, string } from "derive";\n'
    'export default defineStream({ streamName: "telemetry", dimensions: { docType: ["main"] },\n'
    "  columns: { clientId: string().orSkip() } });\n"
)


def deploy(*options):
    command = [BUN, "scripts/deploy.ts", "dev", "--base-image", "localhost/derive-base:amd64", "--task", str(task)]
    for value in ["RawBucket=raw-bucket", "OutputBucket=out-bucket", "MetadataBucket=metadata-bucket", "Stream=Mine.ts"]:
        command += ["--set", value]
    done = subprocess.run([*command, *options], cwd=ROOT, env=deploying, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout, done.stderr)
        sys.exit("Cannot go on: scripts/deploy.ts failed")
    return done.stdout


printed = deploy()
tags = {}
repositories = json.load(urllib.request.urlopen(f"http://{REGISTRY}/v2/_catalog"))["repositories"]
for name in repositories:
    tags[name] = json.load(urllib.request.urlopen(f"http://{REGISTRY}/v2/{name}/tags/list"))["tags"]
check("one repository with one image was pushed", [len(one) for one in tags.values()], [1])
[(repository, [tag])] = tags.items()
manifest_type = "application/vnd.docker.distribution.manifest.v2+json"
request = urllib.request.Request(f"http://{REGISTRY}/v2/{repository}/manifests/{tag}", headers={"Accept": manifest_type})
answer = urllib.request.urlopen(request)
check("of the format that Lambda takes", answer.headers["Content-Type"], manifest_type)
manifest = json.load(answer)
config = json.load(urllib.request.urlopen(f"http://{REGISTRY}/v2/{repository}/blobs/{manifest['config']['digest']}"))
check("with the program as its entry", config["config"]["Entrypoint"], ["/usr/local/bin/derive", "lambda"])
check("for the processor that the template names", config["architecture"], "amd64")

client("ecr").put_image(repositoryName=repository, imageTag=tag, imageManifest=json.dumps(manifest))
again = deploy()
check("deployed again, the same image is neither built nor pushed", "buildah" in again, False)

outputs = {
    one["OutputKey"]: one["OutputValue"]
    for one in client("cloudformation").describe_stacks(StackName="derive-dev")["Stacks"][0]["Outputs"]
}
function = client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
variables = function["Environment"]["Variables"]
check(
    "the function's variables",
    variables,
    {"DERIVE_STREAM": "Mine.ts", "DERIVE_OUTPUT": "s3://out-bucket/derived-dev/", "DERIVE_METADATA": "s3://metadata-bucket/"},
)
check("its size", [function["MemorySize"], function["Timeout"], function["EphemeralStorage"]["Size"]], [1769, 300, 512])
[mapping] = client("lambda").list_event_source_mappings()["EventSourceMappings"]
check(
    "the queue's events come with answers for each",
    [mapping["EventSourceArn"], mapping["FunctionResponseTypes"], mapping["ScalingConfig"]],
    [outputs["QueueArn"], ["ReportBatchItemFailures"], {"MaximumConcurrency": 2}],
)
attributes = client("sqs").get_queue_attributes(QueueUrl=outputs["QueueUrl"], AttributeNames=["All"])["Attributes"]
check("an event is kept from others for six times the time", int(attributes["VisibilityTimeout"]), 6 * function["Timeout"])
redrive = json.loads(attributes["RedrivePolicy"])
check("and becomes a dead letter", [redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])], [outputs["DeadLettersArn"], 5])
[rule] = client("events").list_rules()["Rules"]
check(
    "the rule is for the raw prefix",
    json.loads(rule["EventPattern"])["detail"],
    {"bucket": {"name": ["raw-bucket"]}, "object": {"key": [{"prefix": "telemetry-2/"}]}},
)
targets = client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
check("and leads to the queue", [one["Arn"] for one in targets], [outputs["QueueArn"]])
notification = s3.get_bucket_notification_configuration(Bucket="raw-bucket")
check("the bucket tells its other listener as before", [one["Id"] for one in notification["TopicConfigurations"]], ["theirs"])
groups = client("logs").describe_log_groups()["logGroups"]
check("logs are kept for a week", [one["retentionInDays"] for one in groups], [7])
# moto's CloudFormation does not look at this one; its ECR checks it.
text = (ROOT / "deploy/repository.yaml").read_text()
lifecycle = re.search(r"LifecyclePolicyText: !Sub \|\n(.*?)\n      \w", text, re.DOTALL).group(1).replace("${KeepImages}", "20")
taken = client("ecr").put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=lifecycle)
check("ECR takes the rules by which old images go", taken["ResponseMetadata"]["HTTPStatusCode"], 200)

deploy("--set", "Trigger=queue")
notification = s3.get_bucket_notification_configuration(Bucket="raw-bucket")
check(
    "with the trigger queue: the bucket's own notification, for the prefix, beside the other",
    [
        [(one["Id"], one["QueueArn"], one["Filter"]["Key"]["FilterRules"]) for one in notification["QueueConfigurations"]],
        [one["Id"] for one in notification["TopicConfigurations"]],
    ],
    [[("derive-dev", outputs["QueueArn"], [{"Name": "prefix", "Value": "telemetry-2/"}])], ["theirs"]],
)
deploy()

# ---- the roles, where IAM is enforced
sts, iam = client("sts"), client("iam")


def assume(role_arn):
    return sts.assume_role(RoleArn=role_arn, RoleSessionName="interop")["Credentials"]


trust = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}],
}
batch_role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
iam.attach_role_policy(RoleName="batch", PolicyArn=outputs["BatchPolicyArn"])
iam.attach_role_policy(RoleName="batch", PolicyArn=outputs["MetadataPolicyArn"])
roles = {
    "function": assume(outputs["FunctionRoleArn"]),
    "batch": assume(batch_role["Arn"]),
    "backfill": assume(outputs["BatchOperationsRoleArn"]),
}


def enforce(first):
    """IAM is enforced after so many requests."""
    request = urllib.request.Request(f"{ENDPOINT}/moto-api/reset-auth", data=str(first).encode(), headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(request)


def derive(role, *arguments):
    credentials = roles[role]
    run = {
        "PATH": os.environ["PATH"],
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": ENDPOINT,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        **{name: value for name, value in variables.items() if name != "DERIVE_STREAM"},
    }
    binary = ROOT / "build/amd64/derive"
    return subprocess.run([binary, *arguments], cwd=task, env=run, capture_output=True, text=True, timeout=300)


def parts():
    objects = s3.list_objects_v2(Bucket="out-bucket", Prefix="derived-dev/").get("Contents", [])
    return sorted(re.sub(r"[^/]*/", "", one["Key"].rpartition("/")[2]) for one in objects)


def denied(role, service, operation, **parameters):
    try:
        getattr(client(service, roles[role]), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "403", "AccessDeniedException")
    return False


enforce(0)
keys = keys[:5]
for key in keys:
    done = derive("function", "invoke", "Mine.ts", f"s3://raw-bucket/{key}", "--shape", "sqs")
    if done.returncode != 0:
        print(done.stdout, done.stderr)
    check(f"the function's role is enough for {key.rpartition('/')[2]}", [done.returncode, done.stdout.strip()], [0, '{"batchItemFailures":[]}'])
enforce(1_000_000)
made = parts()
check(f"event parts: {len(made)}", len(made), len(keys))
enforce(0)
done = derive("batch", "batch", "Mine.ts", "--from", "20151028", "--input", "s3://raw-bucket")
if done.returncode != 0:
    print(done.stdout, done.stderr)
check("the batch policy is enough for the day that is over", done.returncode, 0)
enforce(1_000_000)
check("which leaves its own part alone", parts(), ["_SUCCESS", "part-0-00000.zstd.parquet"])
enforce(0)
done = derive("function", "invoke", "Mine.ts", f"s3://raw-bucket/{keys[0]}")
check("and the same event again finds itself covered", [done.returncode, "covered" in done.stdout], [0, True])
enforce(1_000_000)
check("adding nothing", parts(), ["_SUCCESS", "part-0-00000.zstd.parquet"])
enforce(0)

raw, out, metadata = ({"Bucket": name} for name in ["raw-bucket", "out-bucket", "metadata-bucket"])
for role, operation, parameters in [
    ("function", "get_object", {**raw, "Key": "other/secret"}),
    ("function", "put_object", {**raw, "Key": "telemetry-2/x", "Body": b""}),
    ("function", "delete_object", {**raw, "Key": keys[0]}),
    ("function", "get_object", {**out, "Key": "other/secret"}),
    ("function", "put_object", {**out, "Key": "other/x", "Body": b""}),
    ("function", "delete_object", {**out, "Key": "other/secret"}),
    ("function", "put_object_acl", {**out, "Key": "derived-dev/x", "ACL": "public-read"}),
    ("function", "list_multipart_uploads", {**out}),
    ("function", "get_bucket_policy", {**out}),
    ("function", "delete_bucket", {**out}),
    ("function", "put_object", {**metadata, "Key": "sources.json", "Body": b""}),
    ("function", "list_objects_v2", {**metadata}),
    ("batch", "put_object", {**raw, "Key": "telemetry-2/x", "Body": b""}),
    ("batch", "delete_object", {**raw, "Key": keys[0]}),
    ("batch", "put_object", {**out, "Key": "other/x", "Body": b""}),
    ("backfill", "get_object", {**raw, "Key": keys[0]}),
    ("backfill", "put_object", {**out, "Key": "derived-dev/x", "Body": b""}),
]:
    place = "/".join([parameters["Bucket"], parameters.get("Key", "")])
    check(f"denied to {role}: {operation} {place}", denied(role, "s3", operation, **parameters))
check("denied to function: its own role", denied("function", "iam", "list_roles"))
manifest = {"Key": "_backfill/manifest.csv"}
enforce(1_000_000)
s3.put_object(**out, **manifest, Body=b"")
enforce(0)
check("backfill reads its manifest", not denied("backfill", "s3", "get_object", **out, **manifest))
check("and writes its report", not denied("backfill", "s3", "put_object", **out, Key="_backfill/report", Body=b""))

# Without any one of these the function does not get along: none is there for nothing.
enforce(1_000_000)
role = outputs["FunctionRoleArn"].rpartition("/")[2]
[name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
document = iam_backends[ACCOUNT]["aws"].get_role(role).policies[name]  # a table, which its own API does not give back as one
for prefix in ["example", "mine"]:
    for one in s3.list_objects_v2(Bucket="out-bucket", Prefix=f"derived-dev/{prefix}").get("Contents", []):
        s3.delete_object(Bucket="out-bucket", Key=one["Key"])
for sid, action in [("ReadRawObjects", "s3:GetObject"), ("WriteDerivedParts", "s3:GetObject"), ("WriteDerivedParts", "s3:PutObject")]:
    less = json.loads(json.dumps(document))
    for statement in less["Statement"]:
        if statement["Sid"] == sid:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [one for one in actions if one != action] or ["s3:NothingAtAll"]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    enforce(0)
    done = derive("function", "invoke", "Mine.ts", f"s3://raw-bucket/{keys[0]}")
    enforce(1_000_000)
    check(f"without {action} of {sid} it fails, and says so", [done.returncode != 0, "403" in done.stderr or "denied" in done.stderr.lower()], [True, True])

server.stop()
print("All holds." if failures == 0 else f"{failures} failed.")
sys.exit(1 if failures else 0)
