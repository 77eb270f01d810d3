// sources.json and schema.json: the real ones, and every way they can be wrong.

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError, UsageError } from "../../src/errors.ts";
import { datasetFromTable, readDataset, readDatasets } from "../../src/jobs/metadata.ts";
import { folderSource } from "../../src/storage/folder.ts";
import { memoryPlace } from "../../src/storage/memory.ts";

const DATA = join(import.meta.dir, "../../../shared/data");

const metadata = (
  sources: unknown,
  schema: unknown = { version: 2, dimensions: [{ field_name: "day", allowed_values: "*" }] },
) => memoryPlace({ "sources.json": JSON.stringify(sources), "meta/schema.json": JSON.stringify(schema) });

const SOURCES = { telemetry: { prefix: "raw/", metadata_prefix: "meta", bucket: "b", description: "d", doclink: "l" } };

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

test("datasets and their dimensions, in order", async () => {
  const place = metadata(SOURCES, {
    version: 1,
    dimensions: [
      { field_name: "submissionDate" },
      { field_name: "docType", allowed_values: ["main", "crash"] },
      { field_name: "appName", allowed_values: "Firefox" },
      { field_name: "sampleId", allowed_values: { min: "0", max: 99 } },
    ],
  });
  expect([...(await readDatasets(place)).values()]).toEqual([
    { name: "telemetry", prefix: "raw", metadataPrefix: "meta", bucket: "b", description: "d", doclink: "l" },
  ]);
  expect(await readDataset(place, "telemetry")).toEqual({
    name: "telemetry",
    bucket: "b",
    prefix: "raw",
    description: "d",
    dimensions: [
      { name: "submissionDate", allowed: "*" },
      { name: "docType", allowed: ["main", "crash"] },
      { name: "appName", allowed: ["Firefox"] },
      { name: "sampleId", allowed: { min: "0", max: "99" } },
    ],
  });
});

test("the metadata of real telemetry", async () => {
  if (!existsSync(DATA)) return console.warn(`skipped: ${DATA} is missing`);
  const place = memoryPlace();
  const real = folderSource(DATA);
  for (const [key, file] of [
    ["sources.json", "sources.json"],
    ["telemetry-2/schema.json", "schema.json"],
  ] as const) {
    for await (const chunk of real.open(file)) await place.put(key, chunk);
  }
  const dataset = await readDataset(place, "telemetry");
  expect(dataset.prefix).toBe("telemetry-2");
  expect(dataset.dimensions.map(({ name }) => name)).toEqual([
    "submissionDate",
    "sourceName",
    "sourceVersion",
    "docType",
    "appName",
    "appUpdateChannel",
    "appVersion",
    "appBuildId",
  ]);
});

describe("malformed metadata names URL and JSON path", () => {
  test.each([
    [[], "Cannot use memory:///sources.json: it is not an object"],
    [null, "Cannot use memory:///sources.json: it is not an object"],
    [{ telemetry: 1 }, "Cannot use memory:///sources.json: telemetry is not an object"],
    [{ telemetry: {} }, "Cannot use memory:///sources.json: telemetry.prefix is missing"],
    [{ "a b": { prefix: 1 } }, 'Cannot use memory:///sources.json: ["a b"].prefix is not text'],
    [{ telemetry: { prefix: "p", bucket: [] } }, "Cannot use memory:///sources.json: telemetry.bucket is not text"],
  ])("%j", async (sources, message) => {
    const error = await failure(readDatasets(metadata(sources)));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe(message);
  });

  test.each([
    [[], "it is not an object"],
    [{}, "dimensions is missing"],
    [{ version: 3, dimensions: [] }, "version is neither 1 nor 2"],
    [{ version: "2", dimensions: [] }, "version is neither 1 nor 2"],
    [{ dimensions: {} }, "dimensions is not a list"],
    [{ dimensions: [] }, "dimensions is empty: the day, at least, is a dimension"],
    [{ dimensions: [null] }, "dimensions[0] is not an object"],
    [{ dimensions: [{ field_name: "a" }, { name: "b" }] }, "dimensions[1].field_name is missing"],
    [{ dimensions: ["a", { field_name: "a" }] }, "dimensions[1] names the same dimension as one before it"],
    [{ dimensions: [{ field_name: "a", allowed_values: 1 }] }, "dimensions[0].allowed_values is not an object"],
    [
      { dimensions: [{ field_name: "a", allowed_values: ["x", {}] }] },
      "dimensions[0].allowed_values[1] is neither text nor a number",
    ],
    [
      { dimensions: [{ field_name: "a", allowed_values: { min: [] } }] },
      "dimensions[0].allowed_values.min is neither text nor a number",
    ],
  ])("%j", async (schema, state) => {
    const error = await failure(readDataset(metadata(SOURCES, schema), "telemetry"));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe(`Cannot use memory:///meta/schema.json: ${state}`);
  });

  test("not JSON, not there, an unknown dataset", async () => {
    const broken = await failure(readDatasets(memoryPlace({ "sources.json": "{secret" })));
    expect(broken).toBeInstanceOf(UsageError);
    expect(broken.message).toBe("Cannot read memory:///sources.json: it is not JSON");
    expect(await failure(readDatasets(memoryPlace()))).toBeInstanceOf(InputError);
    const unknown = await failure(readDataset(metadata(SOURCES), "telemetri"));
    expect(unknown).toBeInstanceOf(UsageError);
    expect(unknown.message).toContain("Did you mean telemetry?");
    expect(await failure(readDataset(metadata(SOURCES), "toString"))).toBeInstanceOf(UsageError);
  });
});

test("the same facts from configuration", () => {
  const at = "derive.toml: sources.telemetry";
  const table = {
    bucket: "b",
    prefix: "raw/",
    dimensions: ["submissionDate", { field_name: "docType", allowed_values: ["main"] }],
  };
  expect(datasetFromTable("telemetry", table, at)).toEqual({
    name: "telemetry",
    bucket: "b",
    prefix: "raw",
    description: undefined,
    dimensions: [
      { name: "submissionDate", allowed: "*" },
      { name: "docType", allowed: ["main"] },
    ],
  });
  expect(datasetFromTable("t", { dimensions: ["day"] }, at)).toMatchObject({ prefix: "", bucket: undefined });
  expect(() => datasetFromTable("t", { dimension: ["day"] }, at)).toThrow(
    `Cannot use ${at}: it has a key "dimension". Did you mean dimensions?`,
  );
  expect(() => datasetFromTable("t", {}, at)).toThrow(`Cannot use ${at}: dimensions is missing`);
  expect(() => datasetFromTable("t", { dimensions: [""] }, at)).toThrow(UsageError);
});
