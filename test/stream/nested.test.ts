// Columns of many values: lists, maps and records, their entries, keys and missing values, at any depth.

import { expect, test } from "bun:test";
import {
  boolean,
  bytes,
  type Column,
  defineStream,
  double,
  int,
  type Json,
  json,
  list,
  long,
  map,
  record,
  string,
  timestamp,
} from "derive";
import { derivePing } from "derive/test";
import fc from "fast-check";
import { derived, stored } from "./derived.ts";

const addons: Json = { "a@x": { version: "1", system: true }, "b@x": { version: null }, "c.d": {} };

test("a list takes the items of an array and the values of an object", () => {
  expect(stored(list(string()), ["a", "b"])).toEqual(["a", "b"]);
  expect(stored(list(string()), { x: "a", y: "b" })).toEqual(["a", "b"]);
  expect(stored(list(string()), [])).toEqual([]);
  expect(stored(list(int("size")), [{ size: 1 }, { size: 2 }])).toEqual([1, 2]);
  expect(stored(list(list(int())), [[1], [], [2, 3]])).toEqual([[1], [], [2, 3]]);
});

test("a record of an entry reads below it, and $key is the entry's key", () => {
  const addon = record({ id: string("$key"), version: string().optional(), system: boolean().default(false) });
  expect(stored(list(addon), addons)).toEqual([
    { id: "a@x", version: "1", system: true },
    { id: "b@x", version: null, system: false },
    { id: "c.d", version: null, system: false },
  ]);
  expect(stored(map(addon), { k: {} })).toEqual({ k: { id: "k", version: null, system: false } });
  expect(stored(list(string("$key")), addons)).toEqual(["a@x", "b@x", "c.d"]);
  expect(stored(list(int("$key")), { "1": {}, "22": {} })).toEqual([1, 22]);
});

test("$key is that of the nearest entry, and no array has one", () => {
  const names = list(list(string("$key"), "icons"));
  expect(stored(names, { a: { icons: { small: 1, large: 2 } } })).toEqual([["small", "large"]]);
  expect(stored(list(record({ inner: record({ id: string("$key") }) })), { a: { inner: {} } })).toEqual([
    { inner: { id: "a" } },
  ]);
  expect(derived(list(string("$key")), ["a"])).toEqual({ failed: "v[].$key missing" });
  expect(stored(list(int(["$key"])), [{ $key: 1 }])).toEqual([1]);
});

test("a map keeps keys as they are, and reads each value at its column's path", () => {
  expect(stored(map(long("sum")), { "google.urlbar": { sum: 3 }, "": { sum: "4" } })).toEqual({
    "google.urlbar": 3n,
    "": 4n,
  });
  expect(stored(map(long()), { a: 1 })).toEqual({ a: 1n });
  expect(stored(map(map(string())), { a: { b: "c" }, d: {} })).toEqual({ a: { b: "c" }, d: {} });
  const odd = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}');
  expect(Object.entries(stored(map(int()), odd) as object)).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
    ["toString", 3],
  ]);
  expect(Object.entries(stored(map(json()), odd) as object)).toEqual([
    ["__proto__", "1"],
    ["constructor", "2"],
    ["toString", "3"],
  ]);
});

test("names that every object inherits are ordinary names", () => {
  const column = list(
    record({ constructor: string().optional(), toString: int().default(0) } as { [name: string]: Column }),
  );
  expect(stored(column, [{}, { constructor: "a", toString: 1 }])).toEqual([
    { constructor: null, toString: 0 },
    { constructor: "a", toString: 1 },
  ] as never);
  const returned = record({ constructor: string().optional() } as { [name: string]: Column }).from(() => ({}) as never);
  expect(Object.entries(stored(returned) as object)).toEqual([["constructor", null]]);
  expect(stored(list(json().optional()), [null, 1])).toEqual([null, "1"]);
  expect(derived(list(string("constructor")), [{}])).toEqual({ failed: "v[].constructor missing" });
});

test("a missing value inside fails, is filled, or leaves its entry out, not the message", () => {
  const items: Json = [{ id: "a" }, { id: null }, null, { id: "b" }];
  expect(derived(list(string("id")), items)).toEqual({ failed: "v[].id missing" });
  expect(stored(list(string("id").optional()), items)).toEqual(["a", null, null, "b"]);
  expect(stored(list(string("id").default("?")), items)).toEqual(["a", "?", "?", "b"]);
  expect(stored(list(string("id").orSkip()), items)).toEqual(["a", "b"]);
  expect(stored(list(record({ id: string().orSkip() }).orSkip()), items)).toEqual([{ id: "a" }, { id: "b" }]);
  expect(derived(list(record({ id: string().orSkip() })), items)).toEqual({ failed: "v[] missing" });
  expect(stored(map(string("id").orSkip()), { x: { id: "a" }, y: {} })).toEqual({ x: "a" });
  expect(stored(map(list(int().orSkip())), { x: [1, null], y: [] })).toEqual({ x: [1], y: [] });
});

