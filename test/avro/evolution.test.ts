// What a change of a schema means to readers of old and new files together.
import { expect, test } from "bun:test";
import { compareSchemas } from "../../src/avro/evolution.ts";
import { parseSchema } from "../../src/avro/schema.ts";

const record = (...fields: object[]) => parseSchema({ type: "record", name: "R", fields });
const column = (type: unknown, more: object = {}) => record({ name: "c", type, ...more });
const list = (items: unknown) => ({ type: "array", items });
const map = (values: unknown) => ({ type: "map", values });
const inner = (...fields: object[]) => ({ type: "record", name: "I", fields });
const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more });

const told = (before: ReturnType<typeof record>, after: ReturnType<typeof record>) =>
  compareSchemas(before, after).map(({ path, compatible, says }) => `${compatible ? "+" : "-"} ${path} ${says}`);

test.each([
  ["int", "int", []],
  ["int", "long", ["- c is long, it was int"]],
  ["float", "double", ["- c is double, it was float"]],
  ["string", "bytes", ["- c is bytes, it was string"]],
  ["int", ["null", "int"], ["+ c may be null now"]],
  [["null", "int"], ["int", "null"], []],
  [["null", "int"], "int", ["+ c may not be null any more: it still is in old files"]],
  [["null", "int"], ["null", "string"], ["- c is string, it was int"]],
  [list("int"), list("string"), ["- c[] is string, it was int"]],
  [list("int"), "int", ["- c is int, it was a list"]],
  [map("int"), map(["null", "int"]), ["+ c.* may be null now"]],
  [map("int"), list("int"), ["- c is a list, it was a map"]],
  [
    inner({ name: "a", type: "int" }),
    inner({ name: "a", type: "long" }, { name: "b", type: "int" }),
    ["- c.a is long, it was int", "+ c.b is new: null in old files"],
  ],
  [
    { type: "enum", name: "E", symbols: ["A", "B"] },
    { type: "enum", name: "E", symbols: ["B", "C"] },
    ["+ c has new symbols: C", "+ c has lost symbols, which old files keep: A"],
  ],
  [{ type: "enum", name: "E", symbols: ["A"] }, "string", []],
  [
    logical("long", "timestamp-millis"),
    logical("long", "timestamp-micros"),
    ["- c is timestamp-micros, it was timestamp-millis"],
  ],
  [logical("string", "uuid"), "string", []],
  [
    logical("bytes", "decimal", { precision: 5, scale: 2 }),
    logical("bytes", "decimal", { precision: 6, scale: 2 }),
    ["- c is decimal(6, 2), it was decimal(5, 2)"],
  ],
  [{ type: "fixed", name: "F", size: 4 }, { type: "fixed", name: "F", size: 5 }, ["- c is fixed(5), it was fixed(4)"]],
  [["int", "string"], ["int", "string", "boolean"], ["+ c.member2 is new: null in old files"]],
  [
    ["int", "string"],
    ["string", "int"],
    ["- c.member0 is string, it was int", "- c.member1 is int, it was string"],
  ],
  ["int", ["int", "string"], ["- c is a union of several types, it was int"]],
] as const)("%j to %j", (before, after, expected) => {
  expect(told(column(before), column(after))).toEqual([...expected]);
});

test("columns come, go and move; names and defaults change", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => ({ name, type: "int" }));
  expect(told(record(a!, b!), record(b!, c!))).toEqual([
    "+ c is new: null in old files",
    "+ a is gone: null in new files",
  ]);
  expect(told(record(a!, b!), record(b!, a!))).toEqual([
    "+  stands in another order: of matter only to readers that match columns by position",
  ]);
  expect(told(column("int", { default: 1 }), column("int", { default: 2 }))).toEqual([
    "+ c has another default: old files keep the old one",
  ]);
  const renamed = parseSchema({ type: "record", name: "Other", fields: [a!] });
  expect(told(record(a!), renamed)).toEqual(["+  the record is called Other, it was R: Avro readers match it by name"]);
});
