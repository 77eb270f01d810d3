// `derive catalog`: what it prints for DuckDB runs there; for the others it says the same of the same places.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { framePing } from "../../src/heka/ping.ts";
import { derive, spawnDerive } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "derive catalog's "));
afterAll(() => rmSync(folder, { recursive: true }));
const out = join(folder, "out");

const stream = (name: string, more: string) =>
  writeFileSync(
    join(folder, `${name}.ts`),
    `import { defineStream, list, long, record, string, timestamp } from "derive";
export default defineStream({ streamName: "telemetry", ${more} columns: {
  clientId: string(), default: long("n").optional(), at: timestamp("creationDate").optional(),
  items: list(record({ id: string("$key") }), "items").default([]) } });\n`,
  );

beforeAll(async () => {
  for (const [day, app] of [
    ["20151027", "a:b"],
    ["20151028", "it's"],
    ["20151028", "100%"],
  ] as const) {
    mkdirSync(join(folder, "raw/t", day, app), { recursive: true });
    writeFileSync(
      join(folder, "raw/t", day, app, "o"),
      framePing({ clientId: app, n: 1, items: { x: {} } }, {}, "heka"),
    );
  }
  writeFileSync(
    join(folder, "derive.toml"),
    'input = "raw"\noutput = "out"\n[sources.telemetry]\nprefix = "t"\ndimensions = ["submissionDate", "appName"]\n',
  );
  stream("Days", "");
  stream("Apps", 'partitionBy: ["submissionDate", "appName"],');
  for (const name of ["Days", "Apps"]) {
    const { exit } = await spawnDerive(["batch", `./${name}.ts`, "--from", "20151027", "--to", "20151028"], {
      cwd: folder,
    });
    expect(exit).toBe(0);
  }
  writeFileSync(join(out, "days/v1/submission_date_s3=20151028/part-0-00009.zstd.parquet"), "nobody committed this");
});

const catalog = async (engine: string, place = out): Promise<string> => {
  const { exit, stdout } = await derive(["catalog", place, "--for", engine]);
  expect(exit).toBe(0);
  return stdout;
};

test("duckdb: views over exactly the parts that manifests name, values of dimensions as they were", async () => {
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(await catalog("duckdb"));
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson();
  expect(await rows("SELECT count(*), min(submission_date_s3), max(submission_date_s3) FROM days_v1")).toEqual([
    ["3", "20151027", "20151028"],
  ]);
  const apps = await rows("SELECT clientId, app_name_s3, items[1].id FROM apps_v1 ORDER BY 1");
  expect(apps).toEqual([
    ["100%", "100%", "x"],
    ["a:b", "a:b", "x"],
    ["it's", "it's", "x"],
  ]);
});

test("hive and spark: quoted names, Hive's types, a partition each with its place", async () => {
  for (const engine of ["hive", "spark"]) {
    const text = await catalog(engine);
    expect(text).toContain("`default` bigint,\n  `at` timestamp,\n  `items` array<struct<id:string>>");
    expect(text).toContain("PARTITION (`submission_date_s3`='20151028', `app_name_s3`='it\\'s')");
    expect(text).toContain(
      `LOCATION 'file://${out.replaceAll("'", "\\'")}/apps/v1/submission_date_s3=20151027/app_name_s3=a%3Ab/'`,
    );
    expect(text.match(/ADD IF NOT EXISTS/g)).toHaveLength(5);
  }
});

test("athena and glue: days are projected, more than days are partitions", async () => {
  const athena = await catalog("athena");
  expect(athena).toContain("'projection.submission_date_s3.range'='20151027,NOW'");
  expect(athena).toMatch(/\/days\/v1\/submission_date_s3=\$\{submission_date_s3\}\/'/);
  expect(athena.match(/ADD IF NOT EXISTS/g)).toHaveLength(3);
  const days = JSON.parse(await catalog("glue", join(out, "days")));
  expect(days.TableInput.Parameters["projection.enabled"]).toBe("true");
  expect(days.PartitionInputList).toBeUndefined();
  const apps = JSON.parse(await catalog("glue", join(out, "apps")));
  expect(apps.PartitionInputList.map(({ Values }: { Values: string[] }) => Values)).toEqual([
    ["20151027", "a:b"],
    ["20151028", "100%"],
    ["20151028", "it's"],
  ]);
});

test("nothing committed is exit 4; an engine there is not, exit 2", async () => {
  expect(await derive(["catalog", join(folder, "raw"), "--for", "hive"])).toMatchObject({ exit: 4, stdout: "" });
  expect(await derive(["catalog", out, "--for", "mysql"])).toMatchObject({ exit: 2, stdout: "" });
});
