// What holds for all messages, JSON and records, however they were made or hit; fast-check prints the seed of what does not.
// npm run fuzz tries more of them.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { createAppender } from "../../src/avro/appender.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { parseSchema } from "../../src/avro/schema.ts";
import { FormatError, ValueError } from "../../src/errors.ts";
import { type Json, MessageDecoder, type RawMessage } from "../../src/heka/message.ts";
import { compressSnappy, encodeMessage, type FieldInit, type MessageInit } from "../../src/heka/writer.ts";
import { RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { mutate } from "./mutant.ts";
import { changed, known } from "./truth.ts";

const seconds = Number(process.env.DERIVE_FUZZ_SECONDS ?? 0);
const runs = (few: number) => ({
  numRuns: seconds > 0 ? few * 50 : few,
  interruptAfterTimeLimit: Math.max(2, seconds) * 1000,
});

const decoder = new MessageDecoder();
const name = fc.oneof(
  fc.constantFrom(
    "docType",
    "environment.system",
    "payload.info",
    "submission",
    "content",
    "__proto__",
    "constructor",
    "",
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const json = fc.json({ maxDepth: 4, stringUnit: "binary" });
const field: fc.Arbitrary<FieldInit> = fc.oneof(
  fc.record({
    name,
    type: fc.constant("string" as const),
    values: fc.array(fc.oneof(json, fc.string()), { maxLength: 3 }),
  }),
  fc.record({
    name,
    type: fc.constant("bytes" as const),
    values: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
  }),
  fc.record({
    name,
    type: fc.constant("integer" as const),
    values: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 3 }),
    packed: fc.boolean(),
  }),
  fc.record({
    name,
    type: fc.constant("double" as const),
    values: fc.array(fc.oneof(fc.double(), fc.constantFrom(NaN, -0, Infinity, -Infinity)), { maxLength: 3 }),
    packed: fc.boolean(),
  }),
  fc.record({ name, type: fc.constant("bool" as const), values: fc.array(fc.boolean(), { maxLength: 3 }) }),
);
const init: fc.Arbitrary<MessageInit> = fc.record({
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  timestamp: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  payload: json,
  hostname: fc.string(),
  pid: fc.integer(),
  fields: fc.array(field, { maxLength: 8 }),
});
const wellFormed = (value: string): string => value.toWellFormed();

test("a message that was written is read back, plain or compressed", () => {
  fc.assert(
    fc.property(init, fc.boolean(), (message, compressed) => {
      const bytes = encodeMessage(message);
      const read = decoder.decode(compressed ? compressSnappy(bytes) : bytes);
      expect(read.timestamp).toBe(message.timestamp!);
      expect(read.payload).toBe(wellFormed(message.payload!));
      expect([read.pid, read.hostname]).toEqual([message.pid!, wellFormed(message.hostname!)]);
      const fields = message.fields!.map(({ name, type, values }) => {
        return {
          name: wellFormed(name),
          type,
          values: values.map((value) => (typeof value === "string" ? wellFormed(value) : value)),
        };
      });
      expect([...read.fields()].map(({ name, type, values }) => ({ name, type, values }))).toEqual(fields);
    }),
    runs(150),
  );
});

const PATHS = [
  "docType",
  "environment",
  "environment.system",
  "environment.system.os.name",
  "payload.info.subsessionLength",
  "a",
  "a.b",
  ["__proto__"],
  ["constructor", "name"],
  [],
  ["", ""],
] as const;

/** Asks a message for everything. Only what its bytes can be blamed for may be thrown. */
function askAll(message: RawMessage): void {
  for (const path of PATHS) {
    for (const getter of ["string", "int", "long", "double", "boolean", "bytes", "json"] as const) {
      try {
        message[getter](path as string);
      } catch (error) {
        if (!(error instanceof ValueError) && !(error instanceof FormatError)) throw error;
      }
    }
  }
  expect(message.uuid).toBeString();
  expect([...message.fields()].length).toBeGreaterThanOrEqual(0);
}

test("a message that was hit decodes or does not; whatever is asked of it, nothing else happens (P8)", () => {
  fc.assert(
    fc.property(init, fc.boolean(), fc.nat(), (message, compressed, seed) => {
      const plain = encodeMessage(message);
      const bytes = compressed ? compressSnappy(plain) : plain;
      const object = known([{ bytes, isFrame: true }]);
      let read: RawMessage;
      try {
        read = decoder.decode(changed(object, mutate(object, seed).changes));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        return;
      }
      askAll(read);
    }),
    runs(300),
  );
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
});

/** JSON text with blanks and escapes where JSON.stringify puts none, and keys that occur twice: the first one counts. */
type Tree = { text: string; value: unknown };
const space = fc.constantFrom("", "", " ", "\n\t", "\r ");
const keyText = fc.oneof(
  fc.constantFrom("a", "b", "__proto__", "constructor", "", "a.b"),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const quoted = (text: string, escaped: boolean): string =>
  escaped
    ? `"${[...text].map((c) => [...Array(c.length)].map((_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")).join("")}"`
    : JSON.stringify(text);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc
      .oneof(fc.constantFrom(null, true, false), fc.double({ noNaN: true, noDefaultInfinity: true }))
      .map((value) => ({ text: JSON.stringify(value), value })),
    fc
      .tuple(fc.string({ unit: "binary" }), fc.boolean())
      .map(([value, escaped]) => ({ text: quoted(value, escaped), value })),
    fc.tuple(fc.array(tie("tree"), { maxLength: 3 }), space).map(([items, blank]) => ({
      text: `[${blank}${items.map(({ text }) => text).join(`${blank},`)}${blank}]`,
      value: items.map(({ value }) => value),
    })),
    fc
      .tuple(fc.array(fc.tuple(keyText, tie("tree"), fc.boolean()), { maxLength: 5 }), space)
      .map(([members, blank]) => ({
        text: `{${blank}${members.map(([key, { text }, escaped]) => `${quoted(key, escaped)}${blank}:${blank}${text}`).join(`${blank},${blank}`)}${blank}}`,
        value: new Map(members.toReversed().map(([key, { value }]) => [key, value])),
      })),
  ),
}));

