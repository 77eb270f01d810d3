// Schemas: what is refused, where, and in which words; held against avsc, the reference for what Avro itself allows.

import { expect, test } from "bun:test";
import avsc from "avsc";
import { parseSchema } from "../../src/avro/schema.ts";
import { UsageError } from "../../src/errors.ts";

const record = (fields: unknown, rest: object = {}) => ({ type: "record", name: "Top", fields, ...rest });
const one = (type: unknown, rest: object = {}) => record([{ name: "x", type, ...rest }]);
const fixed = (rest: object) => one({ type: "fixed", name: "F", size: 4, ...rest });
const inner = (fields: unknown[]) => ({ type: "record", name: "Inner", fields });

/** What Avro itself refuses. */
const NOT_AVRO: [literal: unknown, message: string][] = [
  [undefined, "it is not an object"],
  ["string", "the top must be a record"],
  [{ type: "array", items: "int" }, "the top must be a record"],
  [record("none"), "fields: it is not a list of fields"],
  [record([7]), "fields[0]: it is not an object with a name and a type"],
  [record([{ name: "1st", type: "int" }]), "fields[0].name: it is not a name"],
  [record([{ name: "a.b", type: "int" }]), "fields[0].name: it is not a name"],
  [
    record([
      { name: "a", type: "int" },
      { name: "a", type: "long" },
    ]),
    "fields.a: there are two fields of this name",
  ],
  [record([{ name: "a" }]), "fields.a: there is no type"],
  [{ type: "record", fields: [{ name: "x", type: "int" }] }, "name: it is not a name"],
  [record([{ name: "x", type: "int" }], { name: "no way" }), "name: it is not a name"],
  [one("strng"), "fields.x: there is no type strng"],
  [one({ type: "array", items: "strng" }), "fields.x.items: there is no type strng"],
  [one({ type: "map", values: { type: "array" } }), "fields.x.values.items: there is no type"],
  [one(["null", "strng"]), "fields.x[1]: there is no type strng"],
  [one(["int", "int"]), "fields.x[1]: the union has int twice"],
  [
    one([
      { type: "array", items: "int" },
      { type: "array", items: "long" },
    ]),
    "fields.x[1]: the union has array twice",
  ],
  [one(["int", ["null", "string"]]), "fields.x[1]: a union cannot hold a union"],
  [one({ type: "enum", name: "E", symbols: ["A", "A"] }), "fields.x.symbols[1]: there are two symbols of this name"],
  [one({ type: "enum", name: "E", symbols: ["a-b"] }), "fields.x.symbols[0]: it is not a name"],
  [one({ type: "fixed", name: "F", size: 1.5 }), "fields.x.size: it is not a number of bytes"],
  [one({ type: "fixed", name: "Top", size: 1 }), "fields.x.name: there are two types named Top"],
  [one("int", { default: null }), "fields.x: its default is null"],
  [one("int", { default: 1.5 }), "fields.x: its default is not an int"],
  [one("long", { default: "1" }), "fields.x: its default is not a long"],
  [one("string", { default: 1 }), "fields.x: its default is not a string"],
  [one("boolean", { default: 0 }), "fields.x: its default is not a boolean"],
  [one("bytes", { default: "€" }), "fields.x: its default is not text of bytes"],
  [one({ type: "fixed", name: "F", size: 2 }, { default: "abc" }), "fields.x: its default is not 2 bytes"],
  [one({ type: "array", items: "int" }, { default: ["a"] }), "fields.x: its default[] is not an int"],
  [one({ type: "map", values: "int" }, { default: { k: "a" } }), "fields.x: its default.* is not an int"],
  [one(["null", "string"], { default: "x" }), "must match the first branch"],
  [one(["string", "null"], { default: null }), "must match the first branch"],
  [one(["int", "string"], { default: "x" }), "must match the first branch"],
  [one({ type: "enum", name: "E", symbols: ["A"] }, { default: "B" }), "fields.x: its default is not a known symbol"],
  [one(inner([{ name: "a", type: "int" }]), { default: {} }), "fields.x: its default.a is null"],
];

