// Columns of one value: what each type takes, at the top of a message and inside a list alike, and the words after it.

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
  string,
  timestamp,
} from "derive";
import { derivePing } from "derive/test";
import { derived, stored } from "./derived.ts";

const micros = 1_446_024_600_250_000n;

const taken: [column: Column, value: Json, expected: unknown][] = [
  [string(), "", ""],
  [string(), "é\u{1f600}", "é\u{1f600}"],
  [string(), 1.5, "1.5"],
  [string(), -0, "0"],
  [int(), 0, 0],
  [int(), -0x80000000, -0x80000000],
  [int(), 0x7fffffff, 0x7fffffff],
  [int(), "12", 12],
  [int(), "3.0", 3],
  [long(), 5, 5n],
  [long(), "9223372036854775807", 9223372036854775807n],
  [long(), "-9223372036854775808", -9223372036854775808n],
  [double(), 0.1, 0.1],
  [double(), 7, 7],
  [double(), "-1.5e3", -1500],
  [boolean(), true, true],
  [boolean(), false, false],
  [bytes(), "é", new Uint8Array([0xc3, 0xa9])],
  [json(), { a: [1, null, "x"] }, '{"a":[1,null,"x"]}'],
  [json(), [], "[]"],
  [timestamp(), "2015-10-28T09:30:00.25Z", micros],
  [timestamp(undefined, "s"), 1446024600.25, micros],
  [timestamp(undefined, "ms"), 1446024600250, micros],
  [timestamp(undefined, "us"), "1446024600250000", micros],
  [timestamp(undefined, "ns"), "1446024600250000999", micros],
  [timestamp(undefined, "s"), -1.5, -1_500_000n],
];

test.each(taken)("%# is taken", (column, value, expected) => {
  expect(stored(column, value)).toEqual(expected);
  expect(stored(list(column), [value, value])).toEqual([expected, expected]);
});

const refused: [column: Column, value: Json, state: string][] = [
  [string(), true, "is not a string"],
  [string(), {}, "is not a string"],
  [int(), 1.5, "is not an int"],
  [int(), 0x80000000, "is not an int"],
  [int(), "", "is not an int"],
  [int(), "0x10", "is not an int"],
  [int(), true, "is not an int"],
  [int(), [], "is not an int"],
  [long(), 0.5, "is not a long"],
  [long(), "9223372036854775808", "is not a long"],
  [long(), 1e300, "is not a long"],
  [double(), "one", "is not a double"],
  [double(), " 1", "is not a double"],
  [double(), {}, "is not a double"],
  [boolean(), 1, "is not a boolean"],
  [boolean(), "true", "is not a boolean"],
  [bytes(), 1, "is not bytes"],
  [timestamp(), "yesterday", "is not a timestamp"],
  [timestamp(), 1446024600, "is not a timestamp"],
  [timestamp(undefined, "s"), "2015-10-28", "is not a timestamp"],
  [timestamp(undefined, "s"), 1e17, "is not a timestamp"],
  [list(string()), "a", "is not a list"],
];

test.each(refused)("%# is refused, whatever becomes of missing values", (column, value, state) => {
  const failed = { failed: `v ${state}` };
  expect(derived(column, value)).toEqual(failed);
  expect(derived(list(column), [value])).toEqual({ failed: `v[] ${state}` });
  const required = column as ReturnType<typeof string>;
  expect(derived(required.optional(), value)).toEqual(failed);
  expect(derived(required.orSkip(), value)).toEqual(failed);
});

test("missing is absent or null, and the three words say what it means", () => {
  for (const missing of [undefined, null]) {
    expect(derived(string(), missing)).toEqual({ failed: "v missing" });
    expect(derived(string().optional(), missing)).toEqual({ row: { v: null } });
    expect(derived(string().default("??"), missing)).toEqual({ row: { v: "??" } });
    expect(derived(string().orSkip(), missing)).toEqual({ filtered: "v missing" });
    expect(derived(json().optional(), missing)).toEqual({ row: { v: null } });
    expect(derived(json().default({ a: 1 }), missing)).toEqual({ row: { v: '{"a":1}' } });
    expect(derived(long().default(1), missing)).toEqual({ row: { v: 1n } });
    expect(derived(timestamp().default(new Date(1)), missing)).toEqual({ row: { v: 1000n } });
  }
});

test("the first missing column decides, and paths are named whole", () => {
  const columns = { a: string("p.q").orSkip(), b: string(["r", "s"]), c: string().orSkip() };
  const stream = defineStream({ streamName: "t", columns });
  expect(derivePing(stream, {})).toEqual({ filtered: "p.q missing" });
  expect(derivePing(stream, { p: { q: "1" } })).toEqual({ failed: "r.s missing" });
  expect(derivePing(stream, { p: { q: "1" }, r: { s: "2" } })).toEqual({ filtered: "c missing" });
  expect(derivePing(stream, { p: { q: "1" }, r: { s: "2" }, c: "3" })).toEqual({ row: { a: "1", b: "2", c: "3" } });
});

