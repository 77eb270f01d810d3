// Random Avro schemas and random rows come back equal through three readers.

import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { Codec } from "../../src/parquet/rowgroup.ts";
import { READERS, readWith } from "./readers.ts";
import { writePart } from "./write.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

/** A type without names yet: named types get theirs from their place. */
type Shape =
  | { kind: "scalar"; name: keyof typeof SCALARS }
  | { kind: "enum" | "fixed" | "decimal" }
  | { kind: "nullable" | "array" | "map"; of: Shape }
  | { kind: "record"; fields: Shape[] }
  | { kind: "union"; nullable: boolean; record: Shape[] };

/** A value as a stream gives it and as readers (in readers.ts's common form) see it. */
interface Pair {
  readonly given: unknown;
  readonly seen: unknown;
}

interface Built {
  readonly type: unknown;
  readonly pairs: fc.Arbitrary<Pair>;
}

const same = (value: unknown): Pair => ({ given: value, seen: value });
// Few distinct values half of the time, so that dictionaries pay in some columns and not in others.
const text = fc.oneof(
  fc.constantFrom("", "main", "crash", "naïve 🦆"),
  fc.string({ unit: "grapheme", maxLength: 100 }),
);
const bytes = fc.uint8Array({ maxLength: 80 });
const hex = (value: Uint8Array) => Buffer.from(value).toString("hex");
// Arrow's JavaScript holds timestamps in milliseconds as doubles: from 1910 to 2030 microseconds survive that.
const micros = fc.bigInt({ min: -1_900_000_000_000_000n, max: 1_900_000_000_000_000n });

const SCALARS = {
  boolean: { type: "boolean", pairs: fc.boolean().map(same) },
  int: { type: "int", pairs: fc.oneof(fc.integer(), fc.nat(3)).map(same) },
  long: { type: "long", pairs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(same) },
  float: { type: "float", pairs: fc.float().map(same) },
  double: { type: "double", pairs: fc.double().map(same) },
  bytes: { type: "bytes", pairs: bytes.map((given) => ({ given, seen: hex(given) })) },
  string: { type: "string", pairs: text.map(same) },
  date: { type: { type: "int", logicalType: "date" }, pairs: fc.integer({ min: -60000, max: 90000 }).map(same) },
  timestamp: { type: { type: "long", logicalType: "timestamp-micros" }, pairs: micros.map(same) },
  local: { type: { type: "long", logicalType: "local-timestamp-micros" }, pairs: micros.map(same) },
} satisfies Record<string, Built>;

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc
      .constantFrom(...(Object.keys(SCALARS) as (keyof typeof SCALARS)[]))
      .map((name) => ({ kind: "scalar" as const, name })),
    fc.record({ kind: fc.constantFrom("enum" as const, "fixed" as const, "decimal" as const) }),
    fc.record({ kind: fc.constantFrom("nullable" as const, "array" as const, "map" as const), of: tie("shape") }),
    fc.record({ kind: fc.constant("record" as const), fields: fc.array(tie("shape"), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      kind: fc.constant("union" as const),
      nullable: fc.boolean(),
      record: fc.array(tie("shape"), { minLength: 1, maxLength: 2 }),
    }),
  ),
}));

function build(shape: Shape, name: string): Built {
  switch (shape.kind) {
    case "scalar":
      return SCALARS[shape.name];
    case "enum":
      return {
        type: { type: "enum", name, symbols: ["A", "B", "C"] },
        pairs: fc.constantFrom("A", "B", "C").map(same),
      };
    case "fixed":
      return {
        type: { type: "fixed", name, size: 4 },
        pairs: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((given) => ({ given, seen: hex(given) })),
      };
    case "decimal":
      return {
        type: { type: "bytes", logicalType: "decimal", precision: 12, scale: 3 },
        pairs: fc.bigInt({ min: -(10n ** 12n) + 1n, max: 10n ** 12n - 1n }).map(same),
      };
    case "nullable": {
      const { type, pairs } = build(shape.of, name);
      // Avro has no union in a union: the null joins one that is there.
      const union = Array.isArray(type) ? type : [type];
      return {
        type: union.includes("null") ? union : [...union, "null"],
        pairs: fc.oneof(pairs, fc.constant(same(null))),
      };
    }
    case "array": {
      const { type, pairs } = build(shape.of, name);
      const items = fc.array(pairs, { maxLength: 4 });
      return { type: { type: "array", items: type }, pairs: items.map((all) => each(all)) };
    }
    case "map": {
      const { type, pairs } = build(shape.of, name);
      const entries = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b.c", "7", "é", ""), pairs), {
        selector: ([key]) => key,
      });
      return {
        type: { type: "map", values: type },
        pairs: entries.map((all) => ({
          given: Object.fromEntries(all.map(([key, { given }]) => [key, given])),
          seen: all.map(([key, { seen }]) => [key, seen]).sort(([a], [b]) => (a! < b! ? -1 : 1)),
        })),
      };
    }
    case "record":
      return buildRecord(shape.fields, name);
    case "union": {
      const record = buildRecord(shape.record, `${name}R`);
      const member = (index: number) => (pair: Pair) => ({
        given: pair.given,
        seen: { member0: null, member1: null, member2: null, [`member${index}`]: pair.seen },
      });
      const branches = [
        fc.boolean().map(same).map(member(0)),
        text.map(same).map(member(1)),
        record.pairs.map(member(2)),
      ];
      return {
        type: ["boolean", "string", record.type, ...(shape.nullable ? ["null"] : [])],
        pairs: fc.oneof(...branches, ...(shape.nullable ? [fc.constant(same(null))] : [])),
      };
    }
  }
}

function buildRecord(fields: readonly Shape[], name: string): Built {
  const built = fields.map((field, i) => build(field, `${name}f${i}`));
  return {
    type: { type: "record", name, fields: built.map(({ type }, i) => ({ name: `f${i}`, type })) },
    pairs: fc.tuple(...built.map(({ pairs }) => pairs)).map((values) => ({
      given: Object.fromEntries(values.map(({ given }, i) => [`f${i}`, given])),
      seen: Object.fromEntries(values.map(({ seen }, i) => [`f${i}`, seen])),
    })),
  };
}

function each(pairs: readonly Pair[]): Pair {
  return { given: pairs.map(({ given }) => given), seen: pairs.map(({ seen }) => seen) };
}

const files = fc.array(shape, { minLength: 1, maxLength: 5 }).chain((fields) => {
  const { type, pairs } = buildRecord(fields, "Root");
  return fc.record({
    literal: fc.constant(type),
    rows: fc.array(pairs, { minLength: 1, maxLength: 60 }),
    codec: fc.constantFrom<Codec>("zstd", "snappy", "gzip", "none"),
    groupRows: fc.constantFrom(7, 1000),
  });
});

test("random schemas and rows come back through hyparquet, DuckDB and arrow-rs", async () => {
  await fc.assert(
    fc.asyncProperty(files, async ({ literal, rows, codec, groupRows }) => {
      const file = writePart(
        literal,
        rows.map(({ given }) => given),
        { codec, groupRows },
      );
      const seen = rows.map((row) => row.seen);
      for (const reader of Object.keys(READERS))
        expect(await readWith(reader, literal, file)).toEqual(seen as object[]);
    }),
    { numRuns: 120 },
  );
}, 60_000);
