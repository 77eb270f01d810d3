// What each getter makes of each kind of value, in fields and in JSON.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MissingField, ValueError } from "../../src/errors.ts";
import { type Json, MessageDecoder, type RawMessage } from "../../src/heka/message.ts";
import { encodeMessage, type FieldInit } from "../../src/heka/writer.ts";

const decoder = new MessageDecoder();
const ofPayload = (payload: string): RawMessage => decoder.decode(encodeMessage({ payload }));
const ofField = (type: FieldInit["type"], value: FieldInit["values"][number], name = "v"): RawMessage =>
  decoder.decode(encodeMessage({ fields: [{ name, type, values: [value] }] }));

const getters = ["string", "int", "long", "double", "boolean"] as const;
/** What the five getters give; undefined stands for "of another type". */
function outcomes(message: RawMessage): unknown[] {
  return getters.map((getter) => {
    try {
      return message[getter]("v");
    } catch (error) {
      expect(error).toBeInstanceOf(ValueError);
      expect(error).not.toBeInstanceOf(MissingField);
      expect((error as ValueError).state).toBe(`is not a${getter === "int" ? "n" : ""} ${getter}`);
      return undefined;
    }
  });
}

const no = undefined;
describe("values in JSON", () => {
  test.each<[string, unknown[]]>([
    ['"text"', ["text", no, no, no, no]],
    ['""', ["", no, no, no, no]],
    ['"\\u00e9\\n"', ["é\n", no, no, no, no]],
    ['"\\ud800"', ["\ud800", no, no, no, no]],
    ['"12"', ["12", 12, 12n, 12, no]],
    ['"-12.50"', ["-12.50", no, no, -12.5, no]],
    ['"3.0"', ["3.0", 3, 3n, 3, no]],
    ['"007"', ["007", 7, 7n, 7, no]],
    ['"1e3"', ["1e3", 1000, 1000n, 1000, no]],
    ['" 1"', [" 1", no, no, no, no]],
    ['"0x10"', ["0x10", no, no, no, no]],
    ['"Infinity"', ["Infinity", no, no, no, no]],
    ["12", ["12", 12, 12n, 12, no]],
    ["3.0", ["3", 3, 3n, 3, no]],
    ["-0", ["0", 0, 0n, -0, no]],
    ["0.1", ["0.1", no, no, 0.1, no]],
    ["1E2", ["100", 100, 100n, 100, no]],
    ["2147483647", ["2147483647", 2147483647, 2147483647n, 2147483647, no]],
    ["2147483648", ["2147483648", no, 2147483648n, 2147483648, no]],
    ["-2147483648", ["-2147483648", -2147483648, -2147483648n, -2147483648, no]],
    ["9007199254740993", ["9007199254740993", no, 9007199254740993n, 9007199254740992, no]],
    ["9223372036854775807", ["9223372036854775807", no, 9223372036854775807n, 2 ** 63, no]],
    ["-9223372036854775808", ["-9223372036854775808", no, -9223372036854775808n, -(2 ** 63), no]],
    ["9223372036854775808", ["9223372036854775808", no, no, 2 ** 63, no]],
    ["1e300", ["1e+300", no, no, 1e300, no]],
    ["true", [no, no, no, no, true]],
    ["false", [no, no, no, no, false]],
    ['"true"', ["true", no, no, no, no]],
    ["[1]", [no, no, no, no, no]],
    ['{"a":1}', [no, no, no, no, no]],
  ])("%s", (json, expected) => {
    expect(outcomes(ofPayload(`{"v":${json}}`))).toEqual(expected);
    expect(ofPayload(` { "u" : [ {} , "]" ] , "v" : ${json} , "w":1 } `).json("v")).toEqual(JSON.parse(json));
  });

  test("bytes are the UTF-8 of a string", () => {
    expect(ofPayload('{"v":"\\u00e9"}').bytes("v")).toEqual(new Uint8Array([0xc3, 0xa9]));
    expect(() => ofPayload('{"v":1}').bytes("v")).toThrow("v is not bytes");
  });

  test.each([
    ['{"v":nul}', "v"],
    ['{"v":01}', "v"],
    ['{"v":"\\x"}', "v"],
    ['{"v":"a\u0001"}', "v"],
    ['{"v":"open', "v"],
    ['{"v":[1', "v"],
    ['{"v":}', "v"],
    ['{"v" 1}', "v"],
    ['{"u":1 "v":2}', "v"],
    ['{"u":1"v":2}', "v"],
    ['{"u":1,}', "v"],
    ["{u:1}", "v"],
    ["{", "v"],
  ])("%s is broken, and its text is not in the error (P12)", (payload, path) => {
    for (const getter of ["string", "int", "long", "double"] as const)
      expect(() => ofPayload(payload)[getter](path)).toThrow(new ValueError(path, "is in broken JSON"));
    expect(() => ofPayload(payload).json([])).toThrow(new ValueError("[]", "is not JSON"));
  });

  test("501 levels are too many, 500 are not (P9)", () => {
    const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
    expect(ofPayload(`{"v":${nested(499)}}`).has("v")).toBe(true);
    expect(ofPayload(`{"v":${nested(499)}}`).json([])).toBeObject();
    const state = "is in JSON deeper than 500 levels";
    expect(() => ofPayload(`{"v":${nested(500)}}`).has("v")).toThrow(new ValueError("v", state));
    expect(() => ofPayload(`{"v":${nested(500)}}`).json([])).toThrow(new ValueError("[]", state));
    expect(() => ofField("string", nested(501)).json("v")).toThrow(new ValueError("v", state));
    expect(ofField("string", nested(500)).json("v")).toBeArray();
    expect(() => ofField("string", nested(1_000_000)).json("v")).toThrow(new ValueError("v", state));
  });
});

