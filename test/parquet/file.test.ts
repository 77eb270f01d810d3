// The file as a whole: the same bytes for the same rows (P4), sums that find damage (P10), dictionaries, sizes, pages.

import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { parquetHeader } from "hyparquet/src/column.js";
import { createAppender } from "../../src/avro/appender.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { parseSchema } from "../../src/avro/schema.ts";
import { FormatError } from "../../src/errors.ts";
import { CODECS } from "../../src/parquet/codec.ts";
import { OUTPUT_FORMAT } from "../../src/parquet/file.ts";
import { checkPart, readFooter } from "../../src/parquet/read.ts";
import { type Codec, RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { recordOf, writePart } from "./write.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

const TABLE = {
  type: "record",
  name: "Table",
  fields: [
    { name: "id", type: "string" },
    { name: "unique", type: "string" },
    { name: "when", type: { type: "long", logicalType: "timestamp-micros" } },
    { name: "hours", type: "double" },
    { name: "count", type: ["null", "int"] },
    { name: "flag", type: "boolean" },
    { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } },
    { name: "searches", type: { type: "map", values: "long" } },
    {
      name: "addons",
      type: {
        type: "array",
        items: { type: "record", name: "Addon", fields: [{ name: "id", type: ["null", "string"] }] },
      },
    },
  ],
};

function* table(rows: number) {
  for (let i = 0; i < rows; i++) {
    yield {
      id: `client ${(i * 31) % 500}`,
      unique: `${Math.imul(i, 0x9e3779b1) >>> 0}`,
      when: BigInt(i) * 1_234_567n,
      hours: i % 10 === 0 ? NaN : i / 3,
      count: i % 7 === 0 ? null : i % 100,
      flag: i % 3 === 0,
      price: BigInt(i % 1000),
      searches: i % 2 === 0 ? {} : { google: i, näh: 1 },
      addons: Array.from({ length: i % 3 }, (_, k) => ({ id: k === 1 ? null : `addon ${i % 11}` })),
    };
  }
}

/*
 * The golden bytes of OUTPUT_FORMAT 4. When a change makes these fail on purpose, raise OUTPUT_FORMAT in
 * src/parquet/file.ts by one and put the new sums here: the integer is part of the fingerprint of every committed day,
 * so days written before are then known to be of another format.
 */
const GOLDEN: { readonly [codec in Codec]: string } = {
  zstd: "9350fb062264f0bfb862897e9ef6879261a3cc38be779451add5ed201de3f4aa",
  snappy: "951cb8db026996fba8ba12a648836b1985edc11d2780247451e94cc663132a02",
  gzip: "b5db3b8b89bff70237054871e698058ab86744287c5e73a8a275d87fba793b3b",
  none: "be8ec1589b7c4617ec98336e4f5fceffc96a847a384802c472aa921fbf6bb461",
};

test.each(Object.entries(GOLDEN))("P4: the bytes of output format 4 stay what they are with %s", (codec, sum) => {
  expect(OUTPUT_FORMAT).toBe(4);
  const file = writePart(TABLE, table(5_000), { codec: codec as Codec, groupRows: 3_000 });
  expect(new Bun.CryptoHasher("sha256").update(file).digest("hex")).toBe(sum);
});

test.each(Object.keys(CODECS) as Codec[])(
  "P4: what a worker wrote before does not show in the bytes with %s",
  (codec) => {
    const schema = parseSchema(TABLE);
    const used = new RowGroupBuilder(toParquetSchema(schema), { codec });
    const appender = createAppender(schema, used);
    for (let group = 0; group < 30; group++) {
      for (const record of table(20 + 37 * group)) appender.append({ ...record, unique: `${group} ${record.unique}` });
      used.finish();
    }
    const fresh = new RowGroupBuilder(toParquetSchema(schema), { codec });
    const first = createAppender(schema, fresh);
    for (const record of table(3_000)) {
      appender.append(record);
      first.append(record);
    }
    expect(used.finish()).toEqual(fresh.finish());
  },
);

/** [start, end) of every page's bytes behind its header. */
async function pageBodies(file: Uint8Array<ArrayBuffer>): Promise<[start: number, end: number][]> {
  const bodies: [number, number][] = [];
  for (const { columns } of (await readFooter(file.buffer)).row_groups) {
    for (const { meta_data } of columns) {
      const start = Number(meta_data!.dictionary_page_offset ?? meta_data!.data_page_offset);
      const reader = { view: new DataView(file.buffer), offset: start };
      while (reader.offset < start + Number(meta_data!.total_compressed_size)) {
        const { compressed_page_size } = parquetHeader(reader);
        bodies.push([reader.offset, reader.offset + compressed_page_size]);
        reader.offset += compressed_page_size;
      }
    }
  }
  return bodies;
}

