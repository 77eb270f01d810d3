// Deployment without a cloud: what the templates must hold, what scripts/deploy.ts refuses, and what it would do.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation puts values into texts by the same signs
// biome-ignore-all lint/suspicious/noExplicitAny: a template is as deep and as loose as its language
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary, root } from "../../scripts/built.ts";
import { readEnvironment, refuseUnworkable } from "../../scripts/deploy/environment.ts";
import { buildCommands, refuseUnreadable } from "../../scripts/deploy/image.ts";
import { withWish } from "../../scripts/deploy/notification.ts";
import { variableOf } from "../../src/cli/config.ts";
import { settings } from "../../src/cli/settings.ts";
import { METRICS, NAMESPACE } from "../../src/lambda/metrics.ts";

type Table = { [name: string]: any };

const yaml = (path: string): Table => Bun.YAML.parse(readFileSync(join(root, path), "utf8")) as Table;
const template = yaml("deploy/function.yaml");
const resources = template.Resources as Table;
const TEMPLATES = ["deploy/function.yaml", "deploy/repository.yaml"];

/** Every statement of a policy, wherever it stands in a template. */
function statementsIn(value: unknown): Table[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "Effect" in value ? [value as Table] : [];
  return [...own, ...Object.values(value).flatMap(statementsIn)];
}

const BUCKETS = ["RawBucket=raw-bucket", "OutputBucket=out-bucket", "MetadataBucket=metadata-bucket"];

describe("the templates", () => {
  test("name every action that they allow, and what it is allowed on", () => {
    const allowed = TEMPLATES.flatMap((path) => statementsIn(yaml(path).Resources)).filter(
      ({ Effect }) => Effect === "Allow",
    );
    expect(allowed.length).toBeGreaterThan(10);
    for (const { Action, Resource, NotAction, NotResource, Principal } of allowed) {
      expect([NotAction, NotResource]).toEqual([undefined, undefined]);
      for (const action of [Action].flat()) expect(action).toMatch(/^[a-z0-9]+:[A-Z][A-Za-z]+$/);
      expect([Resource].flat()).not.toContain("*");
      expect(Principal).not.toBe("*");
    }
  });

  test("let the function read the raw prefix, and write nowhere but below the output", () => {
    const writes = statementsIn(resources.FunctionRole).filter(({ Action }) =>
      [Action].flat().some((action) => /^s3:(Put|Delete|Abort)/.test(action)),
    );
    expect(writes.map(({ Resource }) => Resource)).toEqual([
      "arn:${AWS::Partition}:s3:::${OutputBucket}/${OutputPrefix}*",
    ]);
    const reads = statementsIn(resources.FunctionRole).find(({ Sid }) => Sid === "ReadRawObjects");
    expect(reads).toMatchObject({
      Action: "s3:GetObject",
      Resource: "arn:${AWS::Partition}:s3:::${RawBucket}/${RawPrefix}*",
    });
  });

  test("give the function only variables that the program knows", () => {
    const known = [...Object.keys(settings).map(variableOf), "DERIVE_STREAM", "DERIVE_CONFIG"];
    const variables = Object.keys(resources.Function.Properties.Environment.Variables);
    expect(variables).toContain("DERIVE_OUTPUT");
    for (const variable of variables) expect(known).toContain(variable);
  });

  test("keep an event from others for six times the function's time, for every time there may be", () => {
    const times = template.Parameters.Timeout.AllowedValues as string[];
    expect(times).toContain(template.Parameters.Timeout.Default);
    expect(Object.keys(template.Mappings.VisibilityTimeout)).toEqual(times);
    for (const time of times)
      expect(template.Mappings.VisibilityTimeout[time].Seconds).toBeGreaterThanOrEqual(6 * Number(time));
  });

  test("answer for each event of a batch, and keep what failed", () => {
    expect(resources.QueueToFunction.Properties.FunctionResponseTypes).toEqual(["ReportBatchItemFailures"]);
    expect(resources.Queue.Properties.RedrivePolicy.deadLetterTargetArn).toBe("DeadLetters.Arn");
    expect(resources.DeadLetters.DeletionPolicy).toBe("Retain");
  });

  test("let old images go", () => {
    const { LifecyclePolicyText } = (yaml("deploy/repository.yaml").Resources as Table).Repository.Properties
      .LifecyclePolicy;
    const { rules } = JSON.parse(LifecyclePolicyText.replaceAll("${KeepImages}", "20"));
    expect(rules.map(({ action }: Table) => action)).toEqual([{ type: "expire" }, { type: "expire" }]);
  });

  test("raise alarms by metrics that the function writes", () => {
    const own = Object.values(resources).filter(({ Properties }: Table) => Properties?.Namespace === NAMESPACE);
    expect(own.length).toBe(2);
    for (const { Properties } of own as Table[]) {
      expect(Object.keys(METRICS)).toContain(Properties.MetricName);
      expect(Properties.Dimensions).toEqual([{ Name: "FunctionName", Value: "Function" }]);
    }
  });

  test("are told of new objects below the raw prefix alone", () => {
    expect(resources.NewObjects.Properties.EventPattern.detail).toEqual({
      bucket: { name: ["RawBucket"] },
      object: { key: [{ prefix: "RawPrefix" }] },
    });
  });
});