test("a path leads to what walking the parsed JSON leads to, of equal keys to the first", () => {
  const walk = (value: unknown, keys: readonly string[]): unknown => {
    for (const key of keys) value = value instanceof Map ? value.get(key) : undefined;
    return value;
  };
  const plain = (value: unknown): unknown =>
    typeof value === "number" || typeof value === "boolean" ? value : undefined;
  fc.assert(
    fc.property(tree, fc.array(keyText, { minLength: 1, maxLength: 3 }), ({ text, value }, keys) => {
      const message = decoder.decode(encodeMessage({ payload: text || " " }));
      const found = walk(value, keys);
      expect(message.has(keys)).toBe(found !== undefined && found !== null);
      if (typeof found === "string") expect(message.string(keys)).toBe(found);
      if (typeof found === "number") expect(message.double(keys)).toBe(found);
      if (typeof found === "boolean") expect(message.boolean(keys)).toBe(found);
      if (found !== undefined && found !== null && plain(found) !== undefined)
        expect(message.json(keys)).toBe(found as Json);
    }),
    runs(400),
  );
});

const SCHEMA = parseSchema({
  type: "record",
  name: "Any",
  fields: [
    { name: "text", type: "string" },
    { name: "long", type: ["null", "long"] },
    { name: "double", type: "double" },
    { name: "list", type: { type: "array", items: "int" } },
    { name: "map", type: { type: "map", values: "string" } },
    { name: "inner", type: ["null", { type: "record", name: "Inner", fields: [{ name: "bytes", type: "bytes" }] }] },
  ],
});

test("any value whatever as a record is appended whole or refused whole, with its column's path (P8, P12)", () => {
  const value = fc.anything({
    withBigInt: true,
    withMap: true,
    withNullPrototype: true,
    withTypedArray: true,
    withSparseArray: true,
  });
  const fitting = {
    text: fc.string({ unit: "binary" }),
    long: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    double: fc.double(),
    list: fc.array(fc.integer()),
    map: fc.dictionary(fc.string(), fc.string()),
    inner: fc.option(fc.record({ bytes: fc.uint8Array() })),
  };
  const record = fc.oneof(
    value,
    fc.record(fitting),
    fc.record(
      Object.fromEntries(
        Object.entries(fitting).map(([key, fits]) => [
          key,
          fc.oneof({ weight: 6, arbitrary: fits as fc.Arbitrary<unknown> }, value),
        ]),
      ),
    ),
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), (records) => {
      const group = new RowGroupBuilder(toParquetSchema(SCHEMA), { codec: "none" });
      const appender = createAppender(SCHEMA, group);
      let rows = 0;
      for (const one of records) {
        try {
          appender.append(one);
          rows++;
        } catch (error) {
          expect(error).toBeInstanceOf(ValueError);
          expect((error as ValueError).message).toMatch(
            /^(text|long|double|list|map|inner|the record|record)\b[\w.*[\]]* /,
          );
        }
        expect(group.rows).toBe(rows);
      }
      if (rows > 0) expect(group.finish().columns.map(({ values }) => values >= 0)).not.toContain(false);
    }),
    runs(200),
  );
});