/** What Avro allows and Parquet, or its readers, do not. */
const NOT_PARQUET: [literal: unknown, message: string][] = [
  [record([]), "fields: there is no column"],
  [one("null"), "fields: there is no column"],
  [one({ type: "array", items: inner([]) }), "fields.x.items.fields: there is no column"],
  [one({ type: "array", items: "null" }), "fields.x.items: it is always null"],
  [one({ type: "map", values: "null" }), "fields.x.values: it is always null"],
  [one(["null"]), "fields.x: a union of nothing but null holds no value"],
  [one(["null", "Top"]), "fields.x[1]: Top holds itself"],
  [
    one({ type: "array", items: inner([{ name: "next", type: ["null", "Inner"] }]) }),
    "fields.x.items.fields.next[1]: Inner holds itself",
  ],
  [
    one({ type: "int", logicalType: "timestamp-millis" }),
    "fields.x: logicalType timestamp-millis goes with long, not with int",
  ],
  [
    one({ type: "string", logicalType: "decimal" }),
    "fields.x: logicalType decimal goes with bytes or fixed, not with string",
  ],
  [fixed({ logicalType: "uuid" }), "fields.x: logicalType uuid takes 16 bytes, not 4"],
  [one({ type: "bytes", logicalType: "decimal" }), "fields.x.precision: it is not a number of digits"],
  [
    one({ type: "bytes", logicalType: "decimal", precision: 4, scale: 5 }),
    "fields.x.scale: it is not a number of digits",
  ],
  [one({ type: "bytes", logicalType: "decimal", precision: 39 }), "fields.x.precision: readers stop at 38 digits"],
  [fixed({ logicalType: "decimal", precision: 10 }), "fields.x.precision: 10 digits do not fit 4 bytes"],
];

const avroAllows = (literal: unknown) => {
  try {
    avsc.Type.forSchema(literal as avsc.Schema);
    return true;
  } catch {
    return false;
  }
};

test.each([...NOT_AVRO, ...NOT_PARQUET])("%j is refused", (literal, message) => {
  expect(() => parseSchema(literal)).toThrow(message);
  expect(() => parseSchema(literal)).toThrow(UsageError);
});

test("avsc draws the line between Avro and Parquet in the same place", () => {
  // A record at the top and a name that is given are ours to ask for; avsc is lax about the text of bytes.
  const ours = new Set([
    "the top must be a record",
    "name: it is not a name",
    "fields.x: its default is not text of bytes",
  ]);
  for (const [literal, message] of NOT_AVRO)
    if (!ours.has(message)) expect([literal, avroAllows(literal)]).toEqual([literal, false]);
  for (const [literal] of NOT_PARQUET) expect([literal, avroAllows(literal)]).toEqual([literal, true]);
});

test("what can be written is accepted by both", () => {
  const legal: unknown[] = [
    one("string", { default: "" }),
    record([
      { name: "n", type: "null" },
      { name: "x", type: { type: "int" } },
    ]),
    one(["null", "string"], { default: null }),
    one(["string", "null"], { default: "" }),
    one("bytes", { default: "\u00ff" }),
    one("double", { default: 1e300 }),
    one("long", { default: 2 ** 52 }),
    one({ type: "int", logicalType: "no-such-thing" }),
    one({ type: "array", items: { type: "map", values: ["null", "int"] } }, { default: [{ a: null }] }),
    one(inner([{ name: "a", type: "int", default: 3 }]), { default: {} }),
    fixed({ logicalType: "decimal", precision: 9 }),
    record([
      { name: "a", type: inner([{ name: "i", type: "int" }]) },
      { name: "b", type: ["null", "Inner"] },
    ]),
    record(
      [
        { name: "a", type: { type: "enum", name: "n.E", symbols: ["A"] } },
        { name: "b", type: "n.E" },
      ],
      { namespace: "m" },
    ),
    record(
      [
        { name: "a", type: { type: "fixed", name: "E", size: 1 } },
        { name: "b", type: "E" },
        { name: "c", type: "m.E" },
      ],
      {
        name: "m.Top",
      },
    ),
  ];
  for (const literal of legal) {
    expect([literal, avroAllows(literal)]).toEqual([literal, true]);
    expect(parseSchema(literal).literal as unknown).toEqual(literal);
  }
});

test("names resolve within their namespace", () => {
  expect(parseSchema(record([{ name: "x", type: "int" }], { namespace: "org.example" })).fullName).toBe(
    "org.example.Top",
  );
  expect(parseSchema(record([{ name: "x", type: "int" }], { namespace: "a", name: "b.Top" })).fullName).toBe("b.Top");
});

test("what surprises is a warning", () => {
  expect(parseSchema(one({ type: "long", logicalType: "timestamp-nanos" })).warnings).toEqual([
    "fields.x: timestamp-nanos is written as a plain long, as Spark, Athena and DuckDB do not read it.",
  ]);
  expect(parseSchema(one({ type: "int", logicalType: "dat" })).warnings).toEqual([
    "fields.x: there is no logical type dat; the column is a plain int.",
  ]);
  expect(parseSchema(one("string")).warnings).toEqual([]);
});

test("a schema that is no JSON is refused", () => {
  expect(() => parseSchema(one("long", { default: 1n }))).toThrow("it is not JSON");
  expect(() => parseSchema(one("double", { default: Number.NaN }))).toThrow("fields.x: its default is null");
});
