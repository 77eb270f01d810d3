// defineStream: mistakes in a stream's file, and what becomes of a message in each form.

import { expect, test } from "bun:test";
import { defineStream, int, list, map, record, string, timestamp } from "derive";
import { derivePing } from "derive/test";
import { UsageError } from "../../src/errors.ts";
import type { Message } from "../../src/heka/message.ts";
import { type DerivedStream, Filtered, isDerivedStream } from "../../src/stream.ts";

const columns = { id: string() };
const schema = { type: "record", name: "Ids", fields: [{ name: "id", type: "string" }] } as const;
const functions = { buildSchema: () => schema, buildRecord: (message: Message) => ({ id: message.string("id") }) };
const loosely = defineStream as unknown as (definition: unknown) => DerivedStream;

const mistakes: [what: string, definition: unknown, text: string][] = [
  ["nothing", undefined, "it is no object"],
  ["a list", [], "it is no object"],
  ["no streamName", { columns }, "streamName is missing"],
  ["an empty streamName", { streamName: "", columns }, "streamName is not the name of a dataset"],
  ["neither form", { streamName: "t" }, "columns is missing: give either columns, or buildSchema and buildRecord"],
  ["half a form", { streamName: "t", buildSchema: functions.buildSchema }, "buildRecord is missing"],
  ["the other half", { streamName: "t", buildRecord: functions.buildRecord }, "buildSchema is missing"],
  ["both forms", { streamName: "t", columns, ...functions }, "it has columns and buildSchema or buildRecord"],
  ["a mistyped key", { streamName: "t", colums: columns }, "it has the unknown key colums. Did you mean columns?"],
  [
    "an unknown key",
    { streamName: "t", columns, color: 1 },
    "it has the unknown key color. Known are name, streamName",
  ],
  ["a version of 0", { streamName: "t", columns, version: 0 }, "version is not a whole number from 1"],
  ["a version as text", { streamName: "t", columns, version: "1" }, "version is not"],
  ["an odd name", { streamName: "t", columns, name: "my stream" }, "name is not letters, digits and _"],
  ["one dimension value", { streamName: "t", columns, dimensions: { docType: "main" } }, "dimensions is not lists"],
  ["no dimension values", { streamName: "t", columns, dimensions: { docType: [] } }, "dimensions is not lists"],
  ["partitionBy as text", { streamName: "t", columns, partitionBy: "submissionDate" }, "partitionBy is not a list"],
  ["where as text", { streamName: "t", columns, where: "docType = main" }, "where is not a function"],
  ["requires as text", { streamName: "t", columns, requires: "clientId" }, "requires is not a list of paths"],
  ["no columns", { streamName: "t", columns: {} }, "Cannot use the columns of the stream: there are none"],
  [
    "a column's name",
    { streamName: "t", columns: { "client-id": string() } },
    'Cannot use the column name "client-id"',
  ],
  [
    "a column called __proto__",
    { streamName: "t", columns: { ["__proto__"]: string() } },
    "Cannot use the column name",
  ],
  ["no column", { streamName: "t", columns: { id: "string" } }, "Cannot use column id of the stream: it is no column"],
  ["a builder not called", { streamName: "t", columns: { id: string } }, "it is no column"],
];

test.each(mistakes)("%s is a UsageError that says what to write", (_what, definition, text) => {
  expect(() => loosely(definition)).toThrow(UsageError);
  expect(() => loosely(definition)).toThrow(text);
});

