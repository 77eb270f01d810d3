// Deploys the program as a Lambda function: builds it, pushes its image to ECR, deploys deploy/function.yaml, turns events on.
// bun scripts/deploy.ts <environment> [--dry-run]; the commands it runs are printed, and nothing else is done.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import { builtBinary, root } from "./built.ts";
import { type Environment, readEnvironment, refuseUnworkable } from "./deploy/environment.ts";
import { buildCommands, type Image, refuseUnreadable, tagOf } from "./deploy/image.ts";
import { withWish } from "./deploy/notification.ts";
import { dryShell, imageTool, liveShell, requireTools, type Shell } from "./deploy/shell.ts";

const USAGE = `Usage: npm run deploy -- <environment> [options]

<environment>: deploy/envs/<environment>.json, with the parameters of deploy/function.yaml. The stack is derive-<environment>.

  --set NAME=VALUE    a parameter, instead of what the file has; repeatable
  --task FOLDER       streams of your own (and a derive.toml): the folder becomes /var/task in the image; name one with Stream
  --image URI         deploy this image, which is in ECR already; nothing is built or pushed
  --base-image IMAGE  what Dockerfile.lambda stands on, instead of AWS's own base image
  --no-notification   leave the raw bucket's notification configuration as it is
  --dry-run           print every command; run none

Region and account are those of the AWS command line: AWS_REGION, AWS_PROFILE.`;

const options = {
  set: { type: "string", multiple: true },
  task: { type: "string" },
  image: { type: "string" },
  "base-image": { type: "string" },
  "no-notification": { type: "boolean" },
  "dry-run": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const IMAGES_STACK = "derive-images";

interface Wanted {
  readonly environment: Environment;
  readonly image: Image;
  /** Of an image that is there already. */
  readonly imageUri?: string;
  readonly notification: boolean;
}

async function deploy({ environment, image, imageUri, notification }: Wanted, shell: Shell) {
  const { name, parameters, tags } = environment;
  const stack = `derive-${name}`;
  await shell.run("The account that it goes to", ["aws", "sts", "get-caller-identity", "--output", "text"]);
  const uri = imageUri ?? (await push(image, shell));
  const pairs = (table: Readonly<Record<string, string>>) =>
    Object.entries(table).map(([key, value]) => `${key}=${value}`);
  const all = pairs({ ...parameters, ImageUri: uri });
  await shell.run("The function and all that stands around it", [
    ...["aws", "cloudformation", "deploy", "--stack-name", stack, "--template-file", "deploy/function.yaml"],
    ...["--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset", "--parameter-overrides", ...all],
    ...(Object.keys(tags).length > 0 ? ["--tags", ...pairs(tags)] : []),
  ]);
  if (notification) await notify(stack, environment, shell);
  await shell.run("What there is now", describe(stack, "Outputs[].[OutputKey,OutputValue]"));
}

/** The URI of the image in ECR, where it is after this. */
async function push(image: Image, { dry, run, ask, succeeds }: Shell): Promise<string> {
  const tool = imageTool() ?? "buildah";
  await run("The program, for the function's processor", [process.execPath, "scripts/build.ts", image.architecture]);
  await run("The repository for its images, a stack that all environments share", [
    ...["aws", "cloudformation", "deploy", "--stack-name", IMAGES_STACK, "--template-file", "deploy/repository.yaml"],
    "--no-fail-on-empty-changeset",
  ]);
  const repository = await ask("Where that is", describe(IMAGES_STACK, output("RepositoryUri")), "$REGISTRY/$NAME");
  const tag = dry ? "$TAG" : tagOf(image);
  const uri = `${repository}:${tag}`;
  const [registry, ...path] = repository.split("/");
  const there = ["aws", "ecr", "describe-images", "--repository-name", path.join("/")];
  if (await succeeds("Is this very image there already?", [...there, "--image-ids", `imageTag=${tag}`])) return uri;
  for (const command of buildCommands(tool, uri, image)) await run("The image", command);
  await run(
    "The registry's password of the day",
    ["aws", "ecr", "get-login-password"],
    [tool, "login", "--username", "AWS", "--password-stdin", registry!],
  );
  await run("The image, to the repository", [tool, "push", uri]);
  return uri;
}

async function notify(stack: string, { parameters }: Environment, { run, ask }: Shell): Promise<void> {
  const { RawBucket, RawPrefix, Trigger } = parameters as Record<string, string>;
  const queueArn = await ask("The queue of events", describe(stack, output("QueueArn")), "$QUEUE_ARN");
  const bucket = ["--bucket", RawBucket!];
  const told = await ask(
    "What the raw bucket tells others already; it is kept",
    ["aws", "s3api", "get-bucket-notification-configuration", ...bucket],
    "{}",
  );
  const wished = withWish(JSON.parse(told || "{}"), { trigger: Trigger!, id: stack, queueArn, prefix: RawPrefix! });
  if (wished === undefined) return;
  const put = ["aws", "s3api", "put-bucket-notification-configuration", ...bucket];
  await run("Events of the raw bucket, beside what it tells others", [
    ...put,
    ...["--notification-configuration", JSON.stringify(wished)],
  ]);
}

function describe(stack: string, query: string): string[] {
  const stacks = ["aws", "cloudformation", "describe-stacks", "--stack-name", stack];
  return [...stacks, "--query", `Stacks[0].${query}`, "--output", "text"];
}

function output(key: string): string {
  return `Outputs[?OutputKey=='${key}'].OutputValue`;
}

/** @throws {UsageError} for a stream that the program cannot load; a function that could not would fail at each event. */
function refuseStream(stream: string, task: string | undefined): void {
  if (stream === "" && task === undefined)
    throw new UsageError(
      "Cannot deploy: Stream is not set, and the program's own image names none. Give --set Stream=…",
    );
  if (stream === "") return; // the folder cannot name one, but a user's own image can
  const loaded = Bun.spawnSync([builtBinary(), "schema", stream], {
    cwd: task ?? root,
    stderr: "pipe",
    stdout: "ignore",
  });
  if (loaded.exitCode !== 0)
    throw new UsageError(
      loaded.stderr
        .toString()
        .trim()
        .replace(/^error: /, ""),
    );
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help || positionals.length !== 1) {
    console.log(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const environment = readEnvironment(positionals[0]!, values.set);
  refuseUnworkable(environment);
  const { Stream, Architecture } = environment.parameters as Record<string, string>;
  const { task } = values;
  if (task !== undefined) refuseUnreadable(task);
  if (values.image === undefined) refuseStream(Stream!, task);
  const image: Image = {
    architecture: Architecture === "arm64" ? "arm64" : "amd64",
    base: values["base-image"],
    task: task && resolve(task),
  };
  const wanted = { environment, image, imageUri: values.image, notification: !values["no-notification"] };
  if (!values["dry-run"]) requireTools(values.image === undefined);
  await deploy(wanted, values["dry-run"] ? dryShell : liveShell);
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
