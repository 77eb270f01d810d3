// Records that do not fit are refused whole, with the column's path and never a value (P8, P12); the rest is untouched.

import { expect, test } from "bun:test";
import { createAppender } from "../../src/avro/appender.ts";
import { checkRecord } from "../../src/avro/check.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { parseSchema } from "../../src/avro/schema.ts";
import { ValueError } from "../../src/errors.ts";
import { PartAssembler } from "../../src/parquet/file.ts";
import { readRows } from "../../src/parquet/read.ts";
import { RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { recordOf, writePart } from "../parquet/write.ts";

const addon = {
  type: "record",
  name: "Addon",
  fields: [
    { name: "id", type: "string" },
    { name: "v", type: "int", default: 0 },
  ],
};
const logical = (type: string, logicalType: string) => ({ type, logicalType });
const decimal = { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 };
const SECRET = "s3cret";

const REFUSED: [type: unknown, value: unknown, cause: string][] = [
  ["string", undefined, "x missing"],
  ["string", null, "x missing"],
  ["string", 1, "x is not a string"],
  ["string", new String(SECRET), "x is not a string"],
  ["boolean", 1, "x is not a boolean"],
  ["int", 1.5, "x is not an int"],
  ["int", 2 ** 31, "x is not an int"],
  ["int", NaN, "x is not an int"],
  ["int", 1n, "x is not an int"],
  ["int", "1", "x is not an int"],
  ["long", 2 ** 53, "x is not a long"],
  ["long", 2n ** 63n, "x is not a long"],
  ["long", 0.5, "x is not a long"],
  ["float", "1", "x is not a float"],
  ["float", 1e300, "x is not a float"],
  ["double", 1n, "x is not a double"],
  ["bytes", SECRET, "x is not bytes"],
  ["bytes", [1, 2], "x is not bytes"],
  [{ type: "fixed", name: "F", size: 2 }, new Uint8Array(3), "x is not 2 bytes"],
  [{ type: "enum", name: "E", symbols: ["A"] }, SECRET, "x is not a known symbol"],
  ["null", 1, "x is not null"],
  [{ type: "array", items: "int" }, SECRET, "x is not an array"],
  [{ type: "array", items: "int" }, new Set([1]), "x is not an array"],
  [{ type: "array", items: "int" }, [1, null], "x[] missing"],
  [{ type: "map", values: "int" }, [1], "x is not a map"],
  [{ type: "map", values: "int" }, { [SECRET]: "a" }, "x.* is not an int"],
  [{ type: "map", values: "int" }, new Map([[1, 1]]), "x has a key that is not a string"],
  [{ type: "array", items: addon }, [{ id: "a" }, {}], "x[].id missing"],
  [{ type: "array", items: addon }, [{ id: "a", [SECRET]: 1 }], "x[] has a surplus field"],
  [{ type: "map", values: { type: "array", items: addon } }, { k: [{ id: 5 }] }, "x.*[].id is not a string"],
  [addon, new Date(0), "x is not an object"],
  [addon, new Map(), "x is not an object"],
  [["null", "int"], SECRET, "x is not an int"],
  [["int", "boolean"], null, "x missing"],
  [["int", "boolean"], SECRET, "x fits no branch of its union"],
  [["int", "boolean"], 1.5, "x is not an int"],
  [["int", addon], { id: 5 }, "x.id is not a string"],
  [decimal, 1.5, "x is not a decimal of 4 digits, 2 of them after the point"],
  [decimal, 10000n, "x is not a decimal of 4 digits, 2 of them after the point"],
  [decimal, "1.234", "x is not a decimal of 4 digits, 2 of them after the point"],
  [decimal, "100", "x is not a decimal of 4 digits, 2 of them after the point"],
  [decimal, "1e1", "x is not a decimal of 4 digits, 2 of them after the point"],
  [logical("int", "date"), new Date(NaN), "x is not a date"],
  [logical("int", "date"), 1.5, "x is not a date"],
  [logical("int", "time-millis"), 86400000, "x is not a time of day"],
  [logical("long", "time-micros"), -1n, "x is not a time of day"],
  [logical("long", "timestamp-millis"), new Date(NaN), "x is not a timestamp"],
  [logical("long", "timestamp-micros"), "2015-10-28", "x is not a timestamp"],
  [logical("long", "timestamp-nanos"), new Date(8.64e15), "x is not a timestamp"],
  [logical("string", "uuid"), SECRET, "x is not a UUID"],
];

test.each(REFUSED.map(([type, value, cause]) => [cause, type, value]))("%s (%o)", (cause, type, value) => {
  const schema = parseSchema({
    type: "record",
    name: "R",
    fields: [
      { name: "x", type },
      { name: "y", type: "int", default: 0 },
    ],
  });
  let error: unknown;
  try {
    checkRecord(schema, { x: value });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ValueError);
  expect((error as ValueError).message).toBe(cause as string);
});

test.each([[null], [undefined], [7], ["text"], [[]], [Promise.resolve({ x: 1 })], [new Date(0)], [() => 1]])(
  "%p is no record",
  (record) => {
    const schema = parseSchema(recordOf("int"));
    expect(() => checkRecord(schema, record)).toThrow(record == null ? "record missing" : "record is not an object");
  },
);

test("surplus fields are refused, also when a known one is missing", () => {
  const schema = parseSchema(recordOf(["null", "int"]));
  expect(() => checkRecord(schema, { x: 1, [SECRET]: 2 })).toThrow("record has a surplus field");
  expect(() => checkRecord(schema, { [SECRET]: undefined })).toThrow("record has a surplus field");
  expect(checkRecord(schema, { x: undefined })).toEqual({ x: null });
});

test("absent fields take their default, null does not", () => {
  const fields = [
    { name: "s", type: "string", default: "??" },
    { name: "b", type: "bytes", default: "\u00ff" },
    { name: "d", type: decimal, default: "\u00ff" },
    { name: "l", type: "long", default: 7 },
    { name: "u", type: ["int", "string"], default: 3 },
    { name: "a", type: { type: "array", items: addon }, default: [{ id: "x" }] },
    { name: "n", type: ["null", "int"] },
  ];
  const schema = parseSchema({ type: "record", name: "R", fields });
  expect(checkRecord(schema, {})).toEqual({
    s: "??",
    b: Uint8Array.of(255),
    d: "-0.01",
    l: 7n,
    u: 3,
    a: [{ id: "x", v: 0 }],
    n: null,
  });
  expect(() => checkRecord(schema, { s: null })).toThrow("s missing");
});

test("fields named like what every object inherits are the record's own or absent", () => {
  const fields = ["constructor", "toString", "__proto__"].map((name) => ({ name, type: ["null", "string"] }));
  const schema = parseSchema({ type: "record", name: "R", fields });
  expect(Object.entries(checkRecord(schema, {}))).toEqual(fields.map(({ name }) => [name, null]));
  const own = JSON.parse('{"__proto__": "a", "constructor": "b", "toString": "c"}');
  expect(Object.entries(checkRecord(schema, own))).toEqual([
    ["constructor", "b"],
    ["toString", "c"],
    ["__proto__", "a"],
  ]);
});

test("each property is read once", () => {
  let reads = 0;
  const record = {
    get x() {
      return ++reads;
    },
  };
  expect(checkRecord(parseSchema(recordOf("int")), record)).toEqual({ x: 1 });
});

test("a refused record leaves no trace in any column (P8)", async () => {
  const literal = {
    type: "record",
    name: "R",
    fields: [
      { name: "id", type: "string" },
      { name: "tags", type: { type: "array", items: ["null", "string"] } },
      { name: "counts", type: { type: "map", values: "long" } },
      { name: "last", type: "int" },
    ],
  };
  const good = (i: number) => ({ id: `id ${i % 3}`, tags: ["a", null], counts: { k: BigInt(i) }, last: i });
  const schema = parseSchema(literal);
  const columns = toParquetSchema(schema);
  const group = new RowGroupBuilder(columns, { codec: "zstd" });
  const appender = createAppender(schema, group);
  for (let i = 0; i < 100; i++) {
    const before = group.bytes;
    expect(() => appender.append({ ...good(i), id: `new ${i}`, last: SECRET })).toThrow("last is not an int");
    expect(() => appender.append({ ...good(i), tags: ["b", 1] })).toThrow("tags[] is not a string");
    expect(() => appender.append({ ...good(i), counts: { a: 1n, b: "2" } })).toThrow("counts.* is not a long");
    expect([group.rows, group.bytes]).toEqual([i, before]);
    appender.append(good(i));
  }
  const part = new PartAssembler(columns, []);
  const file = Buffer.concat([part.header(), part.place(group.finish()), part.finish()]);
  const rows = await Array.fromAsync(readRows(new Uint8Array(file).buffer));
  expect(rows).toEqual(Array.from({ length: 100 }, (_, i) => good(i)));
  const only = writePart(
    literal,
    Array.from({ length: 100 }, (_, i) => good(i)),
  );
  expect(rows).toEqual(await Array.fromAsync(readRows(only.buffer)));
});
