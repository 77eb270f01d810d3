// P13: dimension values and object keys that would like to be more than names. Each value is a folder as Hive escapes it, nothing
// lies outside the output, and DuckDB finds every row again with the value it came from.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { builtBinary } from "../../scripts/built.ts";
import { framePing } from "../../src/heka/ping.ts";
import { partitionPath, valuesOfKey } from "../../src/jobs/plan.ts";
import { derive } from "./derive.ts";

const VALUES = [
  ...["...", "..x", "%2e%2e", "%2F", "a%b", "..%2f..%2fetc", "\\..\\.."],
  ...["Firefox", "firefox", "FIREFOX", "_x", ".x", "__proto__", "constructor"],
  ...["x=y", "a:b", "a b", "a+b", "a&b", '"q"', "'q'", "*", "?", "{a}", "[b]", "~", "#", "^", "$(touch pwned)", "-rf"],
  ...["\u0001x", "a\nb", "tab\t", "\u007f", "\u202e", "\u00e9", "e\u0301", "\u65e5\u672c", "\ud83e\udd86"],
  ...["2015", "1e3", "true", "20151028", "x".repeat(243)],
];
/** They stand for null in Hive's folders, by its own rule and by DuckDB's. */
const NULLS = ["__HIVE_DEFAULT_PARTITION__", "NULL", "null"];
const OBJECTS = [
  "_object",
  "a b",
  "%2e%2e",
  "o".repeat(255),
  "\u00e9\n",
  "x=y",
  "part-0-00000.zstd.parquet",
  "_SUCCESS",
  "_derive.json",
];

const STREAM = `import { defineStream, string } from "derive";
export default defineStream({
  name: "Apps",
  streamName: "telemetry",
  partitionBy: ["submissionDate", "appName"],
  columns: { app: string("clientId") },
});
`;

let folder = "";
const put = (day: string, app: string, object: string, clientId: string): void => {
  mkdirSync(join(folder, "raw/t", day, app), { recursive: true });
  writeFileSync(join(folder, "raw/t", day, app, object), framePing({ id: "1", clientId }, {}, "heka"));
};

beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-paths-"));
  mkdirSync(join(folder, "raw/t"), { recursive: true });
  writeFileSync(join(folder, "Apps.ts"), STREAM);
  writeFileSync(join(folder, "raw/sources.json"), '{ "telemetry": { "prefix": "t", "bucket": "b" } }');
  const dimensions = ["submissionDate", "appName"].map((name) => ({ field_name: name, allowed_values: "*" }));
  writeFileSync(join(folder, "raw/t/schema.json"), JSON.stringify({ version: 1, dimensions }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const batch = (day: string, ...more: string[]) =>
  derive(
    ["batch", "./Apps.ts", "--metadata", "raw", "--input", "raw", "--from", day, "-o", "out", "--json", ...more],
    folder,
  );

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  return (await connection.runAndReadAll(sql)).getRowObjects() as Record<string, unknown>[];
}
const rowsOf = (day: string) =>
  query(
    `SELECT app, app_name_s3 AS folder FROM read_parquet('${folder}/out/**/*.parquet', hive_partitioning = true, hive_types_autocast = false) WHERE submission_date_s3 = '${day}'`,
  );

test("every value is found again, and nothing lies outside the output", async () => {
  for (const value of [...VALUES, ...NULLS]) put("20151028", value, "object", value);
  const before = readdirSync(folder).sort();
  const { exit, stdout } = await batch("20151028");
  const { totals, partitions } = JSON.parse(stdout);
  expect([exit, totals.written, partitions.length]).toEqual([0, VALUES.length + 3, VALUES.length + 3]);
  expect(readdirSync(folder).sort()).toEqual([...before, "out"].sort());
  const expected = [...VALUES.map((value) => [value, value]), ...NULLS.map((value) => [value, null])];
  const rows = (await rowsOf("20151028")).map(({ app, folder }) => [app, folder]);
  expect(rows.sort()).toEqual(expected.sort());
});

test("object keys are read whatever they are", async () => {
  for (const key of OBJECTS) put("20151029", "app", key, key);
  const { exit, stdout } = await batch("20151029");
  const [partition] = JSON.parse(stdout).partitions;
  expect([exit, partition.written]).toEqual([0, OBJECTS.length]);
  expect((await rowsOf("20151029")).map(({ app }) => app).sort()).toEqual([...OBJECTS].sort());
});

test("a value too long for a folder's name is an error of its partition, which says so; the others are written", async () => {
  put("20151030", "%".repeat(100), "object", "long");
  put("20151030", "short", "object", "short");
  const { exit, stdout } = await batch("20151030");
  const { partitions, totals } = JSON.parse(stdout);
  expect([exit, totals.written]).toEqual([6, 1]);
  const states = partitions.map(({ state, error }: { state: string; error: string | null }) => [
    state,
    error?.slice(-32),
  ]);
  expect(states).toContainEqual(["failed", ": a name in its path is too long"]);
  expect(states).toContainEqual(["written", undefined]);
  expect((await rowsOf("20151030")).map(({ app }) => app)).toEqual(["short"]);
});

test("what only keys of S3 can hold: dots, nothing, NUL, 5,000 characters", () => {
  const dimensions = ["submissionDate", "appName"].map((name) => ({ name, allowed: "*" }));
  const dataset = { name: "telemetry", prefix: "t", dimensions } as unknown as Parameters<typeof valuesOfKey>[0];
  const folderOf = (app: string) =>
    partitionPath(dataset, ["submissionDate", "appName"], valuesOfKey(dataset, `t/20151028/${app}/o`, "")!);
  const day = "submission_date_s3=20151028/app_name_s3=";
  expect(folderOf("..")).toBe(`${day}..`);
  expect(folderOf("")).toBe(`${day}__HIVE_DEFAULT_PARTITION__`);
  expect(folderOf("a\0b")).toBe(`${day}a%00b`);
  expect(folderOf("x".repeat(5000))).toBe(day + "x".repeat(5000));
  // A slash is never part of a value, and one that was escaped is escaped once more.
  expect(folderOf("..%2f..")).toBe(`${day}..%252f..`);
});
