// The texts that `derive new` writes. test/binary/authoring.test.ts type-checks and runs them.

export function streamTemplate(name: string, dataset: string): string {
  return `// One row per message that is not left out. Try it on raw files: derive try ${name} raw/
import { defineStream, double, string } from "derive";

export default defineStream({
  // The raw dataset to read, as sources.json or derive.toml names it.
  streamName: ${JSON.stringify(dataset)},
  description: "What this dataset is for, in one sentence",

  // Which raw objects to read, by the dimensions of their keys; others are not even listed.
  // dimensions: { docType: ["main"], appUpdateChannel: ["nightly", "beta*"] },

  // Which messages to take; others are filtered, and counted.
  // where: (message) => message.double("sampleId", 0) < 1,

  // The columns of the Parquet files, in this order: a type, a path into the ping (the column's own name where absent),
  // and what a missing value means:
  //   nothing said      the message fails, and is counted as such
  //   .orSkip()         the message is left out
  //   .default(value)   that value
  //   .optional()       null
  columns: {
    documentId: string().orSkip(),
    clientId: string().optional(),
    country: string("geoCountry").default("??"),
    version: string("environment.build.version").optional(),
    // Computed from the value at the path; .from({ … }, compute) takes several.
    hours: double("payload.info.subsessionLength")
      .map((seconds) => seconds / 3600)
      .default(0),
    // Further types: int long boolean bytes timestamp json, and list(…) map(…) record({ … }) of them:
    // addons: list(record({ id: string("$key"), name: string().optional() }), "environment.addons.activeAddons"),
  },
});
`;
}

export function testTemplate(name: string): string {
  return `// derive test ${name}
import { expect, test } from "bun:test";
import { derivePing } from "derive/test";
import ${name} from "./${name}.ts";

const ping = {
  clientId: "c0ffee",
  environment: { build: { version: "42.0" } },
  payload: { info: { subsessionLength: 5400 } },
};

// The last argument is what the pipeline knew beside the ping.
test("a ping becomes a row", () => {
  expect(derivePing(${name}, ping, { documentId: "d1", geoCountry: "FR" })).toEqual({
    row: { documentId: "d1", clientId: "c0ffee", country: "FR", version: "42.0", hours: 1.5 },
  });
});

test("what is missing means what its column says", () => {
  expect(derivePing(${name}, {}, { documentId: "d1" })).toEqual({
    row: { documentId: "d1", clientId: null, country: "??", version: null, hours: 0 },
  });
});
`;
}

export function configTemplate(dataset: string): string {
  return `# Settings of derive in this folder: the names of its flags. \`derive config\` shows what is in force.

# Where derived datasets go: a folder, or s3://bucket/prefix.
# output = "derived"

# Where sources.json lies, which tells where raw datasets are.
# metadata = "s3://my-metadata-bucket"

# Downloaded raw data that stands in for the bucket: keys are looked up below it.
# input = "raw"

# Without a metadata place a dataset is described here; the first dimension of its keys is the day.
# [sources.${/^[\w-]+$/.test(dataset) ? dataset : JSON.stringify(dataset)}]
# bucket = "my-raw-bucket"
# prefix = "telemetry-2"
# dimensions = ["submissionDate", "sourceName", "sourceVersion", "docType", "appName", "appUpdateChannel", "appVersion", "appBuildId"]
`;
}
