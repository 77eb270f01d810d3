// What the footer and the page index say of values: readers skip by it, so a wrong bound loses rows.

import { expect, test } from "bun:test";
import { readColumnIndex, type Statistics } from "hyparquet";
import { readFooter } from "../../src/parquet/read.ts";
import { recordOf, writePart } from "./write.ts";

async function chunk(type: unknown, values: unknown[]) {
  const file = writePart(
    recordOf(type),
    values.map((x) => ({ x })),
  );
  const footer = await readFooter(file.buffer);
  return { file, footer, column: footer.row_groups[0]!.columns[0]! };
}

async function statistics(type: unknown, values: unknown[]): Promise<Statistics> {
  return (await chunk(type, values)).column.meta_data!.statistics!;
}

async function index(type: unknown, values: unknown[]) {
  const { file, column, footer } = await chunk(type, values);
  if (column.column_index_offset === undefined) return undefined;
  const start = Number(column.column_index_offset);
  const bytes = file.slice(start, start + column.column_index_length!);
  return readColumnIndex(
    { view: new DataView(bytes.buffer), offset: 0 },
    footer.schema.find((element) => element.name === "x")!,
  );
}

const nullable = (type: unknown) => ["null", type];

test.each([
  ["boolean", [true, false], false, true],
  ["int", [3, -5, 0], -5, 3],
  ["long", [3n, -5n], -5n, 3n],
  ["double", [1.5, NaN, -2], -2, 1.5],
  ["double", [Infinity, -Infinity], -Infinity, Infinity],
  ["string", ["b", "a", "é", "B"], "B", "é"],
  // UTF-8 orders an emoji behind U+FFFF, UTF-16 before it.
  ["string", ["\uffff", "🦆"], "\uffff", "🦆"],
  ["string", [""], "", ""],
])("bounds of %s", async (type, values, min, max) => {
  expect(await statistics(type, values)).toMatchObject({ min_value: min, max_value: max, null_count: 0n });
});

test("zeros of a double are bounded by both zeros", async () => {
  const { min_value, max_value } = await statistics("double", [0]);
  expect(Object.is(min_value, -0)).toBe(true);
  expect(Object.is((await statistics("double", [-0])).max_value, 0)).toBe(true);
  expect(Object.is(max_value, 0)).toBe(true);
});

test("without a value in the order there are no bounds, and no column index", async () => {
  const nans = await statistics("double", [NaN, NaN]);
  expect([nans.min_value, nans.max_value]).toEqual([undefined, undefined]);
  expect(await index("double", [NaN])).toBeUndefined();
  const nulls = await statistics(nullable("int"), [null, null]);
  expect([nulls.min_value, nulls.max_value, nulls.null_count]).toEqual([undefined, undefined, 2n]);
  expect(await index(nullable("int"), [null])).toMatchObject({ null_pages: [true] });
});

test("long bounds are cut outwards at 64 bytes, on a code point", async () => {
  const a = "a".repeat(63);
  expect(await statistics("string", [`${a}bc`])).toMatchObject({
    min_value: `${a}b`,
    is_min_value_exact: false,
    max_value: `${a}c`,
    is_max_value_exact: false,
  });
  expect(await statistics("string", [`${a}é`])).toMatchObject({ min_value: a, max_value: `${"a".repeat(62)}b` });
  const exact = await statistics("string", [`${a}b`]);
  expect([exact.max_value, exact.is_max_value_exact]).toEqual([`${a}b`, undefined]);
  const high = await statistics("bytes", [new Uint8Array(100).fill(255)]);
  expect([(high.min_value as Uint8Array).length, high.max_value]).toEqual([64, undefined]);
});

test("a decimal is ordered by sign", async () => {
  const type = { type: "fixed", name: "D", size: 2, logicalType: "decimal", precision: 4, scale: 0 };
  expect(await statistics(type, [5n, -300n, 200n])).toMatchObject({ min_value: -300, max_value: 200 });
  const open = { type: "bytes", logicalType: "decimal", precision: 4, scale: 0 };
  expect(await statistics(open, [5n, -300n])).toMatchObject({ min_value: -300, max_value: 5 });
});

test("nulls count, and so do empty lists", async () => {
  expect((await statistics(nullable("string"), ["a", null, null])).null_count).toBe(2n);
  expect((await statistics({ type: "array", items: nullable("int") }, [[], [1, null], [2]])).null_count).toBe(2n);
});

test("the column index knows the order of its pages", async () => {
  const rows = Array.from({ length: 45_000 }, (_, i) => i);
  expect(await index("int", rows)).toMatchObject({
    min_values: [0, 20_000, 40_000],
    max_values: [19_999, 39_999, 44_999],
    boundary_order: "ASCENDING",
  });
  expect(await index("int", rows.toReversed())).toMatchObject({ boundary_order: "DESCENDING" });
  expect(
    await index(
      "int",
      rows.map((i) => (i < 20_000 || i >= 40_000 ? 1 : 2)),
    ),
  ).toMatchObject({ boundary_order: "UNORDERED" });
  const gap = rows.map((i) => (i >= 20_000 && i < 40_000 ? null : i));
  expect(await index(nullable("int"), gap)).toMatchObject({
    null_pages: [false, true, false],
    boundary_order: "ASCENDING",
    null_counts: [0n, 20_000n, 0n],
  });
});