test("P10: no flipped byte in a page goes by unseen", async () => {
  const file = writePart(TABLE, table(400), { groupRows: 250 });
  expect(await checkPart(file.buffer)).toEqual({ rows: 400, rowGroups: 2 });
  for (const [start, end] of await pageBodies(file)) {
    for (const at of [start, (start + end) >> 1, end - 1]) {
      const damaged = file.slice();
      damaged[at]! ^= 1 << (at % 8);
      await expect(checkPart(damaged.buffer)).rejects.toThrow("a page fails its checksum");
    }
  }
});

test("damage anywhere is a FormatError or nothing at all", async () => {
  const file = writePart(TABLE, table(100), { groupRows: 60 });
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const damaged = file.slice();
      damaged[at]! ^= mask;
      await checkPart(damaged.buffer).catch((error) => expect(error).toBeInstanceOf(FormatError));
    }),
    { numRuns: 2_000 },
  );
});

test("P10: no shortened file passes", async () => {
  const file = writePart(TABLE, table(50));
  for (let length = 0; length < file.length; length += 7) {
    await expect(checkPart(file.slice(0, length).buffer)).rejects.toBeInstanceOf(FormatError);
  }
});

async function column(type: unknown, values: unknown[], codec?: Codec) {
  const file = writePart(
    recordOf(type),
    values.map((x) => ({ x })),
    codec === undefined ? {} : { codec },
  );
  return (await readFooter(file.buffer)).row_groups[0]!.columns[0]!.meta_data!;
}

const isDictionary = (meta: { encodings: string[] }) => meta.encodings.includes("RLE_DICTIONARY");

test("dictionaries are for values that come back, however many and however late", async () => {
  const uuid = (i: number) => new Bun.CryptoHasher("md5").update(String(i)).digest("hex");
  const rows = Array.from({ length: 60_000 }, (_, i) => i);
  expect(
    isDictionary(
      await column(
        "string",
        rows.map((i) => uuid(i % 20_000)),
      ),
    ),
  ).toBe(true);
  expect(isDictionary(await column("string", rows.map(uuid)))).toBe(false);
  expect(
    isDictionary(
      await column(
        "double",
        rows.map((i) => 16_000 + (i % 700)),
      ),
    ),
  ).toBe(true);
  expect(
    isDictionary(
      await column(
        "double",
        rows.map((i) => i / 7),
      ),
    ),
  ).toBe(false);
  expect(
    isDictionary(
      await column(
        "boolean",
        rows.map((i) => i % 2 === 0),
      ),
    ),
  ).toBe(false);
  expect(
    isDictionary(
      await column(
        "bytes",
        rows.map((i) => Buffer.from(uuid(i % 9))),
      ),
    ),
  ).toBe(true);
});

test("a dictionary too large for readers is given up, and nothing is lost", async () => {
  const values = Array.from({ length: 400 }, (_, i) => String(i % 230).padStart(40_000, "-"));
  const meta = await column("string", values, "none");
  expect(isDictionary(meta)).toBe(false);
  expect(Number(meta.total_uncompressed_size)).toBeGreaterThan(400 * 40_000);
});

test("what does not shrink by a tenth is stored as it is", async () => {
  const noise = Array.from({ length: 2_000 }, (_, i) => Bun.hash.xxHash32(String(i)) | 0);
  expect((await column("int", noise)).codec).toBe("UNCOMPRESSED");
  expect(
    (
      await column(
        "int",
        noise.map((_, i) => i),
      )
    ).codec,
  ).toBe("ZSTD");
});

test("sizes and counts in the footer are those of the bytes", async () => {
  const footer = await readFooter(writePart(TABLE, table(3_000), { groupRows: 2_000 }).buffer);
  let offset = 4n;
  for (const group of footer.row_groups) {
    expect(group.file_offset).toBe(offset);
    const sizes = group.columns.map((each) => each.meta_data!);
    expect(group.total_compressed_size).toBe(sizes.reduce((sum, each) => sum + each.total_compressed_size, 0n));
    expect(group.total_byte_size).toBe(sizes.reduce((sum, each) => sum + each.total_uncompressed_size, 0n));
    for (const each of sizes) {
      const pages = each.encoding_stats!.map((stats) => stats.page_type);
      expect(pages).toEqual(isDictionary(each) ? ["DICTIONARY_PAGE", "DATA_PAGE"] : ["DATA_PAGE"]);
      expect(each.dictionary_page_offset ?? each.data_page_offset).toBe(offset);
      offset += each.total_compressed_size;
    }
  }
  expect(footer.num_rows).toBe(3_000n);
});