test("map changes present values in turn, before the default, wherever that stands", () => {
  const trimmed = string()
    .map((text) => text.trim())
    .map((text) => text || null);
  expect(stored(trimmed, " a ")).toBe("a");
  expect(derived(trimmed, " ")).toEqual({ failed: "v missing" });
  expect(stored(trimmed.default("none"), " ")).toBe("none");
  expect(
    stored(
      string()
        .default(" none ")
        .map((text) => text.trim()),
      "",
    ),
  ).toBe("");
  expect(
    stored(
      string()
        .default(" none ")
        .map((text) => text.trim()),
    ),
  ).toBe(" none ");
  expect(
    stored(
      string()
        .optional()
        .map((text) => text.toUpperCase()),
    ),
  ).toBe(null);
  expect(
    derived(
      string()
        .orSkip()
        .map(() => null),
      "a",
    ),
  ).toEqual({ filtered: "v missing" });
});

test("what functions give is seen by the next as the column's type", () => {
  expect(
    stored(
      long()
        .map(() => 5)
        .map((value) => value + 1n),
      1,
    ),
  ).toBe(6n);
  expect(
    stored(
      timestamp()
        .map(() => new Date(2))
        .map((value) => value + 1n),
      "2015-10-28",
    ),
  ).toBe(2001n);
  expect(
    stored(
      json()
        .map((value) => value.a)
        .map((value) => [value]),
      { a: 1 },
    ),
  ).toBe("[1]");
});

const wrongResults: [column: Column, state: string][] = [
  [string().map(() => 1 as never), "is not a string"],
  [int().from(() => 0.5), "is not an int"],
  [int().from(() => 2 ** 31), "is not an int"],
  [long().from(() => 2 ** 53), "is not a long"],
  [long().from(() => 2n ** 63n), "is not a long"],
  [double().from(() => "1" as never), "is not a double"],
  [boolean().from(() => 1 as never), "is not a boolean"],
  [bytes().from(() => "a" as never), "is not bytes"],
  [timestamp().from(() => new Date(Number.NaN)), "is not a timestamp"],
  [json().from(() => (() => 1) as never), "is not JSON"],
  [json().from(() => 1n as never), "is not JSON"],
  [json().from((async () => 1) as never), "is not JSON"],
  [int().from((async () => 1) as never), "is not an int"],
  [string().from((() => {}) as never), "was computed as undefined"],
  [
    string()
      .optional()
      .map((() => undefined) as never),
    "was computed as undefined",
  ],
  [list(int()).from(() => 1 as never), "is not a list"],
];

test.each(wrongResults)("%# is a wrong result of a function", (column, state) => {
  expect(derived(column, "a")).toEqual({ failed: `v ${state}` });
});

test("computed columns see other columns by their own words", () => {
  const inputs = { a: int(), b: int("x.b").optional(), c: int().default(7), d: json(["x"]) };
  const columns = { v: string().from(inputs, (values) => JSON.stringify(values)) };
  const stream = defineStream({ streamName: "t", columns });
  expect(derivePing(stream, { a: 1, x: { b: 2 } })).toEqual({ row: { v: '{"a":1,"b":2,"c":7,"d":{"b":2}}' } });
  expect(derivePing(stream, { a: 1, c: 0, x: {} })).toEqual({ row: { v: '{"a":1,"b":null,"c":0,"d":{}}' } });
  expect(derivePing(stream, { x: {} })).toEqual({ failed: "v missing" });
  expect(derivePing(stream, { a: "a", x: {} })).toEqual({ failed: "a is not an int" });
});

test("a computed column's own words are about its result", () => {
  const inputs = { a: int(), skip: int("s").orSkip() };
  const sum = () => int().from(inputs, ({ a, skip }) => (a < 0 ? null : a + skip));
  const stream = (v: Column) => defineStream({ streamName: "t", columns: { v } });
  expect(derivePing(stream(sum()), { a: 1, s: 2 })).toEqual({ row: { v: 3 } });
  expect(derivePing(stream(sum()), { a: 1 })).toEqual({ filtered: "s missing" });
  expect(derivePing(stream(sum().default(9)), { s: 2 })).toEqual({ row: { v: 9 } });
  expect(derivePing(stream(sum().optional()), { a: -1, s: 2 })).toEqual({ row: { v: null } });
  expect(derivePing(stream(sum().orSkip()), { a: -1, s: 2 })).toEqual({ filtered: "v missing" });
  const doubled = stream(sum().map((value) => value * 2));
  expect(derivePing(doubled, { a: 1, s: 2 })).toEqual({ row: { v: 6 } });
  expect(derivePing(doubled, { a: 1 })).toEqual({ filtered: "s missing" });
});

test("a column computed from the message", () => {
  const v = string().from((message) => message.type + message.string("a", ""));
  expect(derivePing(defineStream({ streamName: "t", columns: { v } }), { a: "!" })).toEqual({
    row: { v: "telemetry!" },
  });
});

test("a function that throws fails the record", () => {
  const broken = () => {
    throw new RangeError("too far");
  };
  expect(derived(string().map(broken), "a")).toEqual({ failed: "RangeError: too far" });
});
