// --quarantine in the built binary: whatever became no row through a fault is kept byte for byte, and can be read again.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { builtBinary } from "../../scripts/built.ts";
import { READERS } from "../parquet/readers.ts";
import { type Double, startDouble } from "../s3/double.ts";
import { derive } from "./derive.ts";
import { pingFrame, UNDECODABLE, writeObject, writeStreams } from "./faulty-days.ts";

let folder = "";
let double: Double;
const DAY = "20151028";
const PARTITION = `hours/v1/submission_date_s3=${DAY}`;
/** The rows that Hours does not get, by clientId. */
const missing: string[] = [];

beforeAll(async () => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-quarantine-"));
  double = await startDouble({});
  writeStreams(folder);
  for (const [index, name] of ["a", "b", "c"].entries()) {
    const pieces: Uint8Array[] = [];
    for (let number = 0; number < 400; number++) {
      const id = `${name}${number}`;
      const fails = number % 23 === index;
      if (fails) missing.push(id);
      // Of all sizes, so that frames and damage lie across chunks.
      pieces.push(
        pingFrame(id + "-".repeat((number * 37) % 900), fails ? `about ${number}` : number, number % 2 === 0),
      );
      if (number % 50 === 7) pieces.push(UNDECODABLE);
      if (number % 40 === 9) pieces.push(Buffer.from(`\x01noise ${id}`.repeat(1 + ((number * 7919) % 40_000))));
      if (number % 100 === 3) pieces.push(Buffer.from(" \n"));
    }
    writeObject(folder, DAY, name, Buffer.concat(pieces), name === "b");
  }
});
afterAll(() => {
  double.stop();
  rmSync(folder, { recursive: true, force: true });
});

const batch = (out: string, ...more: string[]) =>
  derive(["batch", "Hours", "--from", DAY, "-o", out, "--json", ...more], folder);

interface Line {
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  readonly kind: "failed" | "undecodable" | "damaged";
  readonly cause: string;
  readonly path?: string;
  readonly stream: string;
  readonly file: string;
  readonly at: number;
}

