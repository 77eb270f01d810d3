// Runs the contract of the store ports and one whole batch over a real S3 server, and compares the output with that of
// folders. bun scripts/interop/check.ts <endpoint>; S3_TEST_ACCESS_KEY and S3_TEST_SECRET_KEY where the server checks them.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ConditionFailed } from "../../src/errors.ts";
import { openSink, openSource } from "../../src/storage/place.ts";
import type { Expected, Place } from "../../src/storage/ports.ts";
import { bucketAt, CREDENTIALS } from "../../test/storage/s3-places.ts";
import { builtBinary, root } from "../built.ts";

const [endpointUrl] = process.argv.slice(2);
if (endpointUrl === undefined) throw new Error("Cannot check a server: give its endpoint, as in http://127.0.0.1:9000");

const binary = builtBinary();
const folder = mkdtempSync(join(tmpdir(), "derive-interop-"));
const env = { ...process.env, ...CREDENTIALS, S3_TEST_ENDPOINT: endpointUrl };
Object.assign(process.env, CREDENTIALS);

function run(...command: string[]): void {
  console.error(`$ ${command.join(" ").replaceAll(process.execPath, "bun").replaceAll(binary, "derive")}`);
  const { exitCode } = Bun.spawnSync(command, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  if (exitCode !== 0) throw new Error(`Cannot go on: exit code ${exitCode}`);
}

function filesBelow(path: string, prefix = ""): string[] {
  return readdirSync(join(path, prefix)).flatMap((name) => {
    const key = prefix === "" ? name : `${prefix}/${name}`;
    return statSync(join(path, key)).isDirectory() ? filesBelow(path, key) : [key];
  });
}

/** The keys of Parquet parts, and the SHA-256 of each. */
async function partsBelow(place: Place): Promise<Map<string, string>> {
  const source = openSource(place);
  const parts = new Map<string, string>();
  for await (const { key } of source.list("")) {
    if (!key.endsWith(".parquet")) continue;
    const hash = new Bun.CryptoHasher("sha256");
    for await (const chunk of source.open(key)) hash.update(chunk);
    parts.set(key, hash.digest("hex"));
  }
  return parts;
}

/** Objects in parts, under conditions: too large for the contract, which runs for every place. */
async function checkParts(place: Place): Promise<void> {
  const sink = openSink(place);
  const bytes = new Uint8Array(20 << 20).map((_, i) => (i * 31) ^ (i >> 9));
  const write = async (expected: Expected): Promise<string> => {
    const upload = await sink.create("large.parquet");
    await upload.write(bytes);
    return upload.commit(expected).finally(() => upload.abort());
  };
  const etag = await write("nothing");
  const refused = await write("nothing").catch((error) => error);
  if (!(refused instanceof ConditionFailed)) throw new Error("An object that is there was written over");
  await write({ etag });
  const chunks = await Array.fromAsync(openSource(place).open("large.parquet"), (chunk) => chunk.slice());
  if (Buffer.compare(Buffer.concat(chunks), bytes) !== 0) throw new Error("An object in parts came back as another");
  console.log("20 MiB in parts, under conditions: as written");
}

/** Of more than a task: with a CRC, which ranges are checked against together, and with the MD5 that is its ETag alone. */
async function checkHuge(bucket: string, raw: string): Promise<void> {
  const frames = readFileSync(join(raw, filesBelow(raw).find((key) => key.includes("/main/"))!));
  const bytes = Buffer.alloc(Math.ceil(HUGE_BYTES / frames.length) * frames.length, frames);
  const local = join(folder, "huge");
  mkdirSync(local);
  writeFileSync(join(local, "huge.heka"), bytes);
  const convert = async (from: string, output: string, workers: string): Promise<Map<string, string>> => {
    const errors = ["--max-errors", "100%", "-q"];
    run(
      binary,
      "convert",
      "ExampleStream",
      from,
      "-o",
      output,
      "-j",
      workers,
      "--endpoint-url",
      endpointUrl!,
      ...errors,
    );
    return partsBelow({ url: output });
  };
  const expected = await convert(local, join(folder, "huge-expected"), "2");
  for (const ChecksumAlgorithm of ["CRC32", "CRC64NVME", undefined] as const) {
    const client = new S3Client({
      endpoint: endpointUrl,
      forcePathStyle: true,
      requestChecksumCalculation: "WHEN_REQUIRED",
    });
    const name = ChecksumAlgorithm ?? "MD5";
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: `${name}/huge.heka`, Body: bytes, ChecksumAlgorithm }),
    );
    client.destroy();
    for (const workers of ["1", "2"]) {
      const found = await convert(`s3://${bucket}/${name}/`, join(folder, `huge-${name}-${workers}`), workers);
      if (expected.size === 0 || !Bun.deepEquals(found, expected))
        throw new Error(`The parts of a huge object with ${name} are not those of the folder`);
    }
  }
  console.log(`one object of ${bytes.length} bytes, with each checksum: the same parts from S3 by one and two workers`);
}

/** More than a task. */
const HUGE_BYTES = 200 << 20;

try {
  run(process.execPath, "test", "test/storage/s3.test.ts");

  const raw = join(folder, "raw");
  run(process.execPath, "scripts/sample-day.ts", raw, "--pings", "600");
  const s3 = { endpointUrl };
  const bucket = await bucketAt(endpointUrl);
  await checkHuge(bucket, raw);
  await checkParts({ url: `s3://${bucket}/parts`, s3 });
  const sink = openSink({ url: `s3://${bucket}/raw data`, s3 });
  for (const key of filesBelow(raw)) await sink.put(key, readFileSync(join(raw, key)));

  const output = join(folder, "derived");
  const batch = ["batch", "ExampleStream", "--from", "20151028"];
  run(binary, ...batch, "--metadata", raw, "--input", raw, "--output", output);
  const onS3 = ["--endpoint-url", endpointUrl, "--metadata", sink.url, "--input", sink.url];
  const derived = `s3://${bucket}/derived`;
  run(binary, ...batch, ...onS3, "--output", derived);
  run(binary, ...batch, ...onS3, "--output", derived);

  const expected = await partsBelow({ url: output });
  const found = await partsBelow({ url: derived, s3 });
  if (expected.size === 0 || !Bun.deepEquals(found, expected))
    throw new Error("The parts on S3 are not those of the folder");
  const pending = await openSink({ url: derived, s3 }).abortPending("");
  if (pending > 0) throw new Error(`${pending} uploads were left pending`);
  const conditional = await openSink({ url: derived, s3 }).honoursConditions("");
  console.log(`${expected.size} parts with the same bytes, nothing left behind; conditional writes: ${conditional}`);
} finally {
  rmSync(folder, { recursive: true });
}
