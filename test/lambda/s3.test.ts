// The function on S3: buckets are the events' own, what S3 refuses is told, and a store that hangs does not cost the deadline.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Double, type Operation, startDouble } from "../s3/double.ts";
import { keyOf, LambdaFolder, type Ran, s3Event, sqsEvent } from "./function.ts";

const SECRET = "marked0secret";
const OTHER = "another-bucket";

let folder: LambdaFolder;
let double: Double;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  folder = new LambdaFolder();
  double = await startDouble();
  double.store.buckets.set(OTHER, new Map());
  double.store.buckets.set("meta", new Map());
  double.store.place(
    "meta",
    "m/sources.json",
    '{"telemetry": {"prefix": "telemetry-2", "metadata_prefix": "t", "bucket": "raw-bucket"}}',
  );
  double.store.place(
    "meta",
    "m/t/schema.json",
    '{"version": 1, "dimensions": [{"field_name": "submissionDate", "allowed_values": "*"}, {"field_name": "docType", "allowed_values": "*"}]}',
  );
  for (const name of ["a b+c%2Bé", "b"]) {
    const key = folder.lay(name, 1, 2, 3);
    double.store.place(OTHER, key, readFileSync(join(folder.path, "raw", key)));
  }
  env = {
    AWS_ACCESS_KEY_ID: `AKIA${SECRET}`,
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_REGION: "us-west-2",
    DERIVE_ENDPOINT_URL: double.endpoint,
    DERIVE_CONFIG: undefined,
    DERIVE_INPUT: undefined,
    DERIVE_METADATA: "s3://meta/m",
    DERIVE_OUTPUT: "s3://bucket/out",
  };
});
afterAll(() => {
  double.stop();
  folder.remove();
});
beforeEach(() => {
  double.fault = () => undefined;
  double.asked.length = 0;
  double.store.bucket("bucket").clear();
});

const eventOf = (name: string) => JSON.parse(JSON.stringify(s3Event([keyOf(name)])).replaceAll("raw-bucket", OTHER));
const parts = () => [...double.store.bucket("bucket").keys()].filter((key) => key.endsWith(".parquet"));
const failing = (wanted: Operation, status: number, code: string) => {
  double.fault = ({ operation, bucket }) => (operation === wanted && bucket !== "meta" ? { status, code } : undefined);
};

function expectManners({ emulator, stdout, stderr }: Ran): void {
  expect(emulator.breaches).toEqual([]);
  expect(stdout + stderr).not.toContain(SECRET);
}

test("the bucket is the event's own; metadata is read once", async () => {
  const event = eventOf("a b+c%2Bé");
  const ran = await folder.serve([{ event }, { event }, { event: eventOf("b") }], { env });
  expectManners(ran);
  const states = ran.emulator.ended.map(({ body }) => (body as { results: { state: string }[] }).results[0]?.state);
  expect(states).toEqual(["written", "unchanged", "written"]);
  expect(parts()).toHaveLength(2);
  for (const key of parts())
    expect(key).toMatch(/^out\/my_stream\/v1\/submission_date_s3=20151028\/event-[0-9a-f]{16}\.zstd\.parquet$/);
  expect(double.asked.filter(({ bucket }) => bucket === "meta").map(({ key }) => key)).toEqual([
    "m/sources.json",
    "m/t/schema.json",
  ]);
});

test("P5: ten deliveries at once, every second answer of a put lost: one part", async () => {
  double.fault = ({ operation, number }) => (operation === "PutObject" && number % 2 === 0 ? "lost" : undefined);
  const event = eventOf("b");
  const runs = await Promise.all(Array.from({ length: 10 }, () => folder.serve([{ event }], { env })));
  for (const ran of runs) {
    expectManners(ran);
    expect(ran.emulator.ended[0]?.kind).toBe("response");
  }
  expect(parts()).toHaveLength(1);
}, 30_000);

test("what may go better next time is a temporary failure of Batch Operations, an object that is not there a permanent one", async () => {
  const task = (name: string) => ({
    taskId: name,
    s3Key: keyOf(name),
    s3VersionId: null,
    s3BucketArn: `arn:aws:s3:::${OTHER}`,
  });
  const event = {
    invocationSchemaVersion: "1.0",
    invocationId: "i",
    job: { id: "j" },
    tasks: [task("b"), task("missing")],
  };
  const codes = async () => {
    const ran = await folder.serve([{ event }], { env });
    expectManners(ran);
    const { results } = ran.emulator.ended[0]!.body as { results: { resultCode: string; resultString: string }[] };
    for (const { resultString } of results) expect(resultString.length).toBeLessThanOrEqual(1000);
    return results.map(({ resultCode }) => resultCode);
  };
  expect(await codes()).toEqual(["Succeeded", "PermanentFailure"]);
  failing("GetObject", 403, "AccessDenied");
  expect(await codes()).toEqual(["TemporaryFailure", "PermanentFailure"]);
  double.store.bucket("bucket").clear();
  failing("PutObject", 403, "AccessDenied");
  expect(await codes()).toEqual(["TemporaryFailure", "PermanentFailure"]);
  expect(parts()).toEqual([]);
});

test("a store that hangs: the deadline is kept, and what was done before it counts", async () => {
  double.fault = ({ operation, key }) => (operation === "GetObject" && key === keyOf("b") ? "hang" : undefined);
  const event = sqsEvent([eventOf("a b+c%2Bé"), eventOf("b")]);
  const plan = [{ event, timeoutMs: 2000 }, { event: eventOf("a b+c%2Bé") }];
  const ran = await folder.serve(plan, { env: { ...env, DERIVE_WORKERS: "2" } }); // one hangs, one goes on
  expectManners(ran);
  const [batch, after] = ran.emulator.ended;
  expect(batch).toMatchObject({ body: { batchItemFailures: [{ itemIdentifier: "message-1" }] } });
  expect(batch!.ms).toBeLessThan(2000);
  expect(after).toMatchObject({ kind: "response", body: { results: [{ state: "unchanged" }] } });
  expect(parts()).toHaveLength(1);
});

test("metadata that cannot be read is an error of init", async () => {
  double.fault = ({ bucket }) => (bucket === "meta" ? { status: 403, code: "AccessDenied" } : undefined);
  const ran = await folder.serve([], { env });
  expectManners(ran);
  expect(ran.emulator.initError).toMatchObject({ errorType: "Runtime.InputError" });
  expect(ran.exit).toBe(4);
});
