// Random messages for the tests of the kernel: fields of both eras, JSON that is whole, odd or broken, frames plain and in Snappy.
import fc from "fast-check";
import { compressSnappy, encodeFrame, encodeMessage, type FieldInit } from "../../src/heka/writer.ts";

const utf8 = new TextEncoder();

/** Names that are prefixes of each other, sections, and the fields that hold pings. */
const NAMES = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a", "b", "docType", "environment.system", "a.name.longer.than.one.vector") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("a.b", "a.b.c", "environment", "environment.system.os", "submission", "payload", "é"),
  },
  { weight: 1, arbitrary: fc.constant("content") },
);

/** Paths into them, and into JSON below. */
export const PATHS = [
  ..."a a.b a.b.c a.b.c.d b b.a b.key docType environment.system.os environment.system.os.a environment.system.b environment.system environment é.a missing".split(
    " ",
  ),
  ["a.b", "c"],
  ["b", "a.b"],
  ["payload", "a", "key"],
  "a.name.longer.than.one.vector.key",
];

const KEYS = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("a", "b", "c", "d", "key", "os") },
  { weight: 1, arbitrary: fc.constantFrom("a.b", "é", "\u0001", 'q"', "", "environment", "__proto__") },
);

const NUMBERS = [
  ..."0 -0 1 -1 1.5 3.0 -2147483648 2147483647 2147483648 9007199254740993 123456789012345678 1234567890123456789".split(
    " ",
  ),
  ..."9223372036854775807 9223372036854775808 1e3 1E+2 12e-1 1e22 1e23 1e400 1e-400 0.1 0.30000000000000004 5e-324".split(
    " ",
  ),
  ..."00 007 1. .5 1e +1 - 0x10 1e5.5 NaN Infinity 4.35 2.675 179769313486231570000e300 8.5e-15 1234567890.12345678".split(
    " ",
  ),
];

/** JSON texts, most of them whole: any value, or an object. */
const { value: json, object: jsonObject } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    { weight: 3, arbitrary: fc.constantFrom(...NUMBERS) },
    { weight: 1, arbitrary: fc.constantFrom("true", "false", "null", "tru", "nulls", "") },
    { weight: 2, arbitrary: fc.string({ maxLength: 90, unit: "grapheme" }).map((text) => JSON.stringify(text)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('"\\u00e9"', '"\\ud800"', '"a\\/b\\\\"', '"7"', '" 7"', '"1.50"', '"-0"', '"a\\n"'),
    },
    { weight: 1, arbitrary: fc.constantFrom('"\\x"', '"\u0001"', '"') },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(" ,")}]`) },
    { weight: 4, arbitrary: tie("object") },
  ),
  object: fc
    .array(fc.tuple(KEYS, tie("value"), fc.constantFrom("", "", " ", "\n\t")), { maxLength: 6 })
    .map(
      (members) =>
        `{${members.map(([key, value, space]) => `${JSON.stringify(key)}${space}:${space}${value}`).join(",")}}`,
    ),
}));

/** Nothing but the bytes that scanning looks at. */
const soup = fc
  .array(fc.constantFrom('"', "\\", "{", "}", "[", "]", ":", ",", " ", "a", '"a":', '{"a":{', '"b":"\\"', "null"), {
    maxLength: 150,
  })
  .map((parts) => parts.join(""));

const odd = fc.constantFrom(
  '{"a":1,}',
  '{"a":1 "b":2}',
  "{,}",
  '{"a"}',
  '{"\\u0061":1,"a":2}',
  '{"a":1,"a":2}',
  ' {"a": null } ',
  "null",
  " null\n",
  "nul",
  `${'{"a":'.repeat(499)}1${"}".repeat(499)}`,
  `{"a":${"[".repeat(600)}`,
  `{"b":${"[".repeat(500)}${"]".repeat(500)},"a":1}`,
  `{"b":"${"x".repeat(61)}\\\\","a":"y"}`,
  `{"b":[${'"\\\\\\"",'.repeat(40)}1],"a":{"b":1}}`,
  "[1,2]",
  "",
);

/** A text as bytes, at times with a byte changed: no UTF-8 any more. */
const textBytes = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: jsonObject },
      { weight: 4, arbitrary: json },
      { weight: 1, arbitrary: soup },
      { weight: 1, arbitrary: odd },
    ),
    fc.nat(19),
    fc.nat(),
  )
  .map(([text, dice, at]) => {
    const bytes = utf8.encode(text);
    if (dice === 0 && bytes.length > 0) bytes[at % bytes.length] = 0x80 + (at % 0x7f);
    return bytes;
  });

const field: fc.Arbitrary<FieldInit> = fc.tuple(NAMES, fc.boolean()).chain(([name, packed]) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .array(textBytes, { maxLength: 2, minLength: 0 })
        .map((values): FieldInit => ({ name, type: packed ? "string" : "bytes", values })),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { maxLength: 2 })
        .map((values): FieldInit => ({ name, type: "integer", values, packed })),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.oneof(fc.double(), fc.integer().map(Number)), { maxLength: 2 })
        .map((values): FieldInit => ({ name, type: "double", values, packed })),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.boolean(), { maxLength: 2 })
        .map((values): FieldInit => ({ name, type: "bool", values, packed })),
    },
  ),
);

/** More than is read at once, of words that Snappy finds again. */
const filler: FieldInit = {
  name: "filler",
  type: "bytes",
  values: [Array.from({ length: 2600 }, (_, i) => `word${(i * i * 7919) % 251} `).join("")],
};

/** One message, its payload at times JSON, at times longer than what is read at once. */
const message = fc
  .record({
    uuid: fc.constant(new Uint8Array(16).fill(7)),
    timestamp: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    payload: fc.oneof(fc.constant(undefined), json),
    fields: fc.array(field, { maxLength: 14 }),
    fillerAt: fc.nat(40),
  })
  .map(({ fields, fillerAt, payload, ...init }) => {
    const long = fillerAt <= fields.length ? fields.toSpliced(fillerAt, 0, filler) : fields;
    return encodeMessage({ ...init, payload: payload || undefined, fields: long });
  });

/** One frame: most often Snappy. */
const frame = fc
  .tuple(message, fc.boolean(), fc.boolean())
  .map(([bytes, plain, also]) => encodeFrame(plain && also ? bytes : compressSnappy(bytes)));

/** A raw object without damage. */
export const object = fc
  .array(frame, { minLength: 1, maxLength: 12 })
  .map((frames) => new Uint8Array(Buffer.concat(frames)));

/** One with some bytes changed, and at times cut off. */
export const damagedObject = fc
  .tuple(object, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(3), fc.nat())
  .map(([bytes, changes, cut, length]) => {
    const damaged = bytes.slice();
    for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
    return cut === 0 ? damaged.subarray(0, length % damaged.length) : damaged;
  });
