// The types that stream authors meet: files with expected errors, held against the type checker itself.

import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dir;

/** The type checker's complaints about `files`. */
async function check(files: string[]): Promise<string> {
  const command = [process.execPath, "check", "--no-script", "--no-pretty", ...files];
  const checker = Bun.spawn(command, { cwd: here, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([checker.stdout.text(), checker.stderr.text(), checker.exited]);
  const complaints = (out + err).split("\n").filter((line) => /error TS\d+/.test(line));
  if (code !== 0 && complaints.length === 0) throw new Error(`bun check ended with ${code}: ${out}${err}`);
  return complaints.join("\n");
}

test("what must compile does, and each expected error comes", async () => {
  const files = readdirSync(here).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  expect(files).toContain("architecture.ts");
  expect(await check(files)).toBe("");
});

test("the checker does complain of an error, and of an expected one that does not come", async () => {
  // Below the repository, whose tsconfig.json says where "derive" is, in the folder that git ignores.
  const build = join(here, "../../build");
  mkdirSync(build, { recursive: true });
  const folder = mkdtempSync(join(build, "wrong-"));
  try {
    const wrong = 'import { string } from "derive";\nstring().map((value) => value.length);\n';
    const needless = "// @ts-expect-error none\nstring().map((value) => value.trim());\n";
    writeFileSync(join(folder, "wrong.ts"), wrong + needless);
    const complaints = await check([join(folder, "wrong.ts")]);
    expect(complaints).toContain("TS2322");
    expect(complaints).toContain("TS2578");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
