// A function as Lambda would run it: the built binary without arguments, a stream's file, raw objects, and the strict Runtime API.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { framePing } from "../../src/heka/ping.ts";
import { encodeFormKey } from "../../src/lambda/keys.ts";
import { type Planned, RuntimeEmulator } from "./emulator.ts";

/** A row for each ping; `n` says what the stream does with it. */
export const STREAM = `
import { defineStream, int, string } from "derive";
export default defineStream({
  streamName: "telemetry",
  dimensions: { docType: ["main"] },
  where: (message) => message.int("n") !== 0,
  columns: {
    id: string("documentId"),
    n: int().from((message) => {
      const n = message.int("n");
      if (n < 0) throw new RangeError("PINGMARK " + n);
      if (n === 5000) for (const until = Date.now() + 60_000; Date.now() < until; );
      return n;
    }),
  },
});`;

const CONFIG = `
[sources.telemetry]
bucket = "raw-bucket"
prefix = "telemetry-2"
dimensions = ["submissionDate", "docType"]
`;

export const BUCKET = "raw-bucket";
export const PARTITION = "derived/my_stream/v1/submission_date_s3=20151028";

export function keyOf(name: string, docType = "main"): string {
  return `telemetry-2/20151028/${docType}/${name}`;
}

export interface Ran {
  readonly emulator: RuntimeEmulator;
  /** Undefined where it was still waiting for events. */
  readonly exit: number | undefined;
  /** The lines of the log, parsed. */
  readonly log: Record<string, unknown>[];
  readonly stdout: string;
  readonly stderr: string;
}

export class LambdaFolder {
  readonly path = mkdtempSync(join(tmpdir(), "derive-lambda-"));

  constructor() {
    this.write("task/MyStream.ts", STREAM);
    this.write("derive-lambda.toml", CONFIG);
  }

  write(name: string, content: string | Uint8Array): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** Lays a raw object with a ping for each number, and gives its key. */
  lay(name: string, ...numbers: number[]): string {
    const key = keyOf(name);
    this.write(`raw/${key}`, Buffer.concat(numbers.map((n, i) => framePing({ id: `${name}-${i}`, n }, {}, "heka"))));
    return key;
  }

  /** The parts in the day's partition. */
  parts(): string[] {
    return this.leftovers().filter((name) => name.endsWith(".parquet"));
  }

  /** Everything in the partition, hidden files too. */
  leftovers(): string[] {
    const partition = join(this.path, PARTITION);
    return existsSync(partition) ? readdirSync(partition).sort() : [];
  }

  /** What the function finds in its environment; nothing else is in it. */
  environment(changes: Record<string, string | undefined> = {}): Record<string, string> {
    const all = {
      _HANDLER: "MyStream.ts",
      LAMBDA_TASK_ROOT: join(this.path, "task"),
      AWS_LAMBDA_FUNCTION_NAME: "derive-test",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "1769",
      DERIVE_CONFIG: join(this.path, "derive-lambda.toml"),
      DERIVE_INPUT: join(this.path, "raw"),
      DERIVE_OUTPUT: join(this.path, "derived"),
      ...changes,
    };
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** Runs the binary until it has answered all of `plan` and asks for more, or ends. */
  async serve(
    plan: readonly Planned[],
    options: { env?: Record<string, string | undefined>; words?: string[]; lastStatus?: number } = {},
  ): Promise<Ran> {
    const emulator = new RuntimeEmulator(plan);
    emulator.lastStatus = options.lastStatus;
    const child = Bun.spawn([builtBinary(), ...(options.words ?? [])], {
      cwd: join(this.path, "task"),
      env: this.environment({ AWS_LAMBDA_RUNTIME_API: emulator.host, ...options.env }),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const texts = Promise.all([child.stdout.text(), child.stderr.text()]);
    const done = emulator.done.then(() => (options.lastStatus || emulator.initError ? child.exited : undefined));
    const exit = await Promise.race([child.exited, done]);
    child.kill("SIGKILL"); // Lambda gives no other sign
    const [stdout, stderr] = await texts;
    await emulator.stop();
    const log = stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { emulator, exit, log, stdout, stderr };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** An event of S3 with a record for each key. */
export function s3Event(keys: readonly string[], changes: Record<string, unknown> = {}): { Records: unknown[] } {
  return { Records: keys.map((key) => s3Record(key, changes)) };
}

export function s3Record(key: string, changes: Record<string, unknown> = {}): unknown {
  const object = {
    key: encodeFormKey(key),
    size: 1024,
    eTag: "d41d8cd98f00b204e9800998ecf8427e",
    sequencer: "0055AED6DCD90281E5",
  };
  return {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: "us-west-2",
    eventTime: "2015-10-28T00:00:00.000Z",
    eventName: "ObjectCreated:Put",
    userIdentity: { principalId: "AIDAJDPLRKLG7UEXAMPLE" },
    requestParameters: { sourceIPAddress: "127.0.0.1" },
    responseElements: { "x-amz-request-id": "C3D13FE58DE4C810" },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: "new-objects",
      bucket: { name: BUCKET, ownerIdentity: { principalId: "A3NL1KOZZKExample" }, arn: `arn:aws:s3:::${BUCKET}` },
      object: { ...object, ...changes },
    },
  };
}

/** A batch of SQS with a message for each body. */
export function sqsEvent(bodies: readonly unknown[], changes: (index: number) => Record<string, unknown> = () => ({})) {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `message-${index}`,
      receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
      body: typeof body === "string" ? body : JSON.stringify(body),
      attributes: { ApproximateReceiveCount: "1", SentTimestamp: "1545082649183" },
      messageAttributes: {},
      md5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:us-west-2:123456789012:new-objects",
      awsRegion: "us-west-2",
      ...changes(index),
    })),
  };
}
