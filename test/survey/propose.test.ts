// What `derive infer` makes of messages: a column for each path, of the type its values have.
import { describe, expect, test } from "bun:test";
import { MessageDecoder } from "../../src/heka/message.ts";
import { type Era, framePing } from "../../src/heka/ping.ts";
import { encodeMessage, type FieldInit } from "../../src/heka/writer.ts";
import { propose } from "../../src/survey/propose.ts";
import { Survey } from "../../src/survey/survey.ts";
import { messagesOf } from "../heka/objects.ts";

function surveyed(pings: readonly object[], era: Era = "hindsight"): Survey {
  const survey = new Survey();
  for (const ping of pings) survey.add(new MessageDecoder().decode(messagesOf(framePing(ping, {}, era))[0]!));
  return survey;
}

/** Path to expression, of those below `below`. */
function expressions(pings: readonly object[], below = "p", era?: Era): Record<string, string> {
  const { columns } = propose(surveyed(pings, era).root, 0, [below]);
  return Object.fromEntries(
    columns.map(({ path, expression }) => [path.slice(1).join("."), expression.replace(/"p\.[^"]*"/, "…")]),
  );
}

const same = (p: unknown) => Array.from({ length: 100 }, () => ({ p }));

describe("types", () => {
  test.each([
    [{ a: "x" }, { a: "string(…)" }],
    [{ a: 1 }, { a: "int(…)" }],
    [{ a: 2 ** 40 }, { a: "long(…)" }],
    [{ a: 1.5 }, { a: "double(…)" }],
    [{ a: 1e300 }, { a: "double(…)" }],
    [{ a: true }, { a: "boolean(…)" }],
    [{ a: [1, 2] }, { a: "list(int().optional(), …)" }],
    [{ a: [] }, { a: "json(…)" }],
    [{ a: {} }, { a: "json(…)" }],
    [{ a: [1, "x"] }, { a: "list(json().optional(), …)" }],
    [{ a: { b: { c: "x" } } }, { "a.b.c": "string(…)" }],
    [{ a: [{ b: 1, c: "x" }] }, { a: "list(record({ b: int().optional(), c: string().optional() }).optional(), …)" }],
    [{ a: { "{ec8030f7}": 1, "b@c": 2 } }, { a: "map(int().optional(), …)" }],
    [{ a: { "x.y": 1 } }, { "a.x.y": 'int(["p", "a", "x.y"])' }],
    [{ a: null }, {}],
  ])("%j", (p, expected) => expect(expressions(same(p))).toEqual(expected));

  test("numbers and their decimal texts are one column, numbers and words are not", () => {
    const mixed = [...same({ a: 1, b: 1 }), { p: { a: "2", b: "two" } }];
    expect(expressions(mixed)).toEqual({ a: "int(…)", b: "json(…)" });
  });

  test("many keys of which each object has few are a map", () => {
    const p = (i: number) => ({ p: { a: { [`k${i % 30}`]: i }, b: 1 } });
    expect(expressions(Array.from({ length: 100 }, (_, i) => p(i)))).toEqual({
      a: "map(int().optional(), …)",
      b: "int(…)",
    });
  });
});

test("missing, null, or too few messages to be sure: optional", () => {
  expect(expressions([...same({ a: 1, b: 1 }), { p: { b: null } }])).toEqual({
    a: "int(…).optional()",
    b: "int(…).optional()",
  });
  expect(expressions([{ p: { a: 1 } }])).toEqual({ a: "int(…).optional()" });
});

test("paths that few messages have are left out, and counted", () => {
  const survey = surveyed([...same({ a: 1 }), { p: { a: 1, rare: 1 } }]);
  const { columns, rare } = propose(survey.root, 0.05, ["p"]);
  expect([columns.map(({ name }) => name), rare]).toEqual([["a"], 1]);
});

test("the same columns from every era: sections are found where they were split off to", () => {
  const pings = Array.from({ length: 100 }, (_, i) => ({
    clientId: "c0ffee",
    environment: { build: { version: "42.0", id: String(i) }, system: { memoryMB: 8000 } },
    payload: { info: { subsessionLength: 5 } },
  }));
  for (const below of ["environment", "payload"]) {
    const found = (["heka", "hindsight", "landfill"] as const).map((era) => expressions(pings, below, era));
    expect(Object.keys(found[0]!).length).toBeGreaterThan(0);
    expect(found[1]).toEqual(found[0]!);
    expect(found[2]).toEqual(found[0]!);
  }
});

test("a field is what its path means, and its type decides", () => {
  const fields: FieldInit[] = [
    { name: "whole", type: "double", values: [4] },
    { name: "count", type: "integer", values: [9007199254740993n] },
    { name: "raw", type: "bytes", values: [Uint8Array.of(255)] },
    { name: "x", type: "bool", values: [true] },
  ];
  const survey = new Survey();
  for (let i = 0; i < 100; i++)
    survey.add(new MessageDecoder().decode(encodeMessage({ payload: '{"x":"text"}', fields })));
  expect(propose(survey.root, 0).columns.map(({ expression }) => expression)).toEqual([
    "boolean()",
    "double()",
    "long()",
    "bytes()",
  ]);
});

test("names are legal and unique, and lead back to their paths", () => {
  const p = { a: { id: 1 }, b: { id: 2 }, "9-x": 3, id: 4 };
  const { columns } = propose(surveyed(same(p)).root, 0, ["p"]);
  const names = columns.map(({ name }) => name);
  expect(new Set(names).size).toBe(4);
  for (const name of names) expect(name).toMatch(/^[A-Za-z_]\w*$/);
});

test("P12 what is told of values tells none of them", () => {
  const p = { a: "secret-value", b: ["secret-item"], c: { "{secret-key}": "secret-deep" }, d: 90125 };
  const { columns } = propose(surveyed(same(p)).root, 0, ["p"]);
  const told = JSON.stringify(columns.map(({ examples, ...column }) => column));
  for (const secret of ["secret", "90125"]) expect(told).not.toContain(secret);
  expect(columns[0]).toMatchObject({ looks: "text, 12 characters, always the same", examples: ["secret-value"] });
});

test("hostile keys pollute nothing", () => {
  const ping = JSON.parse('{"p":{"__proto__":{"x":1},"constructor":2,"toString":"3"}}');
  expect(Object.keys(expressions([ping])).sort()).toEqual(["__proto__.x", "constructor", "toString"]);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});
