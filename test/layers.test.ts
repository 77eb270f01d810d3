// The direction of dependencies, kept as a test: src/ and streams/ obey layers.ts, and layers.ts catches what it should.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkLayers, importsOf, type SourceFile } from "./layers.ts";

const root = join(import.meta.dir, "..");
const files: SourceFile[] = [...new Bun.Glob("{src,streams}/**/*.{ts,js}").scanSync({ cwd: root })]
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => !/^src\/\w+\/assembly\//.test(path)) // WebAssembly, for another compiler
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

test("every import in src/ and streams/ points down", () => {
  expect(files.length).toBeGreaterThan(10);
  expect(checkLayers(files)).toEqual([]);
});

test("no import is missed: all that Bun's own scanner finds are seen", () => {
  const scanner = new Bun.Transpiler({ loader: "ts" });
  for (const { path, text } of files) {
    const seen = new Set(importsOf(text).map((one) => one.specifier));
    for (const one of scanner.scanImports(text.replace(/^#!.*/, ""))) expect(seen, path).toContain(one.path);
  }
});

/** A program of one to three files, and the one breach that it holds. */
const wrong: [name: string, program: Record<string, string>, breach: string][] = [
  [
    "an import that points up",
    { "src/heka/frames.ts": 'import { a } from "../cli/main.ts";', "src/cli/main.ts": "" },
    "src/heka/frames.ts:1: heka imports cli (src/cli/main.ts)",
  ],
  [
    "a type import that points up",
    { "src/parquet/file.ts": '\nimport type { A } from "../avro/schema.ts";', "src/avro/schema.ts": "" },
    "src/parquet/file.ts:2: parquet imports avro (src/avro/schema.ts)",
  ],
  [
    "an import over several lines, behind a comment",
    { "src/jobs/plan.ts": 'export {\n  // "why"\n  a,\n} from "../cli/main.ts";', "src/cli/main.ts": "" },
    "src/jobs/plan.ts:1: jobs imports cli (src/cli/main.ts)",
  ],
  [
    "a lazy import that points up",
    { "src/jobs/run.ts": 'const x = 1;\nawait import("../cli/main.ts");', "src/cli/main.ts": "" },
    "src/jobs/run.ts:2: jobs imports cli (src/cli/main.ts)",
  ],
  [
    "storage's folders in the pipeline",
    { "src/pipeline/read.ts": 'import { a } from "../storage/folder.ts";', "src/storage/folder.ts": "" },
    "src/pipeline/read.ts:1: pipeline imports storage (src/storage/folder.ts)",
  ],
  [
    "a stream that reaches into src/",
    { "streams/A.ts": 'import { a } from "../src/index.ts";', "src/index.ts": "" },
    "streams/A.ts:1: streams imports author (src/index.ts)",
  ],
  [
    "a package of another layer",
    { "src/jobs/run.ts": 'import "consola";' },
    "src/jobs/run.ts:1: jobs imports the package consola",
  ],
  [
    "a package's inner file",
    { "src/avro/a.ts": 'import { a } from "hyparquet-writer/src/thrift.js";' },
    "src/avro/a.ts:1: avro imports the package hyparquet-writer/src/thrift.js",
  ],
  [
    "a package nobody owns",
    { "src/cli/a.ts": 'import a from "lodash";' },
    "src/cli/a.ts:1: cli imports the package lodash",
  ],
  [
    "disk in a layer of bytes",
    { "src/heka/a.ts": 'import { readSync } from "node:fs";' },
    "src/heka/a.ts:1: heka imports node:fs, but does no I/O",
  ],
  [
    "the environment in a layer of bytes",
    { "src/avro/a.ts": "// process.env is not read\nexport const a = process.env.A;" },
    "src/avro/a.ts:2: avro does I/O, reads the environment or logs",
  ],
  [
    "logging",
    { "src/parquet/a.ts": "console.log(1);" },
    "src/parquet/a.ts:1: parquet does I/O, reads the environment or logs",
  ],
  [
    "an exit code below cli",
    { "src/jobs/a.ts": "process.exitCode = 1;" },
    "src/jobs/a.ts:1: jobs sets an exit code; only cli may",
  ],
  [
    "a cycle",
    { "src/heka/a.ts": 'import "./b.ts";', "src/heka/b.ts": 'export * from "./a.ts";' },
    "cycle: src/heka/a.ts -> src/heka/b.ts -> src/heka/a.ts",
  ],
  ["a file of no layer", { "src/utils/a.ts": "" }, "src/utils/a.ts:1: belongs to no layer; name it in test/layers.ts"],
];

test.each(wrong)("catches %s", (_name, program, breach) => {
  expect(checkLayers(Object.entries(program).map(([path, text]) => ({ path, text })))).toEqual([breach]);
});

test("lets pass what the rules allow", () => {
  const program = {
    "src/main.ts": 'const { runCli } = await import("./cli/main.ts");',
    "src/cli/main.ts":
      '// import "hyparquet" would be wrong here\nimport { run } from "../jobs/run.ts";\nimport { parse } from "citty";',
    "src/jobs/run.ts": 'import streams from "../../streams/index.ts";\nimport { openSync } from "node:fs";',
    "src/heka/inflate.ts": 'import { createGunzip } from "node:zlib";\nimport { FormatError } from "../errors.ts";',
    "src/errors.ts": "",
    "src/avro/a.ts": 'import { b } from "./b.ts";',
    "src/avro/b.ts": 'import type { A } from "./a.ts";',
    "streams/index.ts": 'export { default as A } from "./A.ts";',
    "streams/A.ts": 'import { defineStream } from "derive";',
  };
  expect(checkLayers(Object.entries(program).map(([path, text]) => ({ path, text })))).toEqual([]);
});
