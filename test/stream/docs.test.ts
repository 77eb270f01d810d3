// docs/writing-a-stream.md: every block of TypeScript is type-checked as a file of its own, and its tests are run.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const guide = readFileSync(join(root, "docs/writing-a-stream.md"), "utf8");
const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
let folder: string;

beforeAll(() => {
  // Below the repository, whose tsconfig.json says where "derive" is, in the folder that git ignores.
  mkdirSync(join(root, "build"), { recursive: true });
  folder = mkdtempSync(join(root, "build/blocks-"));
  for (const [index, block] of blocks.entries()) writeFileSync(join(folder, fileOf(index, block)), block);
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(index: number, block: string): string {
  return `block${index + 1}${block.includes("bun:test") ? ".test" : ""}.ts`;
}

async function run(...words: string[]): Promise<{ code: number; text: string }> {
  const child = Bun.spawn([process.execPath, ...words], { cwd: folder, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, text: out + err };
}

test("the guide's blocks compile", async () => {
  expect(blocks.length).toBeGreaterThan(5);
  const files = blocks.map((block, index) => fileOf(index, block));
  const { code, text } = await run("check", "--no-script", "--no-pretty", ...files);
  expect({ code, text: code === 0 ? "" : text }).toEqual({ code: 0, text: "" });
});

test("the guide's tests pass", async () => {
  const tests = blocks.flatMap((block, index) =>
    block.includes("bun:test") ? [join(folder, fileOf(index, block))] : [],
  );
  expect(tests.length).toBeGreaterThan(0);
  const { code, text } = await run("test", ...tests);
  expect(text).toContain(" 2 pass");
  expect(code).toBe(0);
});
