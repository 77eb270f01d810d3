// What `derive show --stats` tells of columns, held against DuckDB's own counts.
import { expect, test } from "bun:test";
import { summarize } from "../../src/parquet/summary.ts";
import { duck } from "./readers.ts";
import { writePart } from "./write.ts";

const schema = {
  type: "record",
  name: "R",
  fields: [
    { name: "id", type: "string" },
    { name: "n", type: ["null", "long"], default: null },
    { name: "none", type: ["null", "double"], default: null },
    {
      name: "list",
      type: { type: "array", items: { type: "record", name: "I", fields: [{ name: "x", type: "int" }] } },
    },
    { name: "map", type: { type: "map", values: "double" } },
  ],
} as const;

const records = Array.from({ length: 5000 }, (_, i) => ({
  id: `id-${i}`,
  n: i % 3 === 0 ? null : BigInt(i % 7) - 3n,
  list: Array.from({ length: i % 3 }, (_item, at) => ({ x: i + at })),
  map: { [`key${i % 5}`]: i / 2 },
}));

test("values, nulls, bounds and about how many differ", async () => {
  const file = writePart(schema, records);
  const columns = new Map((await summarize([file.buffer])).map((column) => [column.path, column]));
  expect([...columns.keys()]).toEqual(["id", "n", "none", "list[].x", "map.* (key)", "map.*"]);
  expect(columns.get("n")).toMatchObject({ values: 5000, nulls: 1667, distinct: 7, min: -3n, max: 3n });
  expect(columns.get("none")).toMatchObject({ values: 5000, nulls: 5000, distinct: 0, min: undefined, max: undefined });
  expect(columns.get("map.* (key)")).toMatchObject({ distinct: 5, min: "key0", max: "key4" });
  for (const [path, sql] of [
    ["id", "id"],
    ["list[].x", "unnest(list).x"],
    ["map.*", "unnest(map_values(map))"],
  ] as const) {
    const [{ n }] = (await duck(
      `SELECT count(DISTINCT v) AS n FROM (SELECT ${sql} AS v FROM read_parquet($file))`,
      file,
    )) as [{ n: bigint }];
    expect(Math.abs(columns.get(path)!.distinct / Number(n) - 1)).toBeLessThan(0.05);
  }
  const [{ bytes }] = (await duck("SELECT sum(total_compressed_size) AS bytes FROM parquet_metadata($file)", file)) as [
    { bytes: bigint },
  ];
  expect([...columns.values()].reduce((sum, { compressed }) => sum + compressed, 0)).toBe(Number(bytes));
});

test("several files are one", async () => {
  const [a, b] = [writePart(schema, records.slice(0, 10)), writePart(schema, records.slice(10, 30))];
  const [id] = await summarize([a.buffer, b.buffer]);
  expect(id).toMatchObject({ path: "id", values: 30, nulls: 0, distinct: 30, min: "id-0", max: "id-9" });
});

test("a file without rows has columns all the same", async () => {
  const [id] = await summarize([writePart(schema, []).buffer]);
  expect(id).toMatchObject({ path: "id", values: 0, distinct: 0, compressed: 0 });
});
