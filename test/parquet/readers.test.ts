// Every Avro type through the whole writer and back with three readers, value by value; P9's row groups; P10's sums.

import { expect, test } from "bun:test";
import { CODECS } from "../../src/parquet/codec.ts";
import { checkPart, readFooter, readRows } from "../../src/parquet/read.ts";
import type { Codec } from "../../src/parquet/rowgroup.ts";
import { duck, READERS, readWith } from "./readers.ts";
import { recordOf, writePart } from "./write.ts";

const inner = {
  type: "record",
  name: "Inner",
  fields: [
    { name: "a", type: "int" },
    { name: "b", type: ["null", "string"] },
  ],
};

/** Type, then what is given and what readers see, pair by pair. */
const TYPES: [name: string, type: unknown, pairs: [given: unknown, seen: unknown][]][] = [
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
      [0, 0],
      [-0, 0],
      [2147483647, 2147483647],
      [-2147483648, -2147483648],
    ],
  ],
  [
    "long",
    "long",
    [
      [2n ** 63n - 1n, 2n ** 63n - 1n],
      [-(2n ** 63n), -(2n ** 63n)],
      [2 ** 53 - 1, 2n ** 53n - 1n],
      [0, 0n],
    ],
  ],
  [
    "float",
    "float",
    [
      [0.1, Math.fround(0.1)],
      [NaN, NaN],
      [Infinity, Infinity],
      [-Infinity, -Infinity],
      [-0, -0],
    ],
  ],
  [
    "double",
    "double",
    [
      [0.1, 0.1],
      [NaN, NaN],
      [Infinity, Infinity],
      [-Infinity, -Infinity],
      [-0, -0],
      [0, 0],
      [5e-324, 5e-324],
    ],
  ],
  [
    "bytes",
    "bytes",
    [
      [new Uint8Array(), ""],
      [Uint8Array.of(0, 255, 0x80), "00ff80"],
      [Buffer.from("é"), "c3a9"],
    ],
  ],
  [
    "string",
    "string",
    [
      ["", ""],
      ["a\0b", "a\0b"],
      ["naïve 🦆", "naïve 🦆"],
      ["\ud800x", "\ufffdx"],
      ["x".repeat(70000), "x".repeat(70000)],
    ],
  ],
  [
    "fixed",
    { type: "fixed", name: "F", size: 3 },
    [
      [Uint8Array.of(1, 2, 3), "010203"],
      [Uint8Array.of(255, 0, 0), "ff0000"],
    ],
  ],
  [
    "enum",
    { type: "enum", name: "E", symbols: ["A", "B"] },
    [
      ["A", "A"],
      ["B", "B"],
    ],
  ],
  [
    "array",
    { type: "array", items: "int" },
    [
      [[], []],
      [[1], [1]],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    ],
  ],
  [
    "array of null or",
    { type: "array", items: ["null", "string"] },
    [
      [[null], [null]],
      [
        ["a", undefined, "b"],
        ["a", null, "b"],
      ],
      [[], []],
    ],
  ],
  [
    "null or array",
    ["null", { type: "array", items: "long" }],
    [
      [null, null],
      [[], []],
      [
        [1n, 2],
        [1n, 2n],
      ],
    ],
  ],
  [
    "array of array",
    { type: "array", items: ["null", { type: "array", items: ["null", "int"] }] },
    [
      [[], []],
      [
        [null, [], [null], [1, null]],
        [null, [], [null], [1, null]],
      ],
    ],
  ],
  [
    "map",
    { type: "map", values: "double" },
    [
      [{}, []],
      [
        { b: 1, a: 2 },
        [
          ["a", 2],
          ["b", 1],
        ],
      ],
      [new Map([["k", 3]]), [["k", 3]]],
    ],
  ],
  [
    "map of null or array",
    { type: "map", values: ["null", { type: "array", items: "string" }] },
    [
      [
        { x: null, y: [], z: ["q"] },
        [
          ["x", null],
          ["y", []],
          ["z", ["q"]],
        ],
      ],
    ],
  ],
  [
    "record",
    inner,
    [
      [{ a: 1 }, { a: 1, b: null }],
      [
        { a: 2, b: "" },
        { a: 2, b: "" },
      ],
    ],
  ],
  [
    "null or record",
    ["null", inner],
    [
      [null, null],
      [
        { a: 1, b: "x" },
        { a: 1, b: "x" },
      ],
    ],
  ],
  [
    "array of record",
    { type: "array", items: inner },
    [
      [[], []],
      [
        [{ a: 1 }, { a: 2, b: "y" }],
        [
          { a: 1, b: null },
          { a: 2, b: "y" },
        ],
      ],
    ],
  ],
  [
    "union with null last",
    ["string", "null"],
    [
      ["x", "x"],
      [null, null],
      [undefined, null],
    ],
  ],
  ["union of one", ["string"], [["x", "x"]]],
  [
    "union of several",
    ["int", "null", "string", inner],
    [
      [null, null],
      [7, { member0: 7, member1: null, member2: null }],
      ["s", { member0: null, member1: "s", member2: null }],
      [{ a: 1 }, { member0: null, member1: null, member2: { a: 1, b: null } }],
    ],
  ],
  [
    "numeric union",
    ["double", "long", "int"],
    [
      [1, { member0: null, member1: null, member2: 1 }],
      [2 ** 40, { member0: null, member1: 2n ** 40n, member2: null }],
      [5n, { member0: null, member1: 5n, member2: null }],
      [1.5, { member0: 1.5, member1: null, member2: null }],
    ],
  ],
  [
    "date",
    { type: "int", logicalType: "date" },
    [
      [0, 0],
      [-1, -1],
      [new Date("2015-10-28T23:59:59Z"), 16736],
      [new Date(-1), -1],
    ],
  ],
  [
    "time-millis",
    { type: "int", logicalType: "time-millis" },
    [
      [0, 0],
      [86399999, 86399999],
    ],
  ],
  [
    "time-micros",
    { type: "long", logicalType: "time-micros" },
    [
      [0n, 0n],
      [86399999999, 86399999999n],
    ],
  ],
  [
    "timestamp-millis",
    { type: "long", logicalType: "timestamp-millis" },
    [
      [new Date(1), 1n],
      [-1, -1n],
      [1446076800000n, 1446076800000n],
    ],
  ],
  [
    "timestamp-micros",
    { type: "long", logicalType: "timestamp-micros" },
    [
      [new Date(1), 1000n],
      [-1n, -1n],
      [1446076800000001n, 1446076800000001n],
    ],
  ],
  [
    "timestamp-nanos",
    { type: "long", logicalType: "timestamp-nanos" },
    [
      [new Date(1), 1000000n],
      [1446076800000000001n, 1446076800000000001n],
    ],
  ],
  [
    "local-timestamp-millis",
    { type: "long", logicalType: "local-timestamp-millis" },
    [
      [new Date(1), 1n],
      [-1n, -1n],
    ],
  ],
  [
    "local-timestamp-micros",
    { type: "long", logicalType: "local-timestamp-micros" },
    [
      [new Date(-1), -1000n],
      [5n, 5n],
    ],
  ],
  [
    "uuid",
    { type: "string", logicalType: "uuid" },
    [["c0FFee00-0000-4000-8000-000000000000", "c0FFee00-0000-4000-8000-000000000000"]],
  ],
  [
    "decimal on bytes",
    { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 },
    [
      [0n, 0n],
      ["0", 0n],
      ["-12.5", -1250n],
      ["999", 99900n],
      [127n, 127n],
      [128n, 128n],
      [-128n, -128n],
      [-129n, -129n],
      [999999999n, 999999999n],
    ],
  ],
  [
    "decimal on fixed",
    { type: "fixed", name: "D", size: 5, logicalType: "decimal", precision: 11, scale: 4 },
    [
      ["1.0001", 10001n],
      [-99999999999n, -99999999999n],
      [0n, 0n],
    ],
  ],
];

