// The built binary under a strict Runtime API: init, invocations one after the other, answers, log and metrics.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { METRICS } from "../../src/lambda/metrics.ts";
import { readRows } from "../../src/parquet/read.ts";
import { BUCKET, keyOf, LambdaFolder, PARTITION, type Ran, STREAM, s3Event, s3Record, sqsEvent } from "./function.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

// Bun's own limit, set to a second, ends a request after some eight: it waits while all other tests run.
const waiting = { folder: undefined as LambdaFolder | undefined, ran: undefined as Promise<Ran> | undefined };
beforeAll(() => {
  waiting.folder = new LambdaFolder();
  const proxies = { HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9" };
  const event = s3Event([waiting.folder.lay("a", 1)]);
  waiting.ran = waiting.folder.serve([{ event, afterMs: 10_000 }], {
    env: { ...proxies, BUN_CONFIG_HTTP_IDLE_TIMEOUT: "1" },
  });
});
afterAll(() => waiting.folder?.remove());

let folder: LambdaFolder;
beforeEach(() => {
  folder = new LambdaFolder();
});
afterEach(() => folder.remove());

const POISON = [-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11]; // one more error than the budget allows

async function rowsOf(part: string): Promise<unknown[]> {
  const { buffer } = await Bun.file(join(folder.path, PARTITION, part)).bytes();
  const file = {
    byteLength: buffer.byteLength,
    slice: async (a: number, b?: number) => buffer.slice(a, b) as ArrayBuffer,
  };
  return Array.fromAsync(readRows(file));
}

/** What every run has to keep: the rules of the Runtime API, and no ping in the log. */
function expectManners({ emulator, stdout, stderr }: Ran): void {
  expect(emulator.breaches).toEqual([]);
  expect(stdout + stderr).not.toContain("PINGMARK");
}

describe("one event after the other", () => {
  test("an object becomes a part; log lines carry the request's id, and metrics are embedded", async () => {
    const key = folder.lay("a b+c%2Bé\u{1f98a}", 1, 2, 0, -3);
    const ran = await folder.serve([{ event: s3Event([key]), traceId: "Root=1-5bef4de7" }]);
    expectManners(ran);
    expect(ran.exit).toBeUndefined();
    const [ended] = ran.emulator.ended;
    expect(ended).toMatchObject({ kind: "response", body: { objects: 1, results: [{ state: "written", rows: 2 }] } });
    const [part] = folder.parts();
    expect(part).toMatch(/^event-[0-9a-f]{16}\.zstd\.parquet$/);
    expect(await rowsOf(part!)).toHaveLength(2);

    const [ready, ...lines] = ran.log;
    expect(ready).toMatchObject({ level: "INFO", dataset: "telemetry", workers: 1 });
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatchObject({ level: "INFO", requestId: ended!.requestId });
    expect(lines[0]).toMatchObject({
      message: expect.stringContaining(`2 rows from s3://${BUCKET}/${key}`),
      state: "written",
      frames: 4,
      written: 2,
      filtered: 1,
      failed: 1,
      filteredBy: { where: 1 },
      failures: expect.any(Object),
      failedAt: [
        {
          object: expect.any(String),
          offset: expect.any(Number),
          bytes: expect.any(Number),
          cause: expect.any(String),
        },
      ],
      part: { rows: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    const { _aws, ...values } = lines[1] as { _aws: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } };
    const [directive] = _aws.CloudWatchMetrics;
    expect(directive).toMatchObject({ Namespace: "derive", Dimensions: [["FunctionName"]] });
    expect(directive!.Metrics.map(({ Name }) => Name)).toEqual(Object.keys(METRICS));
    for (const name of Object.keys(METRICS)) expect(values).toHaveProperty(name, expect.any(Number));
    expect(values).toMatchObject({
      FunctionName: "derive-test",
      objects: 1,
      errors: 0,
      frames: 4,
      rows: 2,
      filtered: 1,
      failed: 1,
    });
  });

  test("a poison record does not keep the others from being tried; the event fails, and Lambda delivers it again", async () => {
    const keys = [folder.lay("a", 1), folder.lay("poison", ...POISON), folder.lay("b", 2)];
    const ran = await folder.serve([{ event: s3Event([...keys, "elsewhere/x"]) }, { event: s3Event([keys[0]!]) }]);
    expectManners(ran);
    const [failed, fine] = ran.emulator.ended;
    expect(failed).toMatchObject({ kind: "error", errorType: "Function.BudgetError" });
    const { errorMessage, stackTrace } = failed!.body as { errorMessage: string; stackTrace: string[] };
    expect(errorMessage).toContain("poison");
    expect(errorMessage).toContain("1 more error of this event");
    expect(stackTrace.length).toBeGreaterThan(0);
    expect(folder.parts()).toHaveLength(2);
    expect(fine).toMatchObject({ kind: "response", body: { results: [{ state: "unchanged" }] } });
    expect(ran.log.find(({ object }) => object === `s3://${BUCKET}/elsewhere/x`)).toMatchObject({
      level: "ERROR",
      message: expect.stringContaining("telemetry-2"),
    });
    expect(ran.log.find(({ errors }) => errors === 2)).toMatchObject({ level: "ERROR", failed: 11 });
  });

  test("SQS: only the messages that failed are delivered again, poison in the middle of the batch", async () => {
    const bodies: unknown[] = Array.from({ length: 10 }, (_, i) => s3Event([folder.lay(`o${i}`, i + 1)]));
    bodies[4] = s3Event([folder.lay("good", 1), folder.lay("poison", ...POISON)]);
    bodies[6] = "no JSON";
    bodies[7] = { Event: "s3:TestEvent", Service: "Amazon S3" };
    const ran = await folder.serve([{ event: sqsEvent(bodies) }, { event: sqsEvent([bodies[0]]) }]);
    expectManners(ran);
    expect(ran.emulator.ended.map(({ body }) => body)).toEqual([
      { batchItemFailures: [{ itemIdentifier: "message-4" }, { itemIdentifier: "message-6" }] },
      { batchItemFailures: [] },
    ]);
    expect(folder.parts()).toHaveLength(8);
  });

  test("--quarantine: what was faulty is kept, each version of an object by itself", async () => {
    const event = s3Event([folder.lay("a", 1, -2)]);
    const env = { DERIVE_QUARANTINE: join(folder.path, "kept") };
    const ran = await folder.serve([{ event }, { event }], { env });
    expectManners(ran);
    folder.lay("a", -5);
    expectManners(await folder.serve([{ event }], { env }));
    const kept = [...new Bun.Glob("**").scanSync(join(folder.path, "kept"))].sort();
    const file = expect.stringMatching(
      /^my_stream\/v1\/submission_date_s3=20151028\/event-[0-9a-f]{16}-[0-9a-f]{8}\.(heka|jsonl)$/,
    );
    expect(kept).toEqual([file, file, file, file]);
    expect(ran.log.find(({ quarantine }) => quarantine)?.quarantine).toEqual([expect.stringContaining(".jsonl")]);
  });

  test("SQS FIFO: after a message that failed the rest of its group is left to be delivered again", async () => {
    const bodies = ["a", "poison", "c", "d"].map((name) =>
      s3Event([folder.lay(name, ...(name === "poison" ? POISON : [1]))]),
    );
    const groups = ["one", "one", "one", "two"];
    const event = sqsEvent(bodies, (index) => ({
      eventSourceARN: "arn:aws:sqs:us-west-2:123456789012:new-objects.fifo",
      attributes: { MessageGroupId: groups[index], SequenceNumber: `${index}` },
    }));
    const ran = await folder.serve([{ event }]);
    expectManners(ran);
    expect(ran.emulator.ended[0]?.body).toEqual({
      batchItemFailures: [{ itemIdentifier: "message-1" }, { itemIdentifier: "message-2" }],
    });
    expect(folder.parts()).toHaveLength(2);
  });

  test("Batch Operations: a result for each task, by what went wrong", async () => {
    const tasks = ["a", "poison", "cut", "missing", "elsewhere"].map((name) => ({
      taskId: name,
      s3Key: name === "elsewhere" ? "other/x" : keyOf(name),
      s3VersionId: null,
      s3Bucket: BUCKET,
    }));
    folder.lay("a", 1);
    folder.lay("poison", ...POISON);
    folder.write(`raw/${keyOf("cut")}`, gzipSync(new Uint8Array(1000)).subarray(0, -8));
    const event = { invocationSchemaVersion: "2.0", invocationId: "i", job: { id: "j", userArguments: {} }, tasks };
    const ran = await folder.serve([{ event }]);
    expectManners(ran);
    const result = (taskId: string, resultCode: string, told: string) => ({
      taskId,
      resultCode,
      resultString: expect.stringContaining(told),
    });
    expect(ran.emulator.ended[0]?.body).toEqual({
      invocationSchemaVersion: "2.0",
      treatMissingKeysAs: "PermanentFailure",
      invocationId: "i",
      results: [
        result("a", "Succeeded", "1 row from"),
        result("poison", "PermanentFailure", "--max-errors"),
        result("cut", "PermanentFailure", "Cannot decompress"),
        result("missing", "PermanentFailure", "no object"),
        result("elsewhere", "PermanentFailure", "telemetry-2"),
      ],
    });
  });

  test("records of one object are derived once, whatever their order", async () => {
    const key = folder.lay("a", 1);
    const sequencers = ["0055AED6DCD90281E5", "0055AED6DCD90281E7", "0055AED6DCD90281E6"];
    const ran = await folder.serve([
      { event: { Records: sequencers.map((sequencer) => s3Record(key, { sequencer })) } },
      { event: sqsEvent(sequencers.map((sequencer) => s3Event([key], { sequencer }))) },
    ]);
    expectManners(ran);
    expect(ran.log.filter(({ object }) => object !== undefined)).toHaveLength(2);
    expect(folder.parts()).toHaveLength(1);
  });

  test("an unknown shape is an error that names its keys, and nothing of what it holds", async () => {
    const ran = await folder.serve([{ event: { ping: "PINGMARK", user: "x" } }, { event: 0, body: '{"PINGMARK' }]);
    expectManners(ran);
    expect(ran.emulator.ended.map(({ kind, errorType }) => [kind, errorType])).toEqual([
      ["error", "Function.UsageError"],
      ["error", "Function.UsageError"],
    ]);
    expect(ran.emulator.ended[0]?.body).toMatchObject({ errorMessage: expect.stringContaining("ping, user") });
  });

  test("objects that the stream's dimensions leave out are told, and are no error", async () => {
    folder.write(`raw/${keyOf("x", "crash")}`, "not even read");
    const ran = await folder.serve([{ event: s3Event([keyOf("x", "crash")]) }]);
    expectManners(ran);
    expect(ran.emulator.ended[0]).toMatchObject({ kind: "response", body: { results: [{ state: "left out" }] } });
  });

  test("memory is flat over many invocations, and none leaves anything behind", async () => {
    const key = folder.lay("a", 1);
    const ran = await folder.serve(Array.from({ length: 300 }, () => ({ event: s3Event([key]) })));
    expectManners(ran);
    const peaks = ran.log.map(({ peakRss }) => peakRss as number).filter(Boolean);
    expect(peaks).toHaveLength(300);
    // The first hundred warm up: compiled code and the collector's own room.
    expect(peaks.at(-1)! - peaks[100]!).toBeLessThan(24e6);
    expect(folder.leftovers()).toEqual(folder.parts());
  }, 60_000);
});

describe("the deadline", () => {
  test("work stops in time: nothing half-written, and the time-out it would need is told", async () => {
    const keys = [folder.lay("fine", 1), folder.lay("slow", 1, 5000)];
    const slow = s3Event([keys[1]!]);
    const plan = [
      { event: sqsEvent([s3Event([keys[0]!]), slow]), timeoutMs: 1500 },
      { event: slow, timeoutMs: 700 },
      { event: s3Event([keys[0]!]) },
    ];
    const ran = await folder.serve(plan, { env: { DERIVE_WORKERS: "2" } }); // one is busy, one goes on
    expectManners(ran);
    const [batch, single, after] = ran.emulator.ended;
    expect(batch).toMatchObject({ body: { batchItemFailures: [{ itemIdentifier: "message-1" }] } });
    expect(batch!.ms).toBeLessThan(1500);
    expect(single).toMatchObject({ kind: "error", errorType: "Function.DeadlineError" });
    expect(single!.ms).toBeLessThan(700);
    expect(after).toMatchObject({ kind: "response", body: { results: [{ state: "unchanged" }] } });
    expect(folder.leftovers()).toEqual(folder.parts());
    expect(folder.parts()).toHaveLength(1);
    expect(ran.stdout).toMatch(/slow before the function's time-out: .* Set a time-out of at least \d+ s/);
  });

  test("a deadline that has passed already, and none at all", async () => {
    const key = folder.lay("a", 1);
    const ran = await folder.serve([
      { event: s3Event([key]), timeoutMs: -1000 },
      { event: s3Event([key]), timeoutMs: null },
    ]);
    expectManners(ran);
    expect(ran.emulator.ended.map(({ kind }) => kind)).toEqual(["error", "response"]);
  });
});

describe("a Runtime API that says no", () => {
  test("a response refused as too large is an error of the invocation; any other refusal is told", async () => {
    const event = s3Event([folder.lay("a", 1)]);
    const plan = [
      { event, refuseResponse: 413 },
      { event, refuseResponse: 400 },
      { event, refuseResponse: 403 },
      { event },
    ];
    const ran = await folder.serve([...plan, { event: {}, refuseError: 400 }, { event }]);
    expectManners(ran);
    expect(ran.emulator.ended.map(({ kind, errorType }) => errorType ?? kind)).toEqual([
      "Function.ResponseSizeTooLarge",
      "response",
      "response",
    ]);
    expect(ran.log.filter(({ message }) => /refused the answer with status 40[03]/.test(String(message)))).toHaveLength(
      3,
    );
  });

  test.each([
    ["response", { refuseResponse: 500 }],
    ["error", { refuseError: 500 }],
  ])("500 on /%s ends the program", async (kind, refusal) => {
    const event = kind === "response" ? s3Event([folder.lay("a", 1)]) : {};
    const ran = await folder.serve([{ event, ...refusal }, { event }]);
    expectManners(ran);
    expect(ran.exit).toBe(6);
    expect(ran.stderr).toContain("it answered 500");
  });

  test.each([202, 204, 403, 500])("next answers %i: the program ends", async (lastStatus) => {
    const ran = await folder.serve([], { lastStatus });
    expectManners(ran);
    expect(ran.exit).toBe(4);
    expect(ran.stderr).toContain(`it answered ${lastStatus}`);
  });

  test("no Runtime API at all", async () => {
    const ran = await folder.serve([], { env: { AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9" } });
    expect(ran.exit).toBe(4);
    expect(ran.stderr).toContain("Cannot get the next invocation");
  });
});

test("a stream that fills the memory fails its object, and the next event is served", async () => {
  const hungry =
    "const kept: unknown[] = [];\n" +
    STREAM.replace(
      "60_000; Date.now() < until; );",
      "60_000; Date.now() < until; ) kept.push(new Uint8Array(1 << 20).fill(1));",
    );
  folder.write("task/MyStream.ts", hungry);
  const events = [folder.lay("a", 1), folder.lay("b", 5000), folder.lay("c", 1)].map((key) => ({
    event: s3Event([key]),
  }));
  const ran = await folder.serve(events, { env: { DERIVE_MAX_MEMORY: "400MiB" } });
  expectManners(ran);
  expect(ran.emulator.ended.map(({ kind, errorType }) => errorType ?? kind)).toEqual([
    "response",
    "Function.StreamError",
    "response",
  ]);
  expect(folder.parts()).toHaveLength(2);
});

describe("init", () => {
  const brokenStreams = {
    "Broken.ts": "export default 1;",
    "Syntax.ts": "export default {",
    "Throws.ts": "throw new Error('x');",
  };
  test.each([
    ["no handler", { _HANDLER: undefined }, "none is named"],
    ["no such file", { _HANDLER: "Missing.ts" }, "Missing.ts"],
    ["a file that is no stream", { _HANDLER: "Broken.ts" }, "Broken.ts"],
    ["a file that is no TypeScript", { _HANDLER: "Syntax.ts" }, "Syntax.ts"],
    ["a file that throws", { _HANDLER: "Throws.ts" }, "Throws.ts"],
    ["no output", { DERIVE_OUTPUT: undefined }, "DERIVE_OUTPUT"],
    ["no metadata", { DERIVE_CONFIG: undefined }, "DERIVE_METADATA"],
    ["a wrong setting", { DERIVE_CODEC: "rar" }, "DERIVE_CODEC"],
    ["a filter that fits no dimension", { DERIVE_ONLY: "nothing=1" }, "nothing"],
    [
      "a quarantine below the trigger",
      { DERIVE_QUARANTINE: "s3://raw-bucket/telemetry-2/out", DERIVE_INPUT: undefined },
      "again",
    ],
    [
      "output below the trigger",
      { DERIVE_OUTPUT: "s3://raw-bucket/telemetry-2/out", DERIVE_INPUT: undefined },
      "again",
    ],
  ])("%s: told to the Runtime API, and the program ends", async (_, env, told) => {
    for (const [name, text] of Object.entries(brokenStreams)) folder.write(`task/${name}`, text);
    const ran = await folder.serve([{ event: {} }], { env });
    expectManners(ran);
    expect(ran.emulator.firstNext).toBeUndefined();
    expect(ran.emulator.initError).toMatchObject({
      errorType: "Runtime.UsageError",
      body: { errorMessage: expect.stringContaining(told) },
    });
    expect(ran.exit).toBe(2);
    expect(ran.stderr).toContain(told);
  });

  test("output below the place that stands in for the bucket", async () => {
    const ran = await folder.serve([], { env: { DERIVE_OUTPUT: join(folder.path, "raw/telemetry-2/out") } });
    expect(ran.emulator.initError?.body.errorMessage).toContain("wake the function again");
  });

  test("output in the bucket of an event that no metadata named", async () => {
    folder.write(
      "derive-lambda.toml",
      '[sources.telemetry]\nprefix = "telemetry-2"\ndimensions = ["submissionDate", "docType"]\n',
    );
    const env = { DERIVE_INPUT: undefined, DERIVE_OUTPUT: "s3://raw-bucket/telemetry-2/" };
    const ran = await folder.serve([{ event: s3Event([keyOf("a")]) }], { env });
    expectManners(ran);
    expect(ran.emulator.ended[0]).toMatchObject({ kind: "error", errorType: "Function.UsageError" });
    expect(ran.emulator.ended[0]!.body).toMatchObject({
      errorMessage: expect.stringContaining("wake the function again"),
    });
  });

  test("the stream: an argument, else DERIVE_STREAM, else the handler; a derive.toml that lies around is not read", async () => {
    folder.write("task/streams/Other.ts", await Bun.file(join(folder.path, "task/MyStream.ts")).text());
    folder.write("task/derive.toml", 'codec = "snappy"\n');
    const plan = [{ event: s3Event([folder.lay("a", 1)]) }];
    const streamOf = ({ log }: Ran) => log.find(({ stream }) => stream)?.stream;
    expect(streamOf(await folder.serve(plan))).toBe("MyStream");
    expect(streamOf(await folder.serve(plan, { env: { DERIVE_STREAM: "Other" } }))).toBe("Other");
    expect(
      streamOf(await folder.serve(plan, { words: ["lambda", "./MyStream.ts"], env: { DERIVE_STREAM: "Other" } })),
    ).toBe("MyStream");
    expect(folder.parts()).toEqual([expect.stringContaining(".zstd.")]);
  });

  test("outside Lambda it says so", async () => {
    const ran = await folder.serve([], { words: ["lambda"], env: { AWS_LAMBDA_RUNTIME_API: undefined } });
    expect(ran.exit).toBe(2);
    expect(ran.stderr).toContain("derive invoke");
  });
});

test("P5: ten deliveries of one event at once end in one part, the same as one delivery makes", async () => {
  const event = s3Event([folder.lay("a", 1, 2, 3)]);
  await folder.serve([{ event }]);
  const [name] = folder.parts();
  const path = join(folder.path, PARTITION, name!);
  const bytes = await Bun.file(path).bytes();
  await Bun.file(path).delete();
  const runs = await Promise.all(Array.from({ length: 10 }, () => folder.serve([{ event }])));
  for (const ran of runs) {
    expectManners(ran);
    expect(ran.emulator.ended[0]?.kind).toBe("response");
  }
  expect(folder.leftovers()).toEqual([name!]);
  expect(await Bun.file(path).bytes()).toEqual(bytes);
}, 30_000);

test("next may block for longer than any time-out of a client, and no proxy of the environment is asked", async () => {
  const ran = await waiting.ran!;
  expectManners(ran);
  expect(ran.emulator.ended).toMatchObject([{ kind: "response", body: { results: [{ state: "written" }] } }]);
}, 30_000);
