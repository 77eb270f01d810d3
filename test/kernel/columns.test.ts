// The kernel's columns are the twins of parquet/column.ts: from the same values the same bytes, statistics and sizes.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { createAppender } from "../../src/avro/appender.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { compileConversion } from "../../src/avro/convert.ts";
import { parseSchema, type Schema } from "../../src/avro/schema.ts";
import { KernelColumn, KernelColumns } from "../../src/kernel/columns.ts";
import { createKernel } from "../../src/kernel/instance.ts";
import { kernelModule } from "../../src/kernel/module.ts";
import { RowAppender } from "../../src/kernel/rows.ts";
import { type Codec, type EncodedRowGroup, RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { TestBatch } from "./batch.ts";

const kernel = createKernel((await kernelModule())!);

const DECIMAL = { type: "bytes", logicalType: "decimal", precision: 20, scale: 2 };

/** The kernel keeps all of these but the last. */
const TYPES = {
  string: "string",
  bytes: "bytes",
  boolean: "boolean",
  int: "int",
  long: "long",
  double: "double",
  float: "float",
  timestamp: { type: "long", logicalType: "timestamp-micros" },
  date: { type: "int", logicalType: "date" },
  decimal: DECIMAL,
} as const;
type TypeName = keyof typeof TYPES;

interface Field {
  readonly name: string;
  readonly type: unknown;
}

/** Writes the rows into columns outside the kernel and into its own, one by one, then into its own by batches. */
function expectSame(fields: readonly Field[], rows: readonly object[], codec: Codec = "none"): EncodedRowGroup[] {
  const schema = parseSchema({ type: "record", name: "Row", fields });
  const parquet = toParquetSchema(schema);
  const plain = new RowGroupBuilder(parquet, { codec });
  const columns = new KernelColumns(kernel, parquet.leaves.length);
  const group = new RowGroupBuilder(parquet, { codec }, columns.columnFor);
  const plainAppender = createAppender(schema, plain);
  const appender = createAppender(schema, group);
  const expected: EncodedRowGroup[] = [];
  for (const row of rows) {
    plainAppender.append(row);
    appender.append(row);
    if (group.bytes !== plain.bytes) throw new Error(`${group.bytes} bytes in the kernel, ${plain.bytes} outside`);
    if (plain.isFull()) {
      expected.push(plain.finish());
      expectGroup(group.finish(), expected.at(-1)!);
    }
  }
  if (plain.rows > 0) {
    expected.push(plain.finish());
    expectGroup(group.finish(), expected.at(-1)!);
  }
  const batches = writeBatches(schema, group, rows);
  expect(batches.length).toBe(expected.length);
  for (const [i, made] of batches.entries()) expectGroup(made, expected[i]!);
  columns.release();
  return expected;
}

function expectGroup(group: EncodedRowGroup, expected: EncodedRowGroup): void {
  expect({ ...group, bytes: undefined }).toEqual({ ...expected, bytes: undefined } as never);
  expect(Buffer.compare(group.bytes, expected.bytes)).toBe(0);
}

/** The rows in batches of up to some hundred, among messages that become no rows. */
function writeBatches(schema: Schema, group: RowGroupBuilder, rows: readonly object[]): EncodedRowGroup[] {
  const groups: EncodedRowGroup[] = [];
  const full = () => groups.push(group.finish());
  const convert = compileConversion(schema.root, "");
  const batch = new TestBatch(kernel, group.columns);
  const appender = new RowAppender(kernel, group, full);
  // The kernel's columns from the batch, but some of them value by value, as are those of JavaScript.
  const sources = batch.places.map((place, i) =>
    group.columns[i] instanceof KernelColumn && i % 5 !== 4 ? place : undefined,
  );
  appender.route(sources);
  const others = group.columns.flatMap((column, i) => (sources[i] === undefined ? [{ column, i }] : []));
  for (let at = 0; at < rows.length; ) {
    const stored = rows.slice(at, at + 1 + (at % 300)).map((row) => convert(row) as unknown[]);
    at += stored.length;
    const messages = stored.flatMap((row, i) => (i % 3 === 1 ? [undefined, row] : [row]));
    batch.fill(messages);
    const range = { keep: batch.keep, from: 0, to: messages.length };
    if (others.length === 0) appender.append(range);
    else {
      appender.appendWith(range, (row) => {
        for (const { column, i } of others) {
          const value = messages[row]![i];
          if (value === null) column.absent(0, 0);
          else column.put(value as never, 0);
        }
      });
    }
  }
  if (group.rows > 0) full();
  appender.release();
  batch.release();
  return groups;
}

const few = <Value>(values: fc.Arbitrary<Value>) =>
  fc.array(values, { minLength: 1, maxLength: 5 }).chain((some) => fc.constantFrom(...some));
const VALUES: { readonly [type in TypeName]: fc.Arbitrary<unknown> } = {
  string: fc.oneof(fc.string({ unit: "grapheme", maxLength: 200 }), fc.constantFrom("", "a", "\ud800", "é".repeat(40))),
  bytes: fc.uint8Array({ maxLength: 80 }),
  boolean: fc.boolean(),
  int: fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0)),
  long: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n)),
  double: fc.oneof(fc.double(), fc.constantFrom(NaN, -0, 0, Infinity, -Infinity, Number.MIN_VALUE)),
  float: fc.oneof(fc.float(), fc.constantFrom(NaN, -0, 0, Infinity, -Infinity)),
  timestamp: fc.bigInt({ min: 0n, max: 2n ** 53n }),
  date: fc.integer({ min: -60_000, max: 60_000 }),
  decimal: fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }),
};

