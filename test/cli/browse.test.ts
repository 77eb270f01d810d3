// `derive ls`, `derive streams`, `derive schema`: what there is.
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { derive, inFolder, spawnDerive } from "./run.ts";

/** A raw dataset of two days in a folder. */
const withRaw = <T>(use: (folder: string) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    const dimensions = ["submissionDate", "docType", "appName"].map((field_name) => ({
      field_name,
      allowed_values: "*",
    }));
    const sources = {
      telemetry: { prefix: "telemetry-2", metadata_prefix: "meta", bucket: "b", description: "pings" },
    };
    const write = (key: string, text: string) => {
      mkdirSync(join(folder, key, ".."), { recursive: true });
      writeFileSync(join(folder, key), text);
    };
    write("sources.json", JSON.stringify(sources));
    write("meta/schema.json", JSON.stringify({ version: 1, dimensions }));
    write("telemetry-2/20151027/main/Firefox/a", "12345");
    write("telemetry-2/20151028/main/Firefox/a", "1234567890");
    write("telemetry-2/20151028/main/Firefox/b", "1234567890");
    write("telemetry-2/20151028/crash/Fennec/c", "12345");
    write("telemetry-2/20151028/stranger", "1");
    return use(folder);
  });

describe("ls", () => {
  test("datasets, days, a day", async () => {
    await withRaw(async (folder) => {
      const ls = (...words: string[]) => derive(["ls", ...words, "--metadata", folder, "--input", folder]);
      expect(await ls()).toMatchObject({
        exit: 0,
        stdout: "dataset    prefix       description\ntelemetry  telemetry-2  pings\n",
      });
      expect(await ls("telemetry")).toMatchObject({ exit: 0, stdout: "20151027\n20151028\n" });
      const day = await ls("telemetry", "2015-10-28");
      expect(day.exit).toBe(0);
      expect(day.stdout).toBe(
        [
          "20151028  3 objects, 25 B",
          "",
          "dimension  value    objects  stored",
          "docType    main           2    20 B",
          "           crash          1     5 B",
          "appName    Firefox        2    20 B",
          "           Fennec         1     5 B",
          "",
          "1 key not of the dataset's form, such as telemetry-2/20151028/stranger",
          "",
        ].join("\n"),
      );
      const json = JSON.parse((await ls("telemetry", "20151028", "--json")).stdout);
      expect(json).toMatchObject({
        day: "20151028",
        objects: 3,
        storedBytes: 25,
        strangers: ["telemetry-2/20151028/stranger"],
      });
    });
  });

  test("what is not there", async () => {
    await withRaw(async (folder) => {
      const ls = (...words: string[]) => derive(["ls", ...words, "--metadata", folder, "--input", folder]);
      expect(await ls("telemetri")).toMatchObject({
        exit: 2,
        stderr: expect.stringContaining("Did you mean telemetry?"),
      });
      expect(await ls("telemetry", "20151029")).toMatchObject({
        exit: 4,
        stderr: expect.stringContaining("no objects of 20151029"),
      });
      expect(await ls("telemetry", "20151301")).toMatchObject({ exit: 2 });
      expect(await derive("ls")).toMatchObject({ exit: 2, stderr: expect.stringContaining("DERIVE_METADATA") });
      expect(await derive("ls --metadata /nowhere")).toMatchObject({ exit: 4 });
    });
  });

  test("a dataset of derive.toml needs no metadata", async () => {
    await withRaw(async (folder) => {
      writeFileSync(
        join(folder, "derive.toml"),
        `input = "."\n[sources.mine]\nprefix = "telemetry-2"\ndimensions = ["submissionDate", "docType"]`,
      );
      expect(await spawnDerive(["ls", "mine"], { cwd: folder })).toMatchObject({
        exit: 0,
        stdout: "20151027\n20151028\n",
      });
      const { stdout } = await spawnDerive(["ls", "--json"], { cwd: folder });
      expect(JSON.parse(stdout)).toMatchObject({ name: "mine", prefix: "telemetry-2" });
    });
  });
});

const stream = `import { defineStream, string } from "derive";
export default defineStream({ streamName: "telemetry", description: "mine", columns: { clientId: string() } });`;

describe("streams, schema", () => {
  test("built-in streams and those of ./streams, a broken one told", async () => {
    await inFolder(async (cwd) => {
      mkdirSync(join(cwd, "streams"));
      writeFileSync(join(cwd, "streams/MyStream.ts"), stream);
      const { exit, stdout, stderr } = await spawnDerive(["streams"], { cwd });
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(stdout).toContain("ExampleStream  telemetry  built in\n");
      expect(stdout).toContain("21 columns: docType, submissionDate, creationTimestamp");
      expect(stdout).toContain(
        `MyStream  telemetry  ${join(cwd, "streams/MyStream.ts")}\n  mine\n  1 column: clientId\n`,
      );

      writeFileSync(join(cwd, "streams/Broken.ts"), "export default {};");
      const json = await spawnDerive(["streams", "--json"], { cwd });
      expect(json.exit).toBe(2);
      expect(json.stderr).toContain("error: Broken: ");
      const listed = json.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(listed.map(({ name }) => name)).toEqual(["AddonsStream", "ExampleStream", "ExecutiveStream", "MyStream"]);
      expect(listed.at(-1)).toMatchObject({
        dataset: "telemetry",
        version: 1,
        columns: ["clientId"],
        path: join(cwd, "streams/MyStream.ts"),
      });
    });
  });

  test("the schema as Avro and as Parquet", async () => {
    await inFolder(async (cwd) => {
      writeFileSync(join(cwd, "MyStream.ts"), stream);
      const avro = await spawnDerive(["schema", "./MyStream.ts"], { cwd });
      expect(avro).toMatchObject({ exit: 0, stderr: "" });
      expect(JSON.parse(avro.stdout)).toEqual({
        type: "record",
        name: "MyStream",
        fields: [{ name: "clientId", type: "string" }],
      });
      const parquet = await spawnDerive(["schema", "./MyStream.ts", "--format=parquet"], { cwd });
      expect(parquet).toMatchObject({ exit: 0, stderr: "" });
      expect(parquet.stdout).toBe("message MyStream {\n  required binary clientId (STRING);\n}\n");
      expect(await spawnDerive(["schema", "ExampelStream"], { cwd })).toMatchObject({
        exit: 2,
        stderr: expect.stringContaining("Did you mean ExampleStream?"),
      });
    });
  });
});