const misuses: [what: string, make: () => unknown, text: string][] = [
  [
    "two defaults",
    () => (string().default("") as never as ReturnType<typeof string>).default(""),
    "say one of them, once",
  ],
  [
    "optional, left out",
    () => (string().optional() as never as ReturnType<typeof string>).orSkip(),
    ".orSkip() on a column",
  ],
  ["a default of null", () => string().default(null as never), "write .optional()"],
  [
    "a default of another type",
    () => int().default("0" as never),
    "Cannot use the value in .default(): it is not an int",
  ],
  ["a default of 1.5 for an int", () => int().default(1.5), "it is not an int"],
  ["a path and from", () => string("a").from(() => "b"), "Cannot use .from() on a column with a path"],
  [
    "from twice",
    () =>
      string()
        .from(() => "b")
        .from(() => "c"),
    "Cannot use .from() twice",
  ],
  ["from without a function", () => string().from({ a: string() } as never), "write .from({ name: column }"],
  ["from with no inputs", () => string().from({}, () => ""), "there are none"],
  ["map without a function", () => string().map("trim" as never), "write .map("],
  ["an empty path", () => string(""), 'Cannot use the path ""'],
  ["a number as path", () => string(1 as never), 'write "a.b"'],
  ["a list of nothing", () => list(undefined as never), "it is no column"],
  ["a map of a type's name", () => map("long" as never), "it is no column"],
  ["a record without columns", () => record({}), "there are none"],
  ["an unknown unit", () => timestamp("t", "days" as never), "Cannot use the unit"],
];

test.each(misuses)("%s is a UsageError", (_what, make, text) => {
  expect(make).toThrow(UsageError);
  expect(make).toThrow(text);
});

test("defaults of a definition, and its brand", () => {
  const stream = defineStream({ streamName: "telemetry", columns });
  expect(stream).toMatchObject({ streamName: "telemetry", version: 1, dimensions: {} });
  expect(isDerivedStream(stream)).toBe(true);
  for (const other of [undefined, null, {}, "stream", { ...functions, streamName: "t" }]) {
    expect(isDerivedStream(other)).toBe(false);
  }
});

/** What a stream of the schema form makes of an empty ping, by what its functions return. */
function built(buildRecord: unknown, where?: unknown) {
  return derivePing(loosely({ streamName: "t", buildSchema: () => schema, buildRecord, where }), {});
}

test("buildRecord's result decides", () => {
  expect(built(() => ({ id: "a" }))).toEqual({ row: { id: "a" } });
  expect(built(() => null)).toEqual({ filtered: "buildRecord" });
  expect(built(() => undefined)).toEqual({ failed: "buildRecord returned undefined" });
  expect(built(async () => ({ id: "a" }))).toEqual({ failed: "buildRecord returned a promise" });
  expect(built(async () => Promise.reject(new Error("late")))).toEqual({ failed: "buildRecord returned a promise" });
  expect(built((message: Message) => ({ id: message.string("id") }))).toEqual({ failed: "id missing" });
  expect(built(() => ({ id: 1 }))).toEqual({ failed: "id is not a string" });
  expect(built(() => ({}))).toEqual({ failed: "id missing" });
  expect(built(() => "a")).toEqual({ failed: "record is not an object" });
});

test("where decides before buildRecord is asked", () => {
  const never = () => {
    throw new Error("asked");
  };
  expect(built(never, () => false)).toEqual({ filtered: "where" });
  expect(
    built(
      () => ({ id: "a" }),
      () => true,
    ),
  ).toEqual({ row: { id: "a" } });
  expect(built(never, () => undefined)).toEqual({ failed: "where returned undefined" });
  expect(built(never, async () => true)).toEqual({ failed: "where returned a promise" });
});

test("the first missing path of requires is the cause, whether absent or null, after where", () => {
  const requires = ["a.b", ["c", "d.e"], "id"];
  const stream = loosely({ streamName: "t", columns, requires, where: (message: Message) => !message.has("not") });
  expect(derivePing(stream, {})).toEqual({ filtered: "a.b missing" });
  expect(derivePing(stream, { a: { b: null } })).toEqual({ filtered: "a.b missing" });
  expect(derivePing(stream, { a: { b: 0 }, c: { d: { e: 1 } } })).toEqual({ filtered: "c.d.e missing" });
  expect(derivePing(stream, { a: { b: 0 }, c: { "d.e": 1 } })).toEqual({ filtered: "id missing" });
  expect(derivePing(stream, { a: { b: 0 }, c: { "d.e": 1 }, id: "x" })).toEqual({ row: { id: "x" } });
  expect(derivePing(stream, { not: 1 })).toEqual({ filtered: "where" });
});

test("what is left out comes as the same instance each time", () => {
  const stream = loosely({ streamName: "t", columns, where: () => false });
  const message = {} as Message;
  expect(stream.build(message)).toBeInstanceOf(Filtered);
  expect(stream.build(message)).toBe(stream.build(message));
});