describe("an environment", () => {
  test.each(readdirSync(join(root, "deploy/envs")))("%s fits the template", (file) => {
    const environment = readEnvironment(file.replace(".json", ""), BUCKETS);
    refuseUnworkable(environment);
    const names = Object.keys(template.Parameters).filter((name) => name !== "ImageUri");
    // All of them: CloudFormation keeps the last value of what is left out.
    expect(Object.keys(environment.parameters).sort()).toEqual(names.sort());
    expect(() => readEnvironment(file.replace(".json", ""))).toThrow("RawBucket is not set");
  });

  test.each([
    ["Timeot=60", "no parameter Timeot. Did you mean Timeout?"],
    ["Timeout=45", "Timeout is none of 60, 120"],
    ["Memory=128", "Memory is below 512"],
    ["RawPrefix=telemetry-2", "RawPrefix does not match"],
    ["OutputPrefix=/derived/", "OutputPrefix does not match"],
    ["ImageUri=x", "no parameter ImageUri"],
  ])("with %s is refused", (override, text) => {
    expect(() => readEnvironment("dev", [...BUCKETS, override])).toThrow(text);
  });

  const LOOP = "would wake the function again";
  test.each([
    [["OutputBucket=raw-bucket", "OutputPrefix=telemetry-2/"], LOOP],
    [["OutputBucket=raw-bucket", "OutputPrefix=telemetry-2/derived/"], LOOP],
    [["OutputBucket=raw-bucket", "OutputPrefix=telemetry/"], undefined],
    [["OutputBucket=raw-bucket", "OutputPrefix=telemetry-2-derived/"], undefined],
    [["OutputBucket=raw-bucket", "BackfillPrefix=telemetry-2/_backfill/"], LOOP],
    [["OutputBucket=raw-bucket", "QuarantinePrefix=telemetry-2/faults/"], LOOP],
    [["OutputPrefix=telemetry-2/", "QuarantinePrefix=telemetry-2/faults/"], undefined],
    [["MetadataBucket="], "neither MetadataBucket nor ConfigFile"],
    [["MetadataBucket=", "ConfigFile=derive.toml"], undefined],
    [["MaximumConcurrency=5"], undefined],
    [["MaximumConcurrency=5", "ReservedConcurrency=4"], "above ReservedConcurrency"],
  ])("with %j is refused where it could not work", (overrides, text) => {
    const environment = readEnvironment("dev", [...BUCKETS, ...overrides]);
    if (text === undefined) refuseUnworkable(environment);
    else expect(() => refuseUnworkable(environment)).toThrow(text);
  });
});

describe("the raw bucket's notification", () => {
  const others = { TopicConfigurations: [{ Id: "theirs", TopicArn: "arn:t", Events: ["s3:ObjectCreated:*"] }] };
  const wish = { id: "derive-dev", queueArn: "arn:q", prefix: "telemetry-2/" };
  const ours = {
    Id: "derive-dev",
    QueueArn: "arn:q",
    Events: ["s3:ObjectCreated:*"],
    Filter: { Key: { FilterRules: [{ Name: "prefix", Value: "telemetry-2/" }] } },
  };
  const theirs = { Id: "theirs", QueueArn: "arn:x", Events: ["s3:ObjectRemoved:*"] };

  test("is changed beside what others asked for", () => {
    expect(withWish(others, { ...wish, trigger: "eventbridge" })).toEqual({ ...others, EventBridgeConfiguration: {} });
    expect(withWish({ QueueConfigurations: [theirs] }, { ...wish, trigger: "queue" })).toEqual({
      QueueConfigurations: [theirs, ours],
    });
  });

  test("is left alone where it says so already", () => {
    expect(withWish({ ...others, EventBridgeConfiguration: {} }, { ...wish, trigger: "eventbridge" })).toBeUndefined();
    const asS3GivesItBack = { ...ours, Filter: { Key: { FilterRules: [{ Name: "Prefix", Value: "telemetry-2/" }] } } };
    expect(withWish({ QueueConfigurations: [asS3GivesItBack, theirs] }, { ...wish, trigger: "queue" })).toBeUndefined();
    expect(withWish(others, { ...wish, trigger: "none" })).toBeUndefined();
  });

  test("loses our entry, and no other, when the trigger is another", () => {
    const now = { QueueConfigurations: [theirs, ours] };
    expect(withWish(now, { ...wish, trigger: "none" })).toEqual({ QueueConfigurations: [theirs] });
    const moved = withWish(now, { ...wish, trigger: "queue", prefix: "other/" });
    expect(moved?.QueueConfigurations).toHaveLength(2);
  });
});

