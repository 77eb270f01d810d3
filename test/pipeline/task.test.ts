// One task from raw bytes to row groups: every byte, frame and message is accounted for, whatever the bytes are.
import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { defineStream, double, string } from "derive";
import { parseSchema } from "../../src/avro/schema.ts";
import { InputError } from "../../src/errors.ts";
import { compressSnappy, encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { BUILTIN_WORDS } from "../../src/pipeline/causes.ts";
import type { LoadedStream } from "../../src/pipeline/load.ts";
import { runTask, type TaskSpec } from "../../src/pipeline/task.ts";
import { memoryPlace } from "../../src/storage/memory.ts";
import type { DerivedStream } from "../../src/stream.ts";

function load(definition: DerivedStream): LoadedStream {
  const literal = definition.schema("Test");
  return { name: "Test", definition, literal, schema: parseSchema(literal), words: BUILTIN_WORDS };
}

const stream = load(
  defineStream({
    streamName: "telemetry",
    where: (message) => message.string("docType") !== "skip",
    columns: { id: string().orSkip(), hours: double() },
  }),
);

const ping = (fields: Record<string, string | number>, snappy = false): Uint8Array => {
  const message = encodeMessage({
    uuid: new Uint8Array(16),
    timestamp: 1n,
    fields: Object.entries(fields).map(([name, value]) =>
      typeof value === "string" ? { name, type: "string", values: [value] } : { name, type: "double", values: [value] },
    ),
  });
  return encodeFrame(snappy ? compressSnappy(message) : message);
};

const good = ping({ docType: "main", id: "a", hours: 1.5 });
const snappy = ping({ docType: "main", id: "b".repeat(300), hours: -0 }, true);
const skipped = ping({ docType: "skip" });
const withoutId = ping({ docType: "main", hours: 1 });
const failing = ping({ docType: "main", id: "c", hours: "no number" });
const undecodable = encodeFrame(new Uint8Array([0x0a, 0xff, 0x01]));

async function run(objects: Record<string, Uint8Array>, spec: Partial<TaskSpec> = {}) {
  const place = memoryPlace(objects, 50);
  const inputs = Object.entries(objects).map(([key, bytes]) => ({ key, size: bytes.byteLength }));
  const groups: { rows: number }[] = [];
  const told = { storedBytes: 0, messages: 0, rows: 0 };
  const books = await runTask(
    { stream: { builtin: "Test" }, place: "memory:///", inputs, codec: "zstd", strict: false, ...spec },
    place,
    stream,
    {
      rowGroup: (group) => groups.push(group),
      message: () => {},
      progress: (storedBytes, messages, rows) => {
        told.storedBytes += storedBytes;
        told.messages += messages;
        told.rows += rows;
      },
    },
  );
  return { books, rows: groups.reduce((sum, group) => sum + group.rows, 0), groups, told };
}

test("P7 each byte, frame and message of an object is in one place of its books", async () => {
  const noise = new TextEncoder().encode("no frame at all");
  const bytes = Buffer.concat([good, noise, snappy, Buffer.from("\n\n"), skipped, withoutId, failing, undecodable]);
  const { books, rows, told } = await run({ o: bytes });
  expect(rows).toBe(2);
  expect(books).toHaveLength(1);
  expect(books[0]).toMatchObject({
    objects: 1,
    storedBytes: bytes.length,
    bytes: bytes.length,
    bytesInFrames: bytes.length - noise.length - 2,
    bytesDamaged: noise.length,
    bytesBlank: 2,
    frames: 6,
    undecodable: 1,
    decoded: 5,
    written: 2,
    filtered: 2,
    failed: 1,
    damagedRanges: 1,
    filteredBy: { where: 1, "id missing": 1 },
    failures: { "hours is not a double": 1 },
    key: "o",
    size: bytes.length,
  });
  expect(books[0]!.etag).not.toBe("");
  expect(books[0]!.damage.map(({ object, offset, bytes }) => [object, offset, bytes])).toEqual([
    ["memory:///o", good.length, noise.length],
    ["memory:///o", bytes.length - undecodable.length, undecodable.length],
  ]);
  expect(books[0]!.failedAt).toEqual([
    {
      object: "memory:///o",
      offset: bytes.length - undecodable.length - failing.length,
      bytes: failing.length,
      cause: "hours is not a double",
    },
  ]);
  expect(told).toEqual({ storedBytes: bytes.length, messages: 5, rows: 2 });
});

test("storedBytes are those before decompression, bytes those after", async () => {
  const raw = Buffer.concat([good, good, good]);
  const stored = Buffer.concat([gzipSync(raw.subarray(0, 100)), gzipSync(raw.subarray(100))]);
  const { books } = await run({ a: stored, b: raw });
  expect(books.map(({ storedBytes, bytes, written }) => [storedBytes, bytes, written])).toEqual([
    [stored.length, raw.length, 3],
    [raw.length, raw.length, 3],
  ]);
});

describe("an object that cannot be trusted fails the task, with its URL", () => {
  test("P11 gzip cut short", async () => {
    const stored = gzipSync(Buffer.concat([good, good]));
    await expect(run({ o: stored.subarray(0, stored.length - 5) })).rejects.toThrow(InputError);
    await expect(run({ o: stored.subarray(0, stored.length - 5) })).rejects.toThrow(/memory:\/\/\/o at offset \d+/);
  });

  test("another size than was listed", async () => {
    const inputs = [{ key: "o", size: good.length + 1 }];
    await expect(run({ o: good }, { inputs })).rejects.toThrow(/o: \d+ bytes were listed and \d+ read/);
  });

  test("missing", async () => {
    await expect(run({}, { inputs: [{ key: "gone", size: 1 }] })).rejects.toThrow(InputError);
  });

  test.each([
    ["damage", Buffer.concat([good, Buffer.from("x"), good])],
    ["an undecodable frame", Buffer.concat([good, undecodable])],
    ["a failing record", Buffer.concat([good, failing])],
  ])("P8 under --strict, %s", async (_what, bytes) => {
    await expect(run({ o: bytes }, { strict: true })).rejects.toThrow(/memory:\/\/\/o under --strict: offset \d+/);
    expect((await run({ o: Buffer.concat([good, skipped]) }, { strict: true })).rows).toBe(1);
  });
});

test("enough is enough: reading stops between chunks, rows are kept", async () => {
  const many = Buffer.concat(Array.from({ length: 1000 }, () => good));
  const { books, rows } = await run({ a: many, b: many }, { enough: { rows: 5, messages: 20 } });
  expect(books).toHaveLength(1);
  expect(rows).toBeGreaterThanOrEqual(20);
  expect(rows).toBeLessThan(40);
});

test("an object without messages gives no row group", async () => {
  const { books, groups } = await run({ empty: new Uint8Array(0), blank: Buffer.from(" \n") });
  expect(groups).toEqual([]);
  expect(books.map(({ bytes, bytesBlank, frames }) => [bytes, bytesBlank, frames])).toEqual([
    [0, 0, 0],
    [2, 2, 0],
  ]);
});
