"""Has scripts/deploy.ts deploy to the stand-ins, and looks at what came of it."""

import json
import re
import subprocess
import sys
import urllib.request

from stand_ins import BUN, REGISTRY, ROOT, check, client, deploying, folder, s3

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
