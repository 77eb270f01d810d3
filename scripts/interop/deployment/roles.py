"""Tries the roles where IAM is enforced: the built binary gets along with the credentials of each, what no role is for is denied,
and without any action of its list the function does not get along."""

import json
import os
import subprocess

from botocore.exceptions import ClientError
from moto.iam import iam_backends

from deployed import outputs, task, variables
from stand_ins import ACCOUNT, ENDPOINT, ROOT, check, client, enforce, keys, s3

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


def part_keys():
    return [one["Key"] for one in s3.list_objects_v2(Bucket="out-bucket", Prefix="derived-dev/").get("Contents", [])]


def parts():
    return sorted(key.rpartition("/")[2] for key in part_keys())


def denied(role, service, operation, **parameters):
    try:
        getattr(client(service, roles[role]), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "403", "AccessDeniedException")
    return False


enforce(True)
keys = keys[:5]
for key in keys:
    done = derive("function", "invoke", "Mine.ts", f"s3://raw-bucket/{key}", "--shape", "sqs")
    if done.returncode != 0:
        print(done.stdout, done.stderr)
    check(f"the function's role is enough for {key.rpartition('/')[2]}", [done.returncode, done.stdout.strip()], [0, '{"batchItemFailures":[]}'])
enforce(False)
made = part_keys()
check(f"event parts: {len(made)}", len(made), len(keys))
event_part = s3.get_object(Bucket="out-bucket", Key=made[0])["Body"].read()
enforce(True)
done = derive("batch", "batch", "Mine.ts", "--from", "20151028", "--input", "s3://raw-bucket")
if done.returncode != 0:
    print(done.stdout, done.stderr)
check("the batch policy is enough for the day that is over", done.returncode, 0)
enforce(False)
check("which leaves its own part alone", parts(), ["_SUCCESS", "part-0-00000.zstd.parquet"])
enforce(True)
done = derive("function", "invoke", "Mine.ts", f"s3://raw-bucket/{keys[0]}")
check("and the same event again finds itself covered", [done.returncode, "covered" in done.stdout], [0, True])
enforce(False)
check("adding nothing", parts(), ["_SUCCESS", "part-0-00000.zstd.parquet"])
enforce(True)

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
    place = "/".join([parameters["Bucket"], parameters.get("Key", "").replace(keys[0], "telemetry-2/…")])
    check(f"denied to {role}: {operation} {place}", denied(role, "s3", operation, **parameters))
check("denied to function: its own role", denied("function", "iam", "list_roles"))
manifest = {"Key": "_backfill/manifest.csv"}
enforce(False)
s3.put_object(**out, **manifest, Body=b"")
enforce(True)
check("backfill reads its manifest", not denied("backfill", "s3", "get_object", **out, **manifest))
check("and writes its report", not denied("backfill", "s3", "put_object", **out, Key="_backfill/report", Body=b""))

# Without any one of these the function does not get along: none is there for nothing.
enforce(False)
role = outputs["FunctionRoleArn"].rpartition("/")[2]
[policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
document = iam_backends[ACCOUNT]["aws"].get_role(role).policies[policy]  # a table, which its own API does not give back as one


def invoke_without(sid=None, action=None):
    less = json.loads(json.dumps(document))
    for statement in less["Statement"]:
        if statement["Sid"] == sid:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [one for one in actions if one != action] or ["s3:NothingAtAll"]
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(less))
    enforce(True)
    done = derive("function", "invoke", "Mine.ts", *(f"s3://raw-bucket/{key}" for key in keys))
    enforce(False)
    return done


def check_fails(sid, action):
    done = invoke_without(sid, action)
    check(f"without {action} of {sid} it fails, and says so", [done.returncode != 0, "denied" in done.stderr], [True, True])


# An event part that a batch run covers is removed.
s3.put_object(Bucket="out-bucket", Key=made[0], Body=event_part)
check_fails("WriteDerivedParts", "s3:DeleteObject")
check("with it, a covered event part is removed", [invoke_without().returncode, made[0] in part_keys()], [0, False])
for key in part_keys():
    s3.delete_object(Bucket="out-bucket", Key=key)
for sid, action in [
    ("ReadRawObjects", "s3:GetObject"),
    ("WriteDerivedParts", "s3:GetObject"),
    ("WriteDerivedParts", "s3:PutObject"),
]:
    check_fails(sid, action)