test("P12: errors name columns and paths, never keys or values of a ping", () => {
  expect(derived(map(long("sum")), { secret: { sum: "secret" } })).toEqual({ failed: "v.*.sum is not a long" });
  expect(derived(map(list(record({ a: int("b.c") }))), { secret: [{ b: { c: "secret" } }] })).toEqual({
    failed: "v.*[].b.c is not an int",
  });
  expect(derived(map(timestamp()), { secret: "secret" })).toEqual({ failed: "v.* is not a timestamp" });
});

const wrong: [column: Column, value: Json, cause: string][] = [
  [list(string()), 1, "v is not a list"],
  [map(string()), ["a"], "v is not a map"],
  [map(string()), "a", "v is not a map"],
  [record({ a: string() }), ["a"], "v is not a record"],
  [record({ a: string() }), 1, "v is not a record"],
  [list(record({ a: string() })), ["a"], "v[] is not a record"],
  [list(list(string())), ["a"], "v[] is not a list"],
  [record({ a: record({ b: string() }) }), { a: {} }, "v.a.b missing"],
  [record({ a: record({ b: string() }) }), {}, "v.a missing"],
];

test.each(wrong)("%# is of a wrong type", (column, value, cause) => {
  expect(derived(column, value)).toEqual({ failed: cause });
});

test("a whole list, map or record may be missing", () => {
  expect(derived(list(string()))).toEqual({ failed: "v missing" });
  expect(stored(list(string()).optional())).toBe(null);
  expect(stored(list(string()).default([]))).toEqual([]);
  expect(stored(list(string()).default(["a"]), null)).toEqual(["a"]);
  expect(stored(map(long()).default({ a: 1 }))).toEqual({ a: 1n });
  expect(derived(map(int()).orSkip())).toEqual({ filtered: "v missing" });
  expect(stored(record({ a: int() }).optional())).toBe(null);
  expect(stored(record({ a: int() }).default({ a: 1 }))).toEqual({ a: 1 });
});

test("records of the ping, of a section, and of the message itself", () => {
  const columns = {
    os: record({ name: string(), version: string().optional() }, "environment.system.os"),
    all: record(
      { doc: string("docType"), os: string("environment.system.os.name"), n: record({ clientId: string() }, []) },
      [],
    ),
  };
  const stream = defineStream({ streamName: "t", columns });
  const ping = { type: "main", clientId: "c", environment: { system: { os: { name: "Linux" } } } };
  expect(derivePing(stream, ping)).toEqual({
    row: { os: { name: "Linux", version: null }, all: { doc: "main", os: "Linux", n: { clientId: "c" } } },
  });
  const skips = defineStream({ streamName: "t", columns: { all: record({ a: string("x.y").orSkip() }, []) } });
  expect(derivePing(skips, {})).toEqual({ filtered: "x.y missing" });
});

test("computed columns inside entries see the entry's own columns", () => {
  const size = int().from(
    { width: int(), height: int(), key: string("$key") },
    ({ width, height, key }) => width * height + key.length,
  );
  expect(stored(list(record({ size })), { ab: { width: 3, height: 4 } })).toEqual([{ size: 14 }]);
  expect(stored(list(size.optional()), [{}])).toEqual([null]);
  expect(derived(list(record({ size })), [{}])).toEqual({ failed: "v[].size missing" });
  expect(derived(list(record({ size })), [{ width: "wide" }])).toEqual({ failed: "v[].width is not an int" });
  const type = string().from((message) => message.type);
  expect(stored(list(record({ type })), [{}, {}])).toEqual([{ type: "telemetry" }, { type: "telemetry" }]);
});

test("functions see whole nested values as they are in the entries", () => {
  const item = record({ id: string(), at: timestamp(), raw: json() });
  const items: Json = [{ id: "a", at: "1970-01-01T00:00:01Z", raw: { n: 1 } }];
  expect(stored(list(item), items)).toEqual([{ id: "a", at: 1_000_000n, raw: '{"n":1}' }]);
  const changed = list(item).map((all) => [...all, { id: "b", at: new Date(2000), raw: all[0]!.raw.n }]);
  expect(stored(changed, items)).toEqual([
    { id: "a", at: 1_000_000n, raw: '{"n":1}' },
    { id: "b", at: 2_000_000n, raw: "1" },
  ]);
});

