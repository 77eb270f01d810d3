// An object from a folder is read straight into the kernel's window. What comes of it is the same as of small chunks that are
// copied there: in spite of damage, of frames that are too large for the kernel, and of compression.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { defineStream, double, string } from "derive";
import { parseSchema } from "../../src/avro/schema.ts";
import { compressSnappy, encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { BatchReader } from "../../src/kernel/batch.ts";
import { BUILTIN_WORDS } from "../../src/pipeline/causes.ts";
import type { LoadedStream } from "../../src/pipeline/load.ts";
import { runTask } from "../../src/pipeline/task.ts";
import { folderSource } from "../../src/storage/folder.ts";
import { memoryPlace } from "../../src/storage/memory.ts";
import type { Source } from "../../src/storage/ports.ts";

const definition = defineStream({ streamName: "telemetry", columns: { id: string(), hours: double() } });
const literal = definition.schema("Test");
const stream: LoadedStream = { name: "Test", definition, literal, schema: parseSchema(literal), words: BUILTIN_WORDS };

const root = mkdtempSync(join(tmpdir(), "derive-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function frame(number: number, padding: number): Uint8Array {
  const text = (name: string, value: string) => ({ name, type: "string" as const, values: [value] });
  const hours = { name: "hours", type: "double" as const, values: [number / 7] };
  const fields = [text("id", `id ${number}`), text("padding", `${number % 10}`.repeat(padding)), hours];
  const message = encodeMessage({ uuid: new Uint8Array(16), timestamp: BigInt(number), fields });
  return encodeFrame(number % 3 === 0 ? message : compressSnappy(message));
}

/** About 9 MB: frames from 100 bytes to larger than the window, damage of some bytes and of more than a chunk. */
const object = Buffer.concat(
  Array.from({ length: 1200 }, (_, number) => {
    if (number % 400 === 399) return Buffer.alloc(number * 3_000, "no frame ");
    if (number === 600) return frame(600, 2_500_000);
    if (number % 97 === 5) return frame(number, 60_000).subarray(0, 1_000 + number);
    return frame(number, number % 30 === 0 ? 90_000 : 100 + number);
  }),
);

async function run(source: Source, key: string, size: number) {
  const groups: unknown[] = [];
  const books = await runTask(
    { stream: { builtin: "Test" }, place: "test:///", inputs: [{ key, size }], codec: "snappy", strict: false },
    source,
    stream,
    { rowGroup: (group) => groups.push(group), message() {}, progress() {} },
  );
  // Places are named by their URL, and a folder's ETag is a hash.
  const told = JSON.stringify(books).replaceAll(source.urlOf(key), "url").replaceAll(books[0]!.etag, "etag");
  return { groups, told };
}

test.each([
  ["as it is", object],
  ["in gzip", gzipSync(object, { level: 1 })],
  ["in zstd", zstdCompressSync(object)],
  ["in gzip, and then as it is", Buffer.concat([gzipSync(object.subarray(0, 1 << 20)), object.subarray(1 << 20)])],
])("an object of 9 MB %s", async (_, bytes) => {
  writeFileSync(join(root, "x"), bytes);
  const fill = BatchReader.prototype.fill;
  const inPlace = { bytes: 0 };
  BatchReader.prototype.fill = function (this: BatchReader, chunk: Uint8Array) {
    if (chunk.buffer === this.kernel.memory.bytes.buffer) inPlace.bytes += chunk.length;
    return fill.call(this, chunk);
  };
  try {
    const lent = await run(folderSource(root), "x", bytes.length);
    expect(inPlace.bytes > 1 << 20).toBe(bytes === object);
    const copied = await run(memoryPlace({ x: bytes }, 30_011), "x", bytes.length);
    expect(lent).toEqual(copied);
    expect(JSON.parse(lent.told)[0]).toMatchObject({ bytes: object.length, storedBytes: bytes.length });
  } finally {
    BatchReader.prototype.fill = fill;
  }
});
