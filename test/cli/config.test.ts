// Which value is in force, and where it is from.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { required, resolveSettings } from "../../src/cli/config.ts";
import { s3OptionsOf } from "../../src/cli/places.ts";
import { UsageError } from "../../src/errors.ts";
import { inFolder } from "./run.ts";

/** The settings in a folder with this derive.toml. */
const resolved = (
  toml: string | undefined,
  environment: Record<string, string> = {},
  flags: Record<string, unknown> = {},
) =>
  inFolder(async (folder) => {
    if (toml !== undefined) writeFileSync(join(folder, "derive.toml"), toml);
    return resolveSettings(flags, environment, folder);
  });

test("defaults, where nothing is set", async () => {
  const settings = await resolved(undefined);
  expect(settings).toMatchObject({
    only: [],
    codec: "zstd",
    maxPartBytes: 256 * 1024 * 1024,
    maxErrors: { count: 10, fraction: 0.01 },
    onChange: "fail",
    allowEmpty: false,
    strict: false,
    dryRun: false,
    json: false,
  });
  expect(settings.workers).toBeGreaterThan(0);
  expect(settings.output).toBeUndefined();
  expect(settings.origins.codec.from).toBe("default");
  expect(settings.origins.output.from).toBe("not set");
});

test("each level overrides the one below, setting by setting", async () => {
  const toml = 'output = "file"\ninput = "file"\nmetadata = "file"\nstrict = true\nworkers = 3\nonly = ["a=1", "b=2"]';
  const environment = { DERIVE_OUTPUT: "variable", DERIVE_INPUT: "variable", DERIVE_STRICT: "0", DERIVE_METADATA: "" };
  const settings = await resolved(toml, environment, { output: "flag", workers: undefined });
  expect(settings).toMatchObject({ output: "flag", input: "variable", metadata: "file", strict: false, workers: 3 });
  expect(settings.only).toEqual(["a=1", "b=2"]);
  const from = (name: "output" | "input" | "metadata" | "strict" | "codec") => settings.origins[name].from;
  expect([from("output"), from("input"), from("metadata"), from("strict"), from("codec")]).toEqual([
    "--output",
    "DERIVE_INPUT",
    "derive.toml",
    "DERIVE_STRICT",
    "default",
  ]);
});

test("lists replace lists", async () => {
  const settings = await resolved('only = "a=1"', { DERIVE_ONLY: "b=2 c=3,4" });
  expect(settings.only).toEqual(["b=2", "c=3,4"]);
});

test("a file of another name, by flag before variable", async () => {
  await inFolder(async (folder) => {
    for (const name of ["one", "two"]) writeFileSync(join(folder, `${name}.toml`), `output = "${name}"`);
    const [one, two] = ["one.toml", "two.toml"].map((name) => join(folder, name));
    expect(resolveSettings({}, { DERIVE_CONFIG: one }, folder).output).toBe("one");
    const settings = resolveSettings({ config: two }, { DERIVE_CONFIG: one }, folder);
    expect([settings.output, settings.configFile]).toEqual(["two", two]);
    expect(() => resolveSettings({ config: join(folder, "none.toml") }, {}, folder)).toThrow("there is no such file");
  });
});

test("datasets described in derive.toml", async () => {
  const toml = '[sources.telemetry]\nbucket = "b"\nprefix = "telemetry-2"\ndimensions = ["submissionDate", "docType"]';
  const { sources } = await resolved(toml);
  expect(sources.get("telemetry")).toMatchObject({ name: "telemetry", bucket: "b", prefix: "telemetry-2" });
  expect(sources.get("telemetry")?.dimensions.map(({ name }) => name)).toEqual(["submissionDate", "docType"]);
});

test.each([
  ["outptu = 1", 'there is no setting "outptu". Did you mean output?'],
  ["config = 'x'", 'there is no setting "config"'],
  ["__proto__ = 1", "there is no setting"],
  ["output = ", "Cannot read configuration derive.toml: TOML Parse error"],
  ["workers = 0", 'Cannot read workers in derive.toml: "0" is not'],
  ["workers = [1]", "Cannot read workers in derive.toml"],
  ["output = ''", "Cannot read output in derive.toml: it is empty"],
  ["only = [['a=1']]", "or a list of texts"],
  ["strict = 'maybe'", '"maybe" is not true or false'],
  ["codec = 'zst'", "Did you mean zstd?"],
  ["sources = 1", "sources is not a table"],
  ["[sources.t]\nprefx = 'x'\ndimensions = ['d']", "Did you mean prefix?"],
  ["[sources.t]\nprefix = 'x'", "dimensions"],
])("derive.toml: %j is refused", async (toml, error) => {
  const settings = resolved(toml);
  await expect(settings).rejects.toThrow(error);
  await expect(settings).rejects.toBeInstanceOf(UsageError);
});

test("what is missing is told with the three ways to give it", async () => {
  const settings = await resolved(undefined);
  expect(() => required(settings, "output", "where the rows go")).toThrow(
    'Cannot find where the rows go: no output place is set. Give it as --output PLACE, as output = "PLACE" in derive.toml, or as DERIVE_OUTPUT=PLACE',
  );
});

test("S3: for all places, or for one in derive.toml; flags and variables come first", async () => {
  const toml = 'region = "all"\nprofile = "all"\n[input]\nplace = "s3://raw/x"\nregion = "one"\npath-style = true';
  const settings = await resolved(toml, { DERIVE_PROFILE: "variable" }, { "endpoint-url": "http://flag" });
  expect(settings.input).toBe("s3://raw/x");
  expect(settings.origins.input.from).toBe("derive.toml");
  expect(s3OptionsOf(settings, "input")).toEqual({
    endpointUrl: "http://flag",
    region: "one",
    profile: "variable",
    pathStyle: true,
  });
  expect(s3OptionsOf(settings, "output")).toEqual({
    endpointUrl: "http://flag",
    region: "all",
    profile: "variable",
  });
  const overridden = await resolved(toml, { DERIVE_PATH_STYLE: "0", DERIVE_REGION: "variable" });
  expect(s3OptionsOf(overridden, "input")).toMatchObject({ region: "variable", pathStyle: false });
  await expect(resolved("[input]\nendpoint-uri = 1")).rejects.toThrow('"endpoint-uri". Did you mean endpoint-url?');
  await expect(resolved("[output]\npath-style = 3")).rejects.toThrow("path-style of [output] in derive.toml");
});
