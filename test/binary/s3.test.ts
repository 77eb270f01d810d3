// The main job through the built binary on S3: the bytes are those of a run on folders, also where requests fail, and no
// secret is told. The server is the double, in this process.
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Crc32c, Crc64NvmeJs } from "@aws-sdk/checksums/crc";
import { builtBinary } from "../../scripts/built.ts";
import { writeSampleDay } from "../../scripts/sample-day.ts";
import { framePing } from "../../src/heka/ping.ts";
import { openSource } from "../../src/storage/place.ts";
import { type Double, type Fault, startDouble } from "../s3/double.ts";
import { derive } from "./derive.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

const PART = "example_stream/v1/submission_date_s3=20151028/part-0-00000.zstd.parquet";
const MARK = "marked0secret";
const env = { AWS_ACCESS_KEY_ID: `AKIA${MARK}`, AWS_SECRET_ACCESS_KEY: MARK, AWS_SESSION_TOKEN: `token${MARK}` };

let folder = "";
let double: Double;
let expected: Uint8Array;

beforeAll(async () => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-s3-"));
  const raw = join(folder, "raw");
  writeSampleDay(raw, { pings: 120, seed: 3 });
  double = await startDouble({ pageSize: 7 });
  for await (const { key } of openSource(raw).list("")) {
    double.store.place("bucket", `raw data/é+%/${key}`, readFileSync(join(raw, key)));
  }
  const places = ["--metadata", "raw", "--input", "raw", "-o", "derived"];
  expect((await derive(["batch", "ExampleStream", "--from", "20151028", ...places], folder)).exit).toBe(0);
  expected = readFileSync(join(folder, "derived", PART));
  const one = `place = "s3://bucket/raw data/é+%"\nendpoint-url = "${double.endpoint}"\n`;
  const output = `place = "s3://bucket/derived"\nendpoint-url = "${double.endpoint}"\n`;
  writeFileSync(join(folder, "derive.toml"), `[metadata]\n${one}[input]\n${one}[output]\n${output}`);
});
afterAll(() => {
  double.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  double.fault = () => undefined;
  double.asked.length = 0;
  const bucket = double.store.bucket("bucket");
  for (const key of [...bucket.keys()]) if (key.startsWith("derived/")) bucket.delete(key);
});

const batch = (...more: string[]) =>
  derive(["batch", "ExampleStream", "--from", "20151028", "--json", ...more], folder, { env });
const partOnS3 = () => double.store.bucket("bucket").get(`derived/${PART}`)?.bytes;

test("P4 the part has the bytes of a run on folders; again: unchanged", async () => {
  const { exit, stderr } = await batch();
  expect([exit, stderr.includes("written")]).toEqual([0, true]);
  expect(Buffer.compare(partOnS3()!, expected)).toBe(0);
  expect((await batch()).stderr).toContain("unchanged");
  expect([...double.store.uploads]).toEqual([]);
});

test("P12 every second request fails, one way after the other: the same bytes, and no secret in what is told", async () => {
  const faults: Fault[] = [{ status: 503, code: "SlowDown" }, "reset", { status: 500, code: MARK }, "lost"];
  // Of one object: several are asked for at once, and one could always be the second.
  const times = new Map<string, number>();
  double.fault = ({ number, operation, key }) => {
    const time = (times.get(`${operation} ${key}`) ?? 0) + 1;
    times.set(`${operation} ${key}`, time);
    if (time % 2 === 0) return undefined;
    if (operation === "GetObject") return (["truncated", "corrupted", "reset"] as const)[number % 3];
    return faults[(number >> 1) % faults.length];
  };
  const { exit, stdout, stderr } = await batch("--verbose");
  expect([exit, stderr]).toEqual([0, expect.any(String)]);
  expect(Buffer.compare(partOnS3()!, expected)).toBe(0);
  expect(stdout + stderr).not.toContain(MARK);
});