for (const [name, type, pairs] of TYPES) {
  const literal = recordOf(type);
  const seen = pairs.map(([, x]) => ({ x }));
  for (const reader of Object.keys(READERS)) {
    test(`${name} comes back through ${reader}`, async () => {
      const file = writePart(
        literal,
        pairs.map(([x]) => ({ x })),
      );
      expect(await readWith(reader, literal, file)).toEqual(seen);
    });
  }
}

test("decimals of 38 digits are exact", async () => {
  const literal = recordOf({ type: "bytes", logicalType: "decimal", precision: 38, scale: 10 });
  const digits = 10n ** 38n - 1n;
  const file = writePart(literal, [{ x: digits }, { x: -digits }, { x: "1234567890123456789012345678.0123456789" }]);
  const seen = [{ x: digits }, { x: -digits }, { x: 12345678901234567890123456780123456789n }];
  for (const reader of ["duckdb", "arrow-rs"]) expect(await readWith(reader, literal, file)).toEqual(seen);
});

const WIDE = {
  type: "record",
  name: "Wide",
  fields: [
    { name: "id", type: "string" },
    { name: "n", type: ["null", "long"], default: null },
    { name: "nothing", type: "null", default: null },
    { name: "list", type: { type: "array", items: ["null", "string"] } },
    { name: "unique", type: "string" },
    { name: "d", type: "double" },
    { name: "flag", type: "boolean" },
  ],
};