describe("values in fields", () => {
  test.each<[FieldInit["type"], FieldInit["values"][number], unknown[], Json]>([
    ["string", "text", ["text", no, no, no, no], "text"],
    ["string", "4", ["4", 4, 4n, 4, no], "4"],
    ["string", "true", ["true", no, no, no, no], "true"],
    ["string", "null", ["null", no, no, no, no], "null"],
    ["string", '{"a":1}', ['{"a":1}', no, no, no, no], { a: 1 }],
    ["bytes", "[1]", ["[1]", no, no, no, no], [1]],
    ["bytes", "9223372036854775807", ["9223372036854775807", no, 2n ** 63n - 1n, 2 ** 63, no], "9223372036854775807"],
    ["integer", 7n, ["7", 7, 7n, 7, no], 7],
    ["integer", -(2n ** 63n), [String(-(2n ** 63n)), no, -(2n ** 63n), -(2 ** 63), no], -(2 ** 63)],
    ["double", 4, ["4", 4, 4n, 4, no], 4],
    [
      "double",
      1.485817115329e18,
      ["1485817115329000000", no, 1485817115328999936n, 1.485817115329e18, no],
      1.485817115329e18,
    ],
    ["double", 0.5, ["0.5", no, no, 0.5, no], 0.5],
    ["double", Number.NaN, ["NaN", no, no, Number.NaN, no], Number.NaN],
    ["double", 2 ** 63, ["9223372036854776000", no, no, 2 ** 63, no], 2 ** 63],
    ["bool", true, [no, no, no, no, true], true],
    ["bool", false, [no, no, no, no, false], false],
  ])("%s %p", (type, value, expected, json) => {
    const message = ofField(type, value);
    expect(outcomes(message)).toEqual(expected);
    expect(message.json("v")).toEqual(json);
    expect(message.has("v")).toBe(true);
  });

  test("bytes are a copy of what lies there", () => {
    const raw = new Uint8Array([0xff, 0, 0x1f]);
    const bytes = encodeMessage({ fields: [{ name: "v", type: "bytes", values: [raw] }] });
    const copy = decoder.decode(bytes).bytes("v");
    bytes.fill(0);
    expect(copy).toEqual(raw);
    expect(() => ofField("integer", 1).bytes("v")).toThrow("v is not bytes");
  });

  test("text that is not UTF-8 is decoded with U+FFFD and said so; a U+FFFD of its own is none", () => {
    const broken = ofField("bytes", new Uint8Array([0x61, 0xe1, 0x62]));
    expect([broken.string("v"), broken.invalidUtf8]).toEqual(["a\uFFFDb", true]);
    const own = ofField("string", "a\uFFFDb");
    expect([own.string("v"), own.invalidUtf8]).toEqual(["a\uFFFDb", false]);
  });
});