function linesOf(path: string): Line[] {
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("P6 P8 all faults are kept, as they lie in the raw objects; the failed messages become the missing rows", async () => {
  const { exit, stdout } = await batch("out", "--quarantine", "kept", "--max-errors", "20%");
  const [partition] = JSON.parse(stdout).partitions;
  expect([exit, partition.state]).toEqual([0, "written"]);
  const place = join(folder, "kept", PARTITION);
  const name = JSON.parse(readFileSync(join(folder, "out", PARTITION, "_SUCCESS"), "utf8")).fingerprint.slice(0, 16);
  const endings = [".damaged.bin", ".heka", ".jsonl", ".undecodable.heka"];
  expect(readdirSync(place).sort()).toEqual(endings.map((ending) => name + ending));
  expect(partition.quarantine).toEqual([`file://${place}/${name}.jsonl`]);

  const lines = linesOf(join(place, `${name}.jsonl`));
  const ofKind = (kind: Line["kind"]) => lines.filter((line) => line.kind === kind);
  expect(ofKind("failed")).toHaveLength(partition.failed);
  expect(ofKind("undecodable")).toHaveLength(partition.undecodable);
  expect(ofKind("damaged")).toHaveLength(partition.damagedRanges);
  expect(ofKind("failed")[0]).toMatchObject({ cause: "hours is not a double", path: "hours", stream: "Hours" });
  expect(ofKind("damaged").reduce((sum, { length }) => sum + length, 0)).toBe(partition.bytesDamaged);
  expect(lines.length).toBeGreaterThan(100); // more than a report has places for
  const raw = new Map<string, Buffer>();
  const kept = new Map(endings.map((ending) => [name + ending, readFileSync(join(place, name + ending))]));
  for (const { object, offset, length, file, at } of lines) {
    const stored = raw.get(object) ?? readFileSync(new URL(object));
    raw.set(object, stored[0] === 0x1f && stored[1] === 0x8b ? gunzipSync(stored) : stored);
    expect(
      Buffer.compare(kept.get(file)!.subarray(at, at + length), raw.get(object)!.subarray(offset, offset + length)),
    ).toBe(0);
  }

  const count = await derive(["cat", "--count", "--json", join(place, `${name}.heka`)], folder);
  expect(JSON.parse(count.stdout)).toMatchObject({
    decoded: missing.length,
    undecodable: 0,
    bytesDamaged: 0,
    bytesBlank: 0,
  });
  expect((await derive(["convert", "Mended", join(place, `${name}.heka`), "-o", "mended.parquet"], folder)).exit).toBe(
    0,
  );
  const rows = await READERS.duckdb!(new Uint8Array(readFileSync(join(folder, "mended.parquet"))));
  expect(rows.map(({ clientId }) => String(clientId).replace(/-*$/, ""))).toEqual(missing);
});

test("P4 the same files over the budget, for any number of workers, and on S3", async () => {
  const place = join(folder, "kept", PARTITION);
  const expected = readdirSync(place).sort();
  const url = double.endpoint;
  const flags = ["--endpoint-url", url, "--quarantine", "s3://bucket/kept"];
  const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", DERIVE_WORKERS: "3" };
  const onS3 = await derive(["batch", "Hours", "--from", DAY, "-o", "over", "--json", ...flags], folder, { env });
  const [partition] = JSON.parse(onS3.stdout).partitions;
  expect([onS3.exit, partition.state, existsSync(join(folder, "over", PARTITION, "_SUCCESS"))]).toEqual([
    3,
    "failed",
    false,
  ]);
  expect(partition.quarantine).toHaveLength(1);
  const bucket = double.store.bucket("bucket");
  expect([...bucket.keys()].sort()).toEqual(expected.map((name) => `kept/${PARTITION}/${name}`));
  for (const name of expected) {
    expect(Buffer.compare(bucket.get(`kept/${PARTITION}/${name}`)!.bytes, readFileSync(join(place, name)))).toBe(0);
  }
  expect([...double.store.uploads]).toEqual([]);
});

test("--strict keeps the first fault; without faults, and without the flag, nothing is kept", async () => {
  const { exit, stdout } = await batch("strict", "--quarantine", "kept-strict", "--strict");
  const [partition] = JSON.parse(stdout).partitions;
  expect(exit).toBe(4);
  const lines = linesOf(new URL(partition.quarantine[0]).pathname);
  expect(lines).toHaveLength(1);
  expect([...partition.damage, ...partition.failedAt]).toEqual([expect.objectContaining({ offset: lines[0]!.offset })]);

  writeFileSync(join(folder, "good.heka"), Buffer.concat([pingFrame("a", 1), pingFrame("b", 2)]));
  expect((await derive(["convert", "Hours", "good.heka", "-o", "good", "--quarantine", "none"], folder)).exit).toBe(0);
  expect(existsSync(join(folder, "none"))).toBe(false);
});

test("the message that a stream did not come to an end with is kept", async () => {
  writeFileSync(
    join(folder, "streams/Loops.ts"),
    `import { defineStream, string } from "derive";
export default defineStream({
  streamName: "telemetry",
  columns: { clientId: string().map((id) => { while (id === "b") {} return id }) },
});
`,
  );
  const frames = ["a", "b", "c"].map((id) => pingFrame(id, 1));
  writeFileSync(join(folder, "loops.heka"), Buffer.concat(frames));
  const words = [
    "convert",
    "Loops",
    "loops.heka",
    "-o",
    "loops",
    "--quarantine",
    "kept-loops",
    "--stream-timeout",
    "1",
  ];
  expect((await derive(words, folder)).exit).toBe(2);
  const place = join(folder, "kept-loops/loops/v1");
  const heka = readdirSync(place).find((name) => name.endsWith(".heka"))!;
  expect(Buffer.compare(readFileSync(join(place, heka)), frames[1]!)).toBe(0);
});

test("a quarantine in the output itself is refused: exit 2", async () => {
  const { exit, stderr } = await derive(
    ["batch", "Hours", "--from", DAY, "-o", "same", "--quarantine", "./same/"],
    folder,
  );
  expect([exit, stderr]).toEqual([2, expect.stringContaining("it is the output as well")]);
});

test("a quarantine that cannot be written fails the partition: exit 6", async () => {
  writeFileSync(join(folder, "file"), "");
  const { exit, stdout } = await batch("unkept", "--quarantine", "file/below", "--max-errors", "20%");
  expect([exit, JSON.parse(stdout).partitions[0].state]).toEqual([6, "failed"]);
  expect(existsSync(join(folder, "unkept", PARTITION, "_SUCCESS"))).toBe(false);
});