const results: [column: Column, cause: string][] = [
  [map(int()).from((async () => ({})) as never), "v is not a map"],
  [record({ a: int().optional() }).from(() => new Date(0) as never), "v is not a record"],
  [list(int()).from(() => [1, "2" as never]), "v[] is not an int"],
  [list(int()).from(() => [null as never]), "v[] missing"],
  [map(int()).from(() => [1] as never), "v is not a map"],
  [map(int()).from(() => ({ secret: 0.5 })), "v.* is not an int"],
  [record({ a: int() }).from(() => ({}) as never), "v.a missing"],
  [record({ a: int() }).from(() => ({ a: 1, secret: 2 }) as never), "v has a surplus field"],
  [record({ a: int() }).from(() => [] as never), "v is not a record"],
];

test.each(results)("%# is a wrong nested result of a function", (column, cause) => {
  expect(derived(column, "a")).toEqual({ failed: cause });
});

test("nested results of functions may leave out what has a word for it", () => {
  const column = record({ a: int().optional(), b: int().default(5) }).from(() => ({}) as never);
  expect(stored(column)).toEqual({ a: null, b: 5 });
  expect(stored(map(long()).from(() => new Map([["a", 1]]) as never))).toEqual({ a: 1n });
});

test("a value is read by the same rules in a list as at the top of a message", () => {
  const scalars = [string(), int(), double(), boolean(), timestamp(), timestamp(undefined, "s"), json(), long()];
  // Beyond 2^53 a message gives longs as written, nested JSON as JSON.parse rounds them: documented, so not asked here.
  const values: fc.Arbitrary<Json> = fc.oneof(
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true, maxExcluded: true, min: -1e15, max: 1e15 }),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.constant<Json>([]),
    fc.constantFrom("12", "-0", "1.50", "1e3", "3.0", "007", "+1", "1.", ".5", "2015-10-28"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...scalars), values, (column, value) => {
      const top = derived(column, value);
      const inside = derived(list(column), [value]);
      if ("row" in top) expect(inside).toEqual({ row: { v: [top.row.v] } });
      else expect(inside).toEqual({ failed: (top as { failed: string }).failed.replace(/^v/, "v[]") });
    }),
    { numRuns: 400 },
  );
});

test("columns that read the same map get each their own: what a function does to its one is nobody else's", () => {
  const counts = map(int(), "v");
  const emptied = int().from({ counts }, ({ counts }) => {
    let sum = 0;
    for (const key of Object.keys(counts)) {
      sum += counts[key]!;
      delete (counts as Record<string, number>)[key];
    }
    return sum;
  });
  const stream = defineStream({ streamName: "t", columns: { first: emptied, second: emptied, whole: counts } });
  const row = { first: 3, second: 3, whole: { a: 1, b: 2 } };
  expect(derivePing(stream, { v: { a: 1, b: 2 } })).toEqual({ row });
  expect(derivePing(stream, { v: { c: 5 } })).toEqual({ row: { first: 5, second: 5, whole: { c: 5 } } });

  const trees = map(json(), "v");
  const pruned = int().from({ trees }, ({ trees }) => {
    const { leaves } = trees.a as { leaves: Json[] };
    return leaves.push(0);
  });
  const pruning = defineStream({ streamName: "t", columns: { first: pruned, second: pruned, whole: trees } });
  expect(derivePing(pruning, { v: { a: { leaves: [7, { b: 1 }] } } })).toEqual({
    row: { first: 3, second: 3, whole: { a: '{"leaves":[7,{"b":1}]}' } },
  });
});

test("copies for functions go as deep as they can change anything", () => {
  const shapes = {
    list: list(int().optional(), "v.list"),
    records: list(record({ raw: bytes(), tags: map(list(string())), none: json().optional() }), "v.records"),
    record: record({ inner: record({ n: int() }), any: json() }, "v.record"),
  };
  const spoil = (value: unknown): void => {
    if (value instanceof Uint8Array) value.fill(0);
    else if (Array.isArray(value)) {
      value.forEach(spoil);
      value.length = 0;
    } else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        spoil(inner);
        delete (value as Record<string, unknown>)[name];
      }
    }
  };
  const told = string().from(shapes, (values) => {
    const text = JSON.stringify(values, (_, value) => (value instanceof Uint8Array ? [...value] : value));
    spoil(values);
    return text;
  });
  const stream = defineStream({ streamName: "t", columns: { first: told, ...shapes, last: told } });
  const v = {
    list: [1, null, 2],
    records: [{ raw: "ab", tags: { x: ["y"] } }],
    record: { inner: { n: 3 }, any: { deep: [{ er: 1 }] } },
  };
  const { row } = derivePing(stream, { v }) as { row: Record<string, unknown> };
  expect(JSON.parse(row.first as string)).toEqual({
    list: v.list,
    records: [{ raw: [97, 98], tags: { x: ["y"] }, none: null }],
    record: v.record,
  });
  expect(row.last).toEqual(row.first);
  expect(row).toMatchObject({ list: v.list, record: { inner: { n: 3 }, any: '{"deep":[{"er":1}]}' } });
});