/** A column of a type, with nulls or without, of few distinct values or of many. */
const column = fc
  .record({ type: fc.constantFrom(...(Object.keys(TYPES) as TypeName[])), nullable: fc.boolean(), few: fc.boolean() })
  .chain(({ type, nullable, few: isFew }) => {
    const values = isFew ? few(VALUES[type]) : VALUES[type];
    return fc.record({
      type: fc.constant(nullable ? ["null", TYPES[type]] : TYPES[type]),
      values: fc.array(nullable ? fc.oneof(values, fc.constant(null)) : values, { minLength: 1, maxLength: 60 }),
    });
  });

test("P4: random columns give the same bytes in the kernel and outside", () => {
  fc.assert(
    fc.property(
      fc.array(column, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 300 }),
      fc.constantFrom<Codec>("zstd", "none"),
      (columns, count, codec) => {
        const fields = columns.map(({ type }, i) => ({ name: `f${i}`, type }));
        const rows = Array.from({ length: count }, (_, row) =>
          Object.fromEntries(columns.map(({ values }, i) => [`f${i}`, values[row % values.length]])),
        );
        expectSame(fields, rows, codec);
      },
    ),
    { numRuns: 200 },
  );
});

/** From 0 to 1, the same every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 0x9e3779b1) + 0x6d2b79f5) | 0;
    yield (Math.imul(state ^ (state >>> 15), 0x85ebca6b) >>> 0) / 2 ** 32;
  }
}

function rowsOf<Row extends object>(count: number, row: (i: number, random: () => number) => Row): Row[] {
  const source = numbers(count);
  return Array.from({ length: count }, (_, i) => row(i, () => source.next().value));
}

test("P4: so do columns of many pages, dictionaries that pay and those that do not, and cuts between row groups", () => {
  const fields = [
    { name: "unique", type: "string" },
    { name: "client", type: ["null", "string"] },
    { name: "constant", type: "string" },
    { name: "long", type: "string" },
    { name: "when", type: TYPES.timestamp },
    { name: "hours", type: ["null", "double"] },
    { name: "ratio", type: "float" },
    { name: "count", type: ["null", "int"] },
    { name: "flag", type: "boolean" },
    { name: "maybe", type: ["null", "boolean"] },
    { name: "sorted", type: "int" },
    { name: "price", type: ["null", DECIMAL] },
  ];
  const rows = rowsOf(50_000, (i, random) => ({
    unique: `${i}-${random()}`,
    client: random() < 0.2 ? null : `client ${Math.floor(random() * 15_000)}`,
    constant: "main",
    long: "x".repeat(random() * 600) + i,
    when: BigInt(Math.floor(random() * 2 ** 50)),
    hours: random() < 0.5 ? null : Math.floor(random() * 100) / 4,
    ratio: random(),
    count: i < 21_000 ? null : Math.floor(random() * 300),
    flag: random() < 0.5,
    maybe: i < 25_000 ? null : random() < 0.1,
    sorted: i >> 5,
    price: i % 3 === 0 ? null : BigInt(i % 1000),
  }));
  expect(expectSame(fields, rows, "zstd").map((group) => group.rows)).toEqual([35_434, 14_566]);
  // Four columns come from the batch alone.
  const short = rows.map(({ unique, client, constant, long }) => ({ unique, client, constant, long }));
  expect(expectSame(fields.slice(0, 4), short).length).toBe(2);
}, 60_000);

test("P4: so do values of a MiB, and dictionaries that grow too large", () => {
  const mebibyte = "0123456789abcdef".repeat(1 << 16);
  const large = rowsOf(40, (i) => ({ x: i % 7 === 3 ? null : mebibyte + (i % 20) }));
  expectSame([{ name: "x", type: ["null", "string"] }], large);
  // More than 8 MiB of distinct values: given up while they came but once or twice, kept where they came often.
  const kibibyte = (i: number) => ({ x: Buffer.from(`${i}`.padEnd(1024, "y")) });
  const given = expectSame([{ name: "x", type: "bytes" }], rowsOf(10_000, kibibyte));
  expect(given[0]!.columns[0]!.dictionaryOffset).toBeUndefined();
  const often = rowsOf(25_000, (i) => kibibyte(i < 18_000 ? i % 4096 : i - 12_000));
  expect(expectSame([{ name: "x", type: "bytes" }], often)[0]!.columns[0]!.dictionaryOffset).toBeDefined();
}, 60_000);
