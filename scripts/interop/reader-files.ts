// Writes the Parquet files that foreign readers are held against: one for each Avro type, and each way a file can be odd. Beside
// them expected.json, whose values say how they are to be compared. bun scripts/interop/reader-files.ts <folder>
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CODECS } from "../../src/parquet/codec.ts";
import { recordOf, writePart } from "../../test/parquet/write.ts";

const [folder = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

/** Expected values: plain JSON, or an object with the one key that says what it is. */
const int = (value: bigint | number) => ({ int: String(value) });
const double = (value: number) => ({ double: String(value) });
const bytes = (hex: string) => ({ bytes: hex });
const map = (entries: Record<string, unknown>) => ({ map: entries });
const record = (fields: Record<string, unknown>) => ({ record: fields });
const decimal = (text: string) => ({ decimal: text });
/** Microseconds since the epoch, or since midnight, and the unit that is stored. */
const timestamp = (micros: bigint, unit: string) => ({ timestamp: String(micros), unit });
const time = (micros: bigint, unit: string) => ({ time: String(micros), unit });
const date = (days: number) => ({ date: String(days) });

const logical = (type: string, logicalType: string, more: object = {}) => ({ type, logicalType, ...more });
const optional = (type: unknown) => ["null", type];
const inner = {
  type: "record",
  name: "Inner",
  fields: [
    { name: "a", type: optional("int") },
    { name: "b", type: { type: "array", items: optional("string") } },
  ],
};
const at = 1446030000123456n; // 2015-10-28T11:00:00.123456Z

/** Name, type, and pairs of what is given and what is to be read. */
const TYPES: [string, unknown, [unknown, unknown][]][] = [
  [
    "boolean",
    "boolean",
    [
      [true, true],
      [false, false],
    ],
  ],
  [
    "int",
    "int",
    [
      [2147483647, int(2147483647)],
      [-2147483648, int(-2147483648)],
    ],
  ],
  [
    "long",
    "long",
    [
      [2n ** 63n - 1n, int(2n ** 63n - 1n)],
      [-(2n ** 63n), int(-(2n ** 63n))],
    ],
  ],
  [
    "float",
    "float",
    [
      [0.5, double(0.5)],
      [Infinity, double(Infinity)],
      [NaN, double(NaN)],
    ],
  ],
  [
    "double",
    "double",
    [
      [0.1, double(0.1)],
      [-Infinity, double(-Infinity)],
      [5e-324, double(5e-324)],
    ],
  ],
  [
    "string",
    "string",
    [
      ["naïve 🦆", "naïve 🦆"],
      ["", ""],
      ["x".repeat(70_000), "x".repeat(70_000)],
    ],
  ],
  [
    "bytes",
    "bytes",
    [
      [Uint8Array.of(0, 255, 128), bytes("00ff80")],
      [new Uint8Array(), bytes("")],
    ],
  ],
  ["fixed", { type: "fixed", name: "F", size: 3 }, [[Uint8Array.of(1, 2, 255), bytes("0102ff")]]],
  [
    "enum",
    { type: "enum", name: "E", symbols: ["A", "B"] },
    [
      ["A", "A"],
      ["B", "B"],
    ],
  ],
  [
    "uuid",
    logical("string", "uuid"),
    [["01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"]],
  ],
  [
    "decimal in bytes",
    logical("bytes", "decimal", { precision: 12, scale: 2 }),
    [
      ["-12.34", decimal("-12.34")],
      ["9999999999.99", decimal("9999999999.99")],
    ],
  ],
  [
    "decimal in fixed",
    { type: "fixed", name: "D", size: 16, logicalType: "decimal", precision: 38, scale: 10 },
    [
      ["1.0000000001", decimal("1.0000000001")],
      ["-9999999999999999999999999999.9999999999", decimal("-9999999999999999999999999999.9999999999")],
    ],
  ],
  [
    "date",
    logical("int", "date"),
    [
      [16736, date(16736)],
      [-1, date(-1)],
    ],
  ],
  ["time-millis", logical("int", "time-millis"), [[39_600_123, time(39_600_123_000n, "millis")]]],
  ["time-micros", logical("long", "time-micros"), [[39_600_123_456n, time(39_600_123_456n, "micros")]]],
  ["timestamp-millis", logical("long", "timestamp-millis"), [[at / 1000n, timestamp((at / 1000n) * 1000n, "millis")]]],
  ["timestamp-micros", logical("long", "timestamp-micros"), [[at, timestamp(at, "micros")]]],
  ["timestamp-nanos (a long)", logical("long", "timestamp-nanos"), [[at * 1000n + 1n, int(at * 1000n + 1n)]]],
  ["local-timestamp-micros", logical("long", "local-timestamp-micros"), [[at, timestamp(at, "micros")]]],
  [
    "null or string",
    optional("string"),
    [
      ["a", "a"],
      [null, null],
      ["", ""],
    ],
  ],
  [
    "null or long",
    optional("long"),
    [
      [1n, int(1)],
      [null, null],
    ],
  ],
  [
    "array",
    { type: "array", items: "int" },
    [
      [
        [1, 2],
        [int(1), int(2)],
      ],
      [[], []],
    ],
  ],
  [
    "array of null or",
    { type: "array", items: optional("string") },
    [
      [
        ["a", null],
        ["a", null],
      ],
      [[], []],
    ],
  ],
  [
    "null or array",
    optional({ type: "array", items: optional("long") }),
    [
      [null, null],
      [[], []],
      [
        [null, 1n],
        [null, int(1)],
      ],
    ],
  ],
  [
    "array of arrays",
    { type: "array", items: { type: "array", items: "int" } },
    [
      [
        [[1], [], [2, 3]],
        [[int(1)], [], [int(2), int(3)]],
      ],
    ],
  ],
  [
    "map",
    { type: "map", values: "double" },
    [
      [{ a: 1.5, b: 2 }, map({ a: double(1.5), b: double(2) })],
      [{}, map({})],
    ],
  ],
  [
    "map of null or",
    optional({ type: "map", values: optional("int") }),
    [
      [{ a: null, b: 1 }, map({ a: null, b: int(1) })],
      [null, null],
    ],
  ],
  [
    "record",
    inner,
    [
      [{ a: 1, b: ["x", null] }, record({ a: int(1), b: ["x", null] })],
      [{ a: null, b: [] }, record({ a: null, b: [] })],
    ],
  ],
  [
    "null or record",
    optional(inner),
    [
      [null, null],
      [{ a: null, b: [] }, record({ a: null, b: [] })],
    ],
  ],
  [
    "array of records",
    { type: "array", items: inner },
    [
      [[{ a: null, b: ["x"] }], [record({ a: null, b: ["x"] })]],
      [[], []],
    ],
  ],
  [
    "union of several",
    ["null", "int", "string"],
    [
      [1, record({ member0: int(1), member1: null })],
      ["x", record({ member0: null, member1: "x" })],
      [null, null],
    ],
  ],
];

const expected: { file: string; about: string; rows: unknown[] }[] = [];

function write(
  about: string,
  schema: unknown,
  pairs: readonly (readonly [unknown, unknown])[],
  options: Parameters<typeof writePart>[2] = {},
): void {
  const file = `${about.replace(/[^a-z0-9]+/gi, "-").replace(/-$/, "")}.parquet`;
  writeFileSync(
    join(folder, file),
    writePart(
      schema,
      pairs.map(([x]) => ({ x })),
      options,
    ),
  );
  expected.push({ file, about, rows: pairs.map(([, x]) => ({ x })) });
}

for (const [about, type, pairs] of TYPES) write(about, recordOf(type), pairs);
for (const codec of Object.keys(CODECS) as (keyof typeof CODECS)[]) {
  write(
    `codec ${codec}`,
    recordOf("string"),
    Array.from({ length: 300 }, (_, i) => [`value ${i % 7}`, `value ${i % 7}`] as const),
    { codec },
  );
}
write("no rows", recordOf(optional({ type: "array", items: inner })), []);
write(
  "dictionary, many pages",
  recordOf("string"),
  Array.from({ length: 50_000 }, (_, i) => [`${i % 1000}`, `${i % 1000}`] as const),
);
write(
  "plain, many row groups",
  recordOf("long"),
  Array.from({ length: 30_000 }, (_, i) => [BigInt(i) * 7n, int(i * 7)] as const),
  { groupRows: 7_000 },
);
writeFileSync(join(folder, "expected.json"), JSON.stringify(expected));
console.log(`${expected.length} files in ${folder}`);
