// The texts that `derive new` writes, from templates/. test/binary/authoring.test.ts type-checks and runs them.
import config from "./templates/derive.toml.txt" with { type: "text" };
import test from "./templates/stream.test.ts.txt" with { type: "text" };
import stream from "./templates/stream.ts.txt" with { type: "text" };

export function streamTemplate(name: string, dataset: string): string {
  return stream.replaceAll("STREAM", name).replace('"DATASET"', () => JSON.stringify(dataset));
}

export function testTemplate(name: string): string {
  return test.replaceAll("STREAM", name);
}

export function configTemplate(dataset: string): string {
  return config.replace("DATASET", () => (/^[\w-]+$/.test(dataset) ? dataset : JSON.stringify(dataset)));
}