test("absent and null: MissingField, or what the caller gives instead", () => {
  const message = decoder.decode(
    encodeMessage({ payload: '{"n":null,"o":{}}', fields: [{ name: "s.t", type: "string", values: [" null "] }] }),
  );
  for (const path of ["n", "x", "o.x", "n.x", "s.t", "s.t.u"]) {
    expect(message.has(path)).toBe(false);
    for (const getter of [...getters, "bytes", "json"] as const) {
      expect(() => message[getter](path)).toThrow(new MissingField(path));
      for (const otherwise of [null, undefined, 5]) expect(message[getter](path, otherwise)).toBe(otherwise as never);
    }
  }
});

/** Every path of a parsed value that leads through objects alone, with what is there. */
function* paths(value: Json, path: string[] = []): Iterable<[string[], Json]> {
  if (path.length > 0) yield [path, value];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const key of Object.keys(value)) yield* paths(value[key], [...path, key]);
}

test("scanning finds what JSON.parse gives, at every path", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 4, stringUnit: "binary" })),
      fc.constantFrom(undefined, 1, "\t"),
      fc.boolean(),
      (value, indent, escaped) => {
        let text = JSON.stringify(value, null, indent);
        // The same text with every character beyond ASCII, and some letters escaped, in keys too.
        if (escaped)
          text = text.replace(
            /[g-kmopqw-zA-Z\u0080-\uffff]/g,
            (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
          );
        const parsed = JSON.parse(text) as Json;
        const message = ofPayload(text);
        for (const [path, expected] of [...paths(parsed)].reverse()) {
          expect(message.has(path)).toBe(expected !== null);
          expect(message.json(path, null)).toEqual(expected);
          if (typeof expected === "string") expect(message.string(path)).toBe(expected);
          if (typeof expected === "number") expect(message.double(path)).toBe(expected);
          expect(message.has([...path, "\u0000 not there"])).toBe(false);
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe("text that has no UTF-8", () => {
  const of = (payload: string, path: string[]) => {
    const message = ofPayload(payload);
    return { text: message.string(path), invalid: message.invalidUtf8 };
  };

  test("half a surrogate pair is counted, in a JSON string and anywhere in a whole value", () => {
    expect(of('{"a":"\\ud83d\\ude00"}', ["a"])).toEqual({ text: "\u{1f600}", invalid: false });
    expect(of('{"a":"\\ud83dx"}', ["a"])).toEqual({ text: "\ud83dx", invalid: true });
    for (const [payload, invalid] of [
      ['{"a":[{"b":"\\uDC00"}]}', true],
      ['{"a":{"\\ud800":1}}', true],
      ['{"a":["\\ud83d\\ude00"]}', false],
      ['{"a":"\\\\ud800"}', false],
    ] as const) {
      const message = ofPayload(payload);
      message.json("a");
      expect([payload, message.invalidUtf8]).toEqual([payload, invalid]);
    }
  });

  test("a byte order mark before JSON is passed over, in a field's text it stays", () => {
    const message = decoder.decode(
      encodeMessage({
        payload: '\ufeff {"a":{"b":1},"c":[2]}',
        fields: [
          { name: "text", type: "string", values: ["\ufeffx"] },
          { name: "environment.system", type: "bytes", values: [new TextEncoder().encode('\ufeff{"os":"x"}')] },
        ],
      }),
    );
    expect([message.int("a.b"), message.json("c"), message.json("environment.system")]).toEqual([1, [2], { os: "x" }]);
    expect([message.string("environment.system.os"), message.string("text")]).toEqual(["x", "\ufeffx"]);
    expect(message.invalidUtf8).toBe(false);
  });
});