describe("scripts/deploy.ts", () => {
  beforeAll(() => void builtBinary(), 120_000); // it asks the program about the stream
  function deploy(...args: string[]) {
    const [environment, ...options] = args;
    const command = [process.execPath, "scripts/deploy.ts", environment!, ...options];
    // Nothing is installed there: what it says is all that it does.
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
      cwd: root,
      env: { PATH: "/nowhere", HOME: "/nowhere" },
    });
    return { exitCode, out: stdout.toString(), err: stderr.toString() };
  }
  const buckets = BUCKETS.flatMap((override) => ["--set", override]);

  test("says in a dry run what it would do, in order, and does none of it", () => {
    const { exitCode, out, err } = deploy("dev", "--dry-run", ...buckets);
    expect(err).toBe("");
    expect(exitCode).toBe(0);
    const commands = out.split("\n").filter((line) => /^(bun|aws|buildah) /.test(line));
    expect(commands.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
      "aws sts get-caller-identity",
      "bun scripts/build.ts amd64",
      "aws cloudformation deploy",
      "aws cloudformation describe-stacks",
      "aws ecr describe-images",
      "buildah build --platform",
      "aws ecr get-login-password",
      "buildah push $REGISTRY/$NAME:$TAG",
      "aws cloudformation deploy",
      "aws cloudformation describe-stacks",
      "aws s3api get-bucket-notification-configuration",
      "aws s3api put-bucket-notification-configuration",
      "aws cloudformation describe-stacks",
    ]);
    expect(out).toContain("OutputBucket=out-bucket OutputPrefix=derived-dev/");
  });

  test("says what to install where it is missing", () => {
    const { exitCode, err } = deploy("dev", ...buckets);
    expect(exitCode).toBe(2);
    expect(err).toMatch(/^error: Cannot deploy: the AWS command line \(aws\) is not installed\. Install/);
  });

  test("refuses, also in a dry run, output that would wake the function, and a stream that is none", () => {
    const loop = deploy(
      "dev",
      "--dry-run",
      ...buckets,
      "--set",
      "OutputBucket=raw-bucket",
      "--set",
      "OutputPrefix=telemetry-2/",
    );
    expect([loop.exitCode, loop.out]).toEqual([2, ""]);
    const stream = deploy("dev", "--dry-run", ...buckets, "--set", "Stream=ExampelStream");
    expect([stream.exitCode, stream.out]).toEqual([2, ""]);
    expect(stream.err).toContain("ExampleStream");
  });
});

describe("the image", () => {
  const dockerfile = readFileSync(join(root, "Dockerfile.lambda"), "utf8");

  test("runs nothing while it is built, so that one machine builds it for both architectures", () => {
    expect(dockerfile).not.toMatch(/^\s*RUN\b/im);
    expect(dockerfile).toMatch(/^ARG BASE_IMAGE=public\.ecr\.aws\/lambda\/provided:al2023$/m);
  });

  test("holds no file that the function, another user, could not read", () => {
    const folder = mkdtempSync(join(tmpdir(), "derive-task-"));
    try {
      expect(() => refuseUnreadable(folder)).toThrow("it holds no files");
      writeFileSync(join(folder, "Mine.ts"), "", { mode: 0o644 });
      refuseUnreadable(folder);
      writeFileSync(join(folder, "secret.ts"), "", { mode: 0o600 });
      expect(() => refuseUnreadable(folder)).toThrow(/secret\.ts: only its owner may read it/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("has streams of one's own on top of the program", () => {
    const commands = buildCommands("docker", "r/n:t", { architecture: "arm64", task: "/tmp/mine" });
    expect(commands.map((command) => command.slice(-5).join(" "))).toEqual([
      "--tag r/n:t-program --file Dockerfile.lambda .",
      "--tag r/n:t --file deploy/Dockerfile.streams /tmp/mine",
    ]);
    for (const command of commands) expect(command.join(" ")).toContain("--platform linux/arm64");
  });
});
