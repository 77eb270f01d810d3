// Every example of README.md and docs/*.md, run with the built binary in a fresh folder. The convention:
//
// ```sh          A line that begins with "$ " is a command; the lines up to the next one are what it prints, stdout and
// $ command      stderr as on a terminal without colours. "…" alone in a line stands for any number of lines, within a
// output         line for any text. No lines: only the exit code counts. The exit code is 0, unless the command ends in
// ```            "  # exit 5". A line that ends in "\" goes on in the next.
//
// The commands of one document run in its order, in one folder that holds ./derive and the sample day in sample/raw,
// as a clone does after `npm start`. A ```ts block whose first line is "// streams/Name.ts", and a ```toml block whose
// first line is "# derive.toml", are written to that file when their turn comes.
// ```sh blocks without "$ " are for pasting (npm ci && npm start): their npm scripts must exist.
// ```ts blocks are type-checked as modules of their own, with "derive" mapped to src/index.ts; "```ts fragment" is not.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { builtBinary, root } from "../scripts/built.ts";
import { ensureSampleDay } from "../scripts/sample-day.ts";
import { blocksOf, fileNameOf, isShown, stepsOf } from "./documents.ts";

const documents = ["README.md", ...[...new Bun.Glob("docs/*.md").scanSync({ cwd: root })].sort()]
  .filter((path) => existsSync(join(root, path)))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

test("README.md is there and shows commands", () => {
  const readme = documents.find((one) => one.path === "README.md");
  expect(stepsOf(readme?.text ?? "").filter((step) => step.kind === "command")).not.toBeEmpty();
});

for (const { path, text } of documents) {
  const steps = stepsOf(text);
  if (!steps.some((step) => step.kind === "command")) continue;
  describe(path, () => {
    let folder = "";
    beforeAll(() => {
      const day = join(root, "sample/raw");
      ensureSampleDay(day);
      folder = mkdtempSync(join(tmpdir(), "derive-readme-"));
      cpSync(day, join(folder, "sample/raw"), { recursive: true });
      symlinkSync(builtBinary(), join(folder, "derive"));
    }, 120_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    for (const step of steps) {
      if (step.kind === "file") {
        test(`line ${step.line}: ${step.path}`, () => {
          mkdirSync(dirname(join(folder, step.path)), { recursive: true });
          writeFileSync(join(folder, step.path), step.text);
        });
        continue;
      }
      test(`line ${step.line}: ${step.command}`, () => {
        const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: "1", COLUMNS: "120", LANG: "C.UTF-8" };
        const run = Bun.spawnSync(["sh", "-c", `exec 2>&1; ${step.command}`], { cwd: folder, env, stdin: null });
        const lines = run.stdout.toString().split("\n");
        // Compared as lists only to show the difference.
        if (!isShown(step.output, lines)) expect(lines).toEqual(step.output);
        expect(run.exitCode, lines.join("\n")).toBe(step.exit);
      });
    }
  });
}

test("npm scripts that the documents name exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const named = documents.flatMap(({ text }) => [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]);
  for (const [all, script, short] of named) expect(scripts, all).toHaveProperty([(script ?? short)!]);
});

test("the TypeScript blocks of the documents compile", () => {
  // Inside the repository, so that Bun's types are found.
  mkdirSync(join(root, "build"), { recursive: true });
  const folder = mkdtempSync(join(root, "build/documents-"));
  try {
    const config = { extends: "../../tsconfig.json", compilerOptions: { noUnusedLocals: false }, include: ["**/*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    for (const { path, text } of documents) {
      // test/stream/docs.test.ts checks these, and runs their tests.
      if (path === "docs/writing-a-stream.md") continue;
      for (const block of blocksOf(text)) {
        if (block.info !== "ts") continue;
        const file = join(folder, path.replaceAll("/", "-"), fileNameOf(block) ?? `line-${block.line}.ts`);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, block.lines.join("\n") + "\nexport {};\n");
      }
    }
    writeFileSync(join(folder, "one.ts"), "export {};\n"); // no input at all would be an error
    const check = Bun.spawnSync([process.execPath, "check", "--no-script"], { cwd: folder });
    expect(check.exitCode, check.stdout.toString() + check.stderr.toString()).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("the runner itself", () => {
  test("takes commands, their outputs, exit codes and files in order", () => {
    const document = [
      "```ts",
      "// streams/A.ts",
      "export {};",
      "```",
      "```sh",
      "$ ./derive batch A \\",
      "    --from 20151028   # exit 5",
      "Cannot commit: …",
      "$ ./derive streams",
      "```",
      "```sh",
      "npm ci && npm start",
      "```",
    ].join("\n");
    expect(stepsOf(document)).toEqual([
      { kind: "file", line: 2, path: "streams/A.ts", text: "// streams/A.ts\nexport {};\n" },
      { kind: "command", line: 6, command: "./derive batch A --from 20151028", exit: 5, output: ["Cannot commit: …"] },
      { kind: "command", line: 9, command: "./derive streams", exit: 0, output: [] },
    ]);
  });

  test.each([
    [[], ["anything"], true],
    [["a", ""], ["a", "", ""], true],
    [["a"], ["a", "b"], false],
    [["a", "…"], ["a", "b", "c"], true],
    [["a", "…"], ["a"], true],
    [["a", "…", "d"], ["a", "b", "c"], false],
    [["a … rows"], ["a 12 rows"], true],
    [["a … rows"], ["a 12", "rows"], false],
    [["a. (b)"], ["a. (b)  "], true],
    [["a."], ["ab"], false],
  ])("shown %j, printed %j: %p", (shown, actual, same) => {
    expect(isShown(shown, actual)).toBe(same);
  });

  test("a block without an end is an error", () => {
    expect(() => blocksOf("```sh\n$ true")).toThrow("line 2");
  });
});