function* wide(rows: number) {
  for (let i = 0; i < rows; i++) {
    yield {
      id: `client-${(i * 7919) % 3000}`,
      n: i % 5 === 0 ? null : BigInt(i),
      list: Array.from({ length: i % 4 }, (_, k) => ((i + k) % 3 === 0 ? null : `item ${k}`)),
      unique: `${i * 2654435761}`,
      d: i / 7,
      flag: i % 3 === 0,
    };
  }
}

test("many pages and several row groups hold the same rows", async () => {
  const file = writePart(WIDE, wide(70_000), { groupRows: 45_000 });
  expect(await checkPart(file.buffer)).toEqual({ rows: 70_000, rowGroups: 2 });
  const expected = [...wide(70_000)];
  for (const reader of Object.keys(READERS)) {
    expect(Bun.deepEquals(await readWith(reader, WIDE, file), expected)).toBe(true);
  }
});

test("all codecs hold the same rows", async () => {
  const expected = [...wide(2_000)];
  for (const codec of ["zstd", "snappy", "gzip", "none"] satisfies Codec[]) {
    const file = writePart(WIDE, wide(2_000), { codec, groupRows: 1_500 });
    const footer = await readFooter(file.buffer);
    expect(footer.row_groups[0]!.columns[0]!.meta_data!.codec).toBe(CODECS[codec]);
    for (const reader of Object.keys(READERS)) expect(await readWith(reader, WIDE, file)).toEqual(expected);
  }
});

test("a map key that JavaScript makes special is a key like any other", async () => {
  const literal = recordOf({ type: "map", values: "int" });
  const file = writePart(literal, [{ x: JSON.parse('{"__proto__": 1, "constructor": 2}') }]);
  expect(await readWith("duckdb", literal, file)).toEqual([
    {
      x: [
        ["__proto__", 1],
        ["constructor", 2],
      ],
    },
  ]);
});

test("page and chunk bounds never hide a row from DuckDB", async () => {
  const file = writePart(WIDE, wide(70_000), { groupRows: 40_000 });
  const count = async (where: string) =>
    (await duck(`SELECT count(*)::INT AS n FROM read_parquet($file) WHERE ${where}`, file))[0]!.n;
  expect(await count("n = 41234")).toBe(1);
  expect(await count("n IS NULL")).toBe(14_000);
  expect(await count("id = 'client-17'")).toBe([...wide(70_000)].filter((row) => row.id === "client-17").length);
  expect(await count("d >= 9999")).toBe([...wide(70_000)].filter((row) => row.d >= 9999).length);
});

test("a file without rows is read by everyone", async () => {
  const file = writePart(WIDE, []);
  expect(await checkPart(file.buffer)).toEqual({ rows: 0, rowGroups: 0 });
  for (const reader of Object.keys(READERS)) expect(await readWith(reader, WIDE, file)).toEqual([]);
  const columns = await duck("DESCRIBE SELECT * FROM read_parquet($file)", file);
  expect(columns.map((column) => column.column_name)).toEqual(["id", "n", "list", "unique", "d", "flag"]);
});

test("rows and columns are read in part", async () => {
  const file = writePart(WIDE, wide(50_000), { groupRows: 30_000 });
  const rows = await Array.fromAsync(
    readRows(file.buffer, {
      columns: ["n"],
      rowStart: 29_999,
      rowEnd: 30_002,
    }),
  );
  expect(rows).toEqual([{ n: 29_999n }, { n: null }, { n: 30_001n }]);
});

test("the footer carries the author's schema and no trace of the build", async () => {
  const footer = await readFooter(writePart(WIDE, wide(1)).buffer);
  expect(footer.created_by).toBe("derive version 1.0.4");
  expect(footer.key_value_metadata).toEqual([
    { key: "parquet.avro.schema", value: JSON.stringify(WIDE) },
    { key: "writer.model.name", value: "avro" },
  ]);
});
