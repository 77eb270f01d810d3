// The fingerprint changes with everything the bytes depend on, and with nothing else.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UsageError } from "../../src/errors.ts";
import { type FingerprintFacts, fingerprint, streamSources } from "../../src/jobs/fingerprint.ts";

const FACTS: FingerprintFacts = {
  inputs: [
    { key: "a", size: 1, etag: "x" },
    { key: "b", size: 2, etag: "y" },
  ],
  stream: "ExampleStream",
  streamVersion: 1,
  sources: [
    { path: "a.ts", text: "1" },
    { path: "b.ts", text: "2" },
  ],
  schema: '{"type":"record"}',
  dimensions: { docType: ["main", "crash"], appName: ["Firefox"] },
  only: [{ docType: ["main"] }, { appName: ["Firefox"] }],
  partitionBy: ["submissionDate"],
  codec: "zstd",
  maxPartBytes: 1,
  strict: false,
  outputFormat: 1,
};

const CHANGES: Partial<FingerprintFacts>[] = [
  { inputs: FACTS.inputs.slice(1) },
  { inputs: [FACTS.inputs[0]!, { key: "b", size: 3, etag: "y" }] },
  { inputs: [FACTS.inputs[0]!, { key: "b", size: 2, etag: "z" }] },
  { inputs: [FACTS.inputs[0]!, { key: "c", size: 2, etag: "y" }] },
  { stream: "Example" },
  { streamVersion: 2 },
  { sources: [{ path: "a.ts", text: "12" }] },
  { sources: [FACTS.sources[0]!, { path: "c.ts", text: "2" }] },
  { schema: '{"type": "record"}' },
  { dimensions: { docType: ["main"], appName: ["Firefox"] } },
  { only: [{ docType: ["main"], appName: ["Firefox"] }, {}] },
  { only: [] },
  { partitionBy: ["submissionDate", "docType"] },
  { codec: "snappy" },
  { maxPartBytes: 2 },
  { strict: true },
  { outputFormat: 2 },
];

test("each fact changes it", () => {
  const all = [FACTS, ...CHANGES.map((change) => ({ ...FACTS, ...change }))].map(fingerprint);
  expect(new Set(all).size).toBe(CHANGES.length + 1);
  expect(new Set(CHANGES.flatMap(Object.keys))).toEqual(new Set(Object.keys(FACTS)));
  expect(all[0]).toMatch(/^[0-9a-f]{64}$/);
});

test("order without meaning does not", () => {
  const turned: FingerprintFacts = {
    ...FACTS,
    inputs: [...FACTS.inputs].reverse(),
    sources: [...FACTS.sources].reverse(),
    dimensions: { appName: ["Firefox"], docType: ["crash", "main", "main"] },
    only: [...FACTS.only].reverse(),
  };
  expect(fingerprint(turned)).toBe(fingerprint(FACTS));
});

test("P2: it is the one that committed days carry; if this fails, every committed day conflicts", () => {
  expect(fingerprint(FACTS)).toBe("624c9514e30d8dfbb3b9f336d5d4a8a97dffe529e7793b626ccb1222a5ac3271");
});

describe("the sources of a stream", () => {
  const root = mkdtempSync(join(tmpdir(), "derive-test-"));
  afterAll(() => rmSync(root, { recursive: true }));
  const write = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };

  test("are the entry and its relative imports, in circles too; packages and mere types are not", async () => {
    write({
      "streams/My.ts": `import { defineStream } from "derive"; import { a } from "./parts/a.ts"; import type { T } from "./types.ts";
        import table from "../tables/countries.json"; export default defineStream({ a, table } as unknown as T);`,
      "streams/parts/a.ts": `export { b as a } from "./b"; export * from "../My.ts";`,
      "streams/parts/b.ts": `export const b = async () => await import("./c.js");`,
      "streams/parts/c.js": "export default 1;",
      "streams/types.ts": "export type T = never;",
      "tables/countries.json": '{"import": "./nothing"}',
    });
    const sources = await streamSources(join(root, "streams/My.ts"));
    expect(sources.map(({ path }) => path)).toEqual([
      "../tables/countries.json",
      "My.ts",
      "parts/a.ts",
      "parts/b.ts",
      "parts/c.js",
    ]);
    expect(sources[4]!.text).toBe("export default 1;");
  });

  test("that are not there are UsageErrors", async () => {
    write({ "bad.ts": 'import { x } from "./missing.ts"; export default x;' });
    expect(streamSources(join(root, "bad.ts"))).rejects.toThrow(UsageError);
    expect(streamSources(join(root, "bad.ts"))).rejects.toThrow("./missing.ts");
    expect(streamSources(join(root, "none.ts"))).rejects.toThrow(UsageError);
  });

  test("with a syntax error are still sources: loading tells of the error", async () => {
    write({ "syntax.ts": "export default {" });
    expect(await streamSources(join(root, "syntax.ts"))).toEqual([{ path: "syntax.ts", text: "export default {" }]);
  });
});
