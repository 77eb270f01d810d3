// `derive show`: rows and schema of Parquet files.
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createAppender } from "../../src/avro/appender.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { type AvroField, parseSchema } from "../../src/avro/schema.ts";
import { PartAssembler } from "../../src/parquet/file.ts";
import { RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { derive, inFolder } from "./run.ts";

/** A Parquet file of these rows. */
function parquet(fields: AvroField[], rows: object[]): Buffer {
  const schema = parseSchema({ type: "record", name: "Sample", fields });
  const columns = toParquetSchema(schema);
  const group = new RowGroupBuilder(columns, { codec: "zstd" });
  const appender = createAppender(schema, group);
  for (const row of rows) appender.append(row);
  const file = new PartAssembler(columns, []);
  const chunks = [file.header(), ...(rows.length > 0 ? [file.place(group.finish())] : []), file.finish()];
  return Buffer.concat(chunks);
}

const shown = (bytes: Uint8Array, ...words: string[]) =>
  inFolder(async (folder) => {
    const path = join(folder, "x.parquet");
    writeFileSync(path, bytes);
    return derive(["show", path, ...words]);
  });

const numbers = (count: number, from = 0) =>
  parquet(
    [
      { name: "id", type: "string" },
      { name: "n", type: "int" },
    ],
    Array.from({ length: count }, (_, i) => ({ id: `row${from + i}`, n: from + i })),
  );

test("rows as a table: numbers at the right, twenty of them", async () => {
  const { exit, stdout, stderr } = await shown(numbers(30));
  expect(exit).toBe(0);
  expect(stdout.split("\n").slice(0, 3)).toEqual(["id      n", "row0    0", "row1    1"]);
  expect(stdout.trimEnd().split("\n")).toHaveLength(21);
  expect(stderr).toBe("20 of 30 rows\n");
});

test("-n, --columns", async () => {
  expect((await shown(numbers(30), "-n", "1", "--columns", "n,id")).stdout).toBe("n  id\n0  row0\n");
  expect((await shown(numbers(30), "-n0")).stdout).toBe("id  n\n");
  const { exit, stderr } = await shown(numbers(1), "--columns", "idd");
  expect(exit).toBe(2);
  expect(stderr).toContain('Cannot show column "idd"');
  expect(stderr).toContain("Did you mean id?");
});

test("columns that do not fit a terminal are named", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `column${i}`);
  const bytes = parquet(
    names.map((name) => ({ name, type: "string" })),
    [Object.fromEntries(names.map((name) => [name, "x".repeat(40)]))],
  );
  await inFolder(async (folder) => {
    const path = join(folder, "x.parquet");
    writeFileSync(path, bytes);
    const { stdout, stderr } = await derive(["show", path], { isTTY: true, columns: 80 });
    for (const line of stdout.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
    expect(stderr).toContain("7 more columns: column5, ");
    expect((await derive(["show", path])).stdout).toContain("column11");
  });
});

test("--json loses nothing", async () => {
  const bytes = parquet(
    [
      { name: "long", type: "long" },
      { name: "double", type: "double" },
      { name: "bytes", type: "bytes" },
      { name: "micros", type: { type: "long", logicalType: "timestamp-micros" } },
      { name: "millis", type: { type: "long", logicalType: "timestamp-millis" } },
      { name: "nanos", type: { type: "long", logicalType: "timestamp-nanos" } },
      { name: "day", type: { type: "int", logicalType: "date" } },
      { name: "nothing", type: ["null", "string"], default: null },
      { name: "text", type: "string" },
      {
        name: "list",
        type: {
          type: "array",
          items: { type: "record", name: "Item", fields: [{ name: "a", type: ["null", "long"] }] },
        },
      },
      { name: "map", type: { type: "map", values: "long" } },
    ],
    [
      {
        long: 9007199254740993n,
        double: Number.NaN,
        bytes: Uint8Array.of(0, 255),
        micros: 1443823905480123n,
        millis: 1443823905480n,
        nanos: 1443823905480123457n,
        day: 16710,
        nothing: null,
        text: '"\n\u2028',
        list: [{ a: 1n }, { a: null }],
        map: { k: -9223372036854775808n },
      },
    ],
  );
  const { exit, stdout, stderr } = await shown(bytes, "--json");
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect(stdout).toBe(
    `{"long":9007199254740993,"double":"NaN","bytes":"AP8=","micros":"2015-10-02T22:11:45.480123Z",` +
      `"millis":"2015-10-02T22:11:45.480Z","nanos":1443823905480123457,"day":"2015-10-02","nothing":null,` +
      `"text":${JSON.stringify('"\n\u2028')},"list":[{"a":1},{"a":null}],"map":{"k":-9223372036854775808}}\n`,
  );
});

test("--json gives all rows, of a folder those of every part", async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, "day=2"));
    writeFileSync(join(folder, "part-0-00000.parquet"), numbers(15));
    writeFileSync(join(folder, "part-0-00001.parquet"), numbers(15, 15));
    writeFileSync(join(folder, "day=2/part.parquet"), numbers(0));
    writeFileSync(join(folder, "_SUCCESS"), "{}");
    const { exit, stdout } = await derive(["show", folder, "--json"]);
    expect(exit).toBe(0);
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).n);
    expect(rows).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect((await derive(["show", folder, "-n", "17"])).stderr).toBe("17 of 30 rows in 3 files\n");
  });
});

test("a file without rows has columns", async () => {
  expect(await shown(numbers(0))).toMatchObject({ exit: 0, stdout: "id  n\n", stderr: "0 of 0 rows\n" });
});

test("--schema", async () => {
  const { exit, stdout } = await shown(numbers(1), "--schema");
  expect(exit).toBe(0);
  expect(stdout).toContain("message Sample {");
  expect(stdout).toContain("required binary id (STRING);");
});

describe("what is no Parquet", () => {
  test.each([
    ["empty", Buffer.alloc(0)],
    ["text", Buffer.from("this is no Parquet file at all")],
    ["truncated", numbers(5).subarray(0, 100)],
  ])("%s: exit 4, with the URL", async (_, bytes) => {
    const { exit, stdout, stderr } = await shown(bytes);
    expect({ exit, stdout }).toEqual({ exit: 4, stdout: "" });
    expect(stderr).toMatch(/Cannot read file:\/\/\/\S+x\.parquet as Parquet: /);
  });

  test("missing, and a folder without any", async () => {
    await inFolder(async (folder) => {
      const missing = join(folder, "none.parquet");
      expect(await derive(["show", missing])).toMatchObject({
        exit: 4,
        stderr: expect.stringContaining(`Cannot read ${pathToFileURL(missing).href}`),
      });
      writeFileSync(join(folder, "a.txt"), "");
      writeFileSync(join(folder, "b.txt"), "");
      expect(await derive(["show", folder])).toMatchObject({
        exit: 4,
        stderr: expect.stringContaining("no .parquet file"),
      });
    });
  });
});
