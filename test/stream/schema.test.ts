// The Avro schema that columns make.

import { expect, test } from "bun:test";
import { boolean, bytes, defineStream, double, int, json, list, long, map, record, string, timestamp } from "derive";
import { parseSchema } from "../../src/avro/schema.ts";
import type { Columns } from "../../src/columns.ts";

/** The fields of a stream called `My`, once the Avro side has accepted them. */
function fieldsOf(columns: Columns) {
  const literal = defineStream({ streamName: "t", columns }).schema("My");
  parseSchema(literal);
  return literal.fields;
}

test("each type, in the order of the columns", () => {
  const instant = { type: "long", logicalType: "timestamp-micros" };
  const types = {
    z: [string(), "string"],
    y: [int(), "int"],
    x: [long(), "long"],
    w: [double(), "double"],
    v: [boolean(), "boolean"],
    u: [bytes(), "bytes"],
    t: [timestamp(), instant],
    s: [json(), "string"],
    r: [list(int()), { type: "array", items: "int" }],
    q: [map(long().optional()), { type: "map", values: ["null", "long"] }],
    p: [list(map(timestamp().optional())), { type: "array", items: { type: "map", values: ["null", instant] } }],
  } as const;
  const columns = Object.fromEntries(Object.entries(types).map(([name, [column]]) => [name, column]));
  const expected = Object.entries(types).map(([name, [, type]]) => ({ name, type }));
  expect(fieldsOf(columns)).toEqual(expected as never);
});

test("optional, default, orSkip", () => {
  expect(
    fieldsOf({
      optional: string().optional(),
      text: string().default("??"),
      long: long().default(5n),
      unsafe: long().default(2n ** 60n),
      double: double().default(0.5),
      infinite: double().default(Number.POSITIVE_INFINITY),
      bytes: bytes().default(new Uint8Array([0, 255])),
      instant: timestamp().default(new Date(1)),
      json: json().default({ a: 1 }),
      list: list(string()).default([]),
      filled: list(string()).default(["a"]),
      map: map(string()).default({}),
      skipped: string().orSkip(),
    }),
  ).toEqual([
    { name: "optional", type: ["null", "string"], default: null },
    { name: "text", type: "string", default: "??" },
    { name: "long", type: "long", default: 5 },
    // No JSON number holds it; the stream fills it in all the same.
    { name: "unsafe", type: "long" },
    { name: "double", type: "double", default: 0.5 },
    { name: "infinite", type: "double" },
    { name: "bytes", type: "bytes", default: "\u0000\u00ff" },
    { name: "instant", type: { type: "long", logicalType: "timestamp-micros" }, default: 1000 },
    { name: "json", type: "string", default: '{"a":1}' },
    { name: "list", type: { type: "array", items: "string" }, default: [] },
    { name: "filled", type: { type: "array", items: "string" } },
    { name: "map", type: { type: "map", values: "string" }, default: {} },
    { name: "skipped", type: "string" },
  ]);
});

test("records are named by the columns that lead to them, each once", () => {
  const a = () => record({ a: int() });
  const fields = fieldsOf({
    addons: list(record({ icon: a(), big_icon: a() })),
    addons_icon: a(),
    addonsIcon: map(a().optional()),
    twice: record({ twice: a(), Twice: a() }),
  });
  const names = JSON.stringify(fields).match(/(?<="type":"record","name":")\w+/g);
  expect(names).toEqual([
    "MyAddons",
    "MyAddonsIcon",
    "MyAddonsBigIcon",
    "MyAddonsIcon2",
    "MyAddonsIcon3",
    "MyTwice",
    "MyTwiceTwice",
    "MyTwiceTwice2",
  ]);
});

test("the record is called what the stream is, as far as Avro allows", () => {
  const stream = defineStream({ streamName: "t", columns: { a: int() } });
  expect(stream.schema("Sessions").name).toBe("Sessions");
  expect(stream.schema("my-stream.v2").name).toBe("my_stream_v2");
  expect(stream.schema("2days").name).toBe("_2days");
});

test("the schema form's literal is passed on as it is", () => {
  const literal = {
    type: "record",
    name: "Own",
    namespace: "org.x",
    doc: "d",
    fields: [{ name: "a", type: "int" }],
  } as const;
  const stream = defineStream({ streamName: "t", buildSchema: () => literal, buildRecord: () => ({ a: 1 }) });
  expect(stream.schema("Other")).toBe(literal);
});
