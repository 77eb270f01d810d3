// Partitions made by hand for the tests of `derive verify`: real Parquet, and a manifest that this file, not the program,
// puts together.
import { createAppender } from "../../src/avro/appender.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { type AvroField, parseSchema } from "../../src/avro/schema.ts";
import { PartAssembler } from "../../src/parquet/file.ts";
import { RowGroupBuilder } from "../../src/parquet/rowgroup.ts";

const FIELDS: AvroField[] = [
  { name: "id", type: "string" },
  { name: "n", type: "int" },
  { name: "note", type: ["null", "string"], default: null },
  { name: "tags", type: { type: "array", items: "string" } },
];

/** A part of the stream Sample, version 1, of row groups with so many rows each. */
export function parquetPart(...groups: readonly number[]): Uint8Array {
  const schema = parseSchema({ type: "record", name: "Sample", fields: FIELDS });
  const columns = toParquetSchema(schema);
  const part = new PartAssembler(columns, [
    { key: "derive.stream", value: "Sample" },
    { key: "derive.stream.version", value: "1" },
  ]);
  const pieces = [part.header()];
  for (const rows of groups) {
    const group = new RowGroupBuilder(columns, { codec: "zstd" });
    const appender = createAppender(schema, group);
    for (let n = 0; n < rows; n++) {
      appender.append({ id: `row ${n}`, n, note: n % 3 === 0 ? null : `note ${n % 5}`, tags: ["a", "b"].slice(n % 3) });
    }
    pieces.push(part.place(group.finish()));
  }
  return new Uint8Array(Buffer.concat([...pieces, part.finish()])); // no Buffer: its slices are no copies
}

export interface PartOfTest {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** A manifest as formats.md describes it, as plain data that tests may spoil: one generation for each list of parts. */
export function manifestOf(...generations: readonly (readonly PartOfTest[])[]) {
  return {
    format: 1,
    stream: "Sample",
    streamVersion: 1,
    fingerprint: "f".repeat(64),
    generations: generations.map((parts, generation) => {
      const rows = parts.reduce((sum, part) => sum + part.rows, 0);
      return {
        generation,
        fingerprint: "f".repeat(64),
        inputs: [
          { key: `raw/${generation}/a`, size: 60, etag: "xxh3:1", rows },
          { key: `raw/${generation}/b`, size: 40, etag: "xxh3:2", rows: 0 },
        ],
        parts: parts.map(({ bytes, rows }, index) => ({
          key: partKey(generation, index),
          rows,
          bytes: bytes.length,
          crc32: Bun.hash.crc32(bytes).toString(16).padStart(8, "0"),
          sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
        })),
        counts: {
          objects: 2,
          storedBytes: 100,
          bytes: 1000,
          bytesInFrames: 989,
          bytesDamaged: 10,
          bytesBlank: 1,
          frames: rows + 6,
          undecodable: 1,
          signed: 0,
          decoded: rows + 5,
          written: rows,
          filtered: 3,
          failed: 2,
          damagedRanges: 1,
          invalidUtf8: 0,
        },
      };
    }),
  };
}

export function partKey(generation: number, index: number): string {
  return `part-${generation}-${String(index).padStart(5, "0")}.zstd.parquet`;
}

/** The objects of one committed partition, by their keys below `prefix` ("" or ending in "/"). */
export function committed(
  prefix: string,
  ...generations: readonly (readonly PartOfTest[])[]
): Record<string, Uint8Array | string> {
  const objects: Record<string, Uint8Array | string> = {};
  generations.forEach((parts, generation) => {
    parts.forEach(({ bytes }, index) => {
      objects[prefix + partKey(generation, index)] = bytes;
    });
  });
  objects[`${prefix}_SUCCESS`] = JSON.stringify(manifestOf(...generations));
  return objects;
}