test("P12 variables of Bun's own fetch neither tell of requests nor turn them elsewhere", async () => {
  const nowhere = "http://127.0.0.1:9";
  const variables = { BUN_CONFIG_VERBOSE_FETCH: "curl", HTTP_PROXY: nowhere, http_proxy: nowhere, ALL_PROXY: nowhere };
  const words = ["batch", "ExampleStream", "--from", "20151028", "--json"];
  const { exit, stdout, stderr } = await derive(words, folder, { env: { ...env, ...variables } });
  expect([exit, stderr]).toEqual([0, expect.any(String)]);
  expect(Buffer.compare(partOnS3()!, expected)).toBe(0);
  expect(stdout + stderr).not.toContain(MARK);
  expect((stdout + stderr).toLowerCase()).not.toContain("authorization");
});

test("P12 a store that refuses: exit 6 or 4, what it takes is told, and no secret", async () => {
  for (const [operation, state, exit] of [
    ["PutObject", "access is denied. It takes the permission s3:PutObject", 6],
    ["GetObject", "access is denied. It takes the permission s3:GetObject", 4],
    ["ListObjectsV2", "access is denied. It takes the permission s3:ListBucket", 4],
  ] as const) {
    double.fault = (asked) => (asked.operation === operation ? { status: 403, code: "AccessDenied" } : undefined);
    const ended = await batch();
    expect([operation, ended.exit]).toEqual([operation, exit]);
    expect(ended.stderr).toContain(state);
    expect(ended.stdout + ended.stderr).not.toContain(MARK);
  }
});

test("P11 a larger object that is damaged on its way is read once more: the same bytes, or exit 4", async () => {
  const frames = Array.from({ length: 50 }, (_, i) =>
    framePing({ id: `${i}`, text: "x".repeat(100_000) }, {}, "landfill"),
  );
  const content = Buffer.concat(frames);
  const crc64 = new Crc64NvmeJs();
  crc64.update(content);
  const crc32c = new Crc32c();
  crc32c.update(content);
  writeFileSync(
    join(folder, "L.ts"),
    `import { defineStream, string } from "derive";
    export default defineStream({ streamName: "telemetry", columns: { id: string("id") } });`,
  );
  const convert = (output: string, engine: Record<string, string>) =>
    derive(["convert", "./L.ts", "s3://bucket/large", "-o", output, "--endpoint-url", double.endpoint], folder, {
      env: { ...env, ...engine },
    });
  const part = "l/v1/part-0-00000.zstd.parquet";
  const bytes = (output: string) => readFileSync(join(folder, output, part));
  const withCrc64 = { "x-amz-checksum-crc64nvme": Buffer.from(await crc64.digest()).toString("base64") };
  const withCrc32c = { "x-amz-checksum-crc32c": Buffer.from(await crc32c.digest()).toString("base64") };
  // Where the engine has none, the SDK's own CRCs are computed.
  const withoutVectors = { BUN_JSC_useWasmSIMD: "0" };
  for (const [i, [name, headers, engine]] of (
    [
      ["MD5", {}, {}],
      ["CRC64NVME", withCrc64, {}],
      ["CRC64NVME", withCrc64, withoutVectors],
      ["CRC32C", withCrc32c, {}],
      ["CRC32C", withCrc32c, withoutVectors],
    ] as const
  ).entries()) {
    double.store.place("bucket", "large/a", content, headers);
    double.fault = () => undefined;
    expect((await convert(`undisturbed-${i}`, engine)).exit).toBe(0);
    let damaged = 0;
    double.fault = ({ operation }) => (operation === "GetObject" && damaged++ === 0 ? "corrupted" : undefined);
    const ended = await convert(`disturbed-${i}`, engine);
    expect([ended.exit, damaged]).toEqual([0, 2]);
    expect(Buffer.compare(bytes(`disturbed-${i}`), bytes(`undisturbed-${i}`))).toBe(0);
    double.fault = ({ operation }) => (operation === "GetObject" ? "corrupted" : undefined);
    const failed = await convert("never", engine);
    expect([failed.exit, existsSync(join(folder, "never"))]).toEqual([4, false]);
    expect(failed.stderr).toContain(`s3://bucket/large/a: its bytes do not match its ${name} checksum`);
  }
});
