// The mapping from Avro to Parquet, as parquet-tools would print it.

import { expect, test } from "bun:test";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { parseSchema } from "../../src/avro/schema.ts";
import { parquetSchemaText } from "../../src/parquet/schema.ts";

const columns = (fields: object[]) =>
  toParquetSchema(parseSchema({ type: "record", name: "M", namespace: "ns", fields }));
const mapped = (type: unknown) => {
  const lines = parquetSchemaText(columns([{ name: "x", type }])).split("\n");
  return lines
    .slice(1, -1)
    .map((line) => line.trim())
    .join(" ");
};
const logical = (type: string, logicalType: string) => mapped({ type, logicalType });

test.each([
  ["boolean", "required boolean x;"],
  ["int", "required int32 x;"],
  ["long", "required int64 x;"],
  ["float", "required float x;"],
  ["double", "required double x;"],
  ["bytes", "required binary x;"],
  ["string", "required binary x (STRING);"],
  [{ type: "fixed", name: "F", size: 12 }, "required fixed_len_byte_array(12) x;"],
  [{ type: "enum", name: "E", symbols: ["A"] }, "required binary x (STRING);"],
  [{ type: "array", items: "int" }, "required group x (LIST) { repeated group list { required int32 element; } }"],
  [
    ["null", { type: "array", items: ["null", "int"] }],
    "optional group x (LIST) { repeated group list { optional int32 element; } }",
  ],
  [
    { type: "map", values: ["string", "null"] },
    "required group x (MAP) { repeated group key_value { required binary key (STRING); optional binary value (STRING); } }",
  ],
  [["null", "int", "string"], "optional group x { optional int32 member0; optional binary member1 (STRING); }"],
  [["int", "string"], "required group x { optional int32 member0; optional binary member1 (STRING); }"],
  [
    { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 },
    "required fixed_len_byte_array(4) x (DECIMAL(9,2));",
  ],
])("%j is %s", (type, expected) => {
  expect(mapped(type)).toBe(expected);
});

test("logical types", () => {
  expect(logical("int", "date")).toBe("required int32 x (DATE);");
  expect(logical("int", "time-millis")).toBe("required int32 x (TIME(MILLIS,true));");
  expect(logical("long", "time-micros")).toBe("required int64 x (TIME(MICROS,true));");
  expect(logical("long", "timestamp-millis")).toBe("required int64 x (TIMESTAMP(MILLIS,true));");
  expect(logical("long", "local-timestamp-micros")).toBe("required int64 x (TIMESTAMP(MICROS,false));");
  expect(logical("long", "timestamp-nanos")).toBe("required int64 x;");
  expect(logical("string", "uuid")).toBe("required binary x (STRING);");
});

test("both annotations are there, as readers know one or the other", () => {
  const fields = [
    { name: "l", type: { type: "array", items: "int" } },
    { name: "m", type: { type: "map", values: "int" } },
    { name: "t", type: { type: "long", logicalType: "timestamp-micros" } },
  ];
  const { elements } = columns(fields);
  const legacy = elements.filter((element) => element.converted_type).map((element) => element.converted_type);
  expect(legacy).toEqual(["LIST", "MAP", "UTF8", "TIMESTAMP_MICROS"]);
});

test("the root has the record's full name, fields that are always null make no column", () => {
  const { elements, leaves } = columns([
    { name: "n", type: "null" },
    { name: "x", type: ["null", "int"] },
  ]);
  expect(elements[0]).toEqual({ name: "ns.M", num_children: 1 });
  expect(leaves.map(({ path, maxDefinition, maxRepetition }) => ({ path, maxDefinition, maxRepetition }))).toEqual([
    { path: ["x"], maxDefinition: 1, maxRepetition: 0 },
  ]);
});
