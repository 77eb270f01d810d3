// Writing streams with the built binary alone: new, check, test, types. Nothing is installed, and the folder is hostile.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { derive } from "./derive.ts";

builtBinary(); // outside of the hook, which has no time for it

const folder = mkdtempSync(join(tmpdir(), "derive-authoring-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const run = (...words: string[]) =>
  derive(words, folder, { env: { PATH: "/nowhere", HOME: folder, TMPDIR: tmpdir() } });

beforeAll(async () => {
  const begun = await run("new", "Sessions");
  expect(begun).toMatchObject({ exit: 0, stdout: "" });
  // All of this would leave TRACE if it were executed.
  writeFileSync(at("evil.ts"), 'require("node:fs").writeFileSync("TRACE", "");');
  for (const name of ["bunfig.toml", ".bunfig.toml"]) {
    writeFileSync(at(name), 'preload = ["./evil.ts"]\n[test]\npreload = ["./evil.ts"]\n');
  }
  writeFileSync(at("package.json"), '{ "scripts": { "check": "touch TRACE", "test": "touch TRACE" } }');
  writeFileSync(at(".env"), "BUN_OPTIONS=--preload=./evil.ts\n");
  writeFileSync(
    at("tsconfig.json"),
    '{ "compilerOptions": { "strict": false, "paths": { "derive": ["./evil.ts"] } } }',
  );
});
afterAll(() => expect(existsSync(at("TRACE"))).toBe(false));

describe("new", () => {
  test("what it writes passes check and test as it is", async () => {
    expect(await run("check")).toMatchObject({ exit: 0, stdout: "" });
    const { exit, stderr, stdout } = await run("test");
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
    expect(stderr).toContain("2 pass");
    expect((await run("config", "--json")).exit).toBe(0); // derive.toml is read
    expect((await run("streams", "--json")).stdout).toContain('"name":"Sessions"');
  });

  test("writes nothing over, and takes no name that would not do", async () => {
    const before = readFileSync(at("streams/Sessions.ts"), "utf8");
    for (const name of ["Sessions", "ExampleStream", "9", "a-b", "../../x"])
      expect((await run("new", name)).exit).toBe(2);
    expect(readFileSync(at("streams/Sessions.ts"), "utf8")).toBe(before);
  });
});

describe("check", () => {
  test("names file, line and column of what is wrong, and is exit 2", async () => {
    const text = readFileSync(at("streams/Sessions.ts"), "utf8");
    writeFileSync(at("Wrong.ts"), text.replace('.default("??")', ".default(5)"));
    const { exit, stdout, stderr } = await run("check", "./Wrong.ts");
    expect(exit).toBe(2);
    expect(stdout).toMatch(/^Wrong\.ts\(\d+,\d+\): error TS2345: /);
    expect(stderr).toContain("1 type error");
  });

  test("what a stream cannot use does not pass for known: the file system", async () => {
    writeFileSync(at("Reads.ts"), 'import { readFileSync } from "node:fs";\nexport default readFileSync;\n');
    expect((await run("check", "./Reads.ts")).stdout).toContain("node:fs");
  });
});

describe("test", () => {
  test("a test that fails is exit 2; one is chosen by its name", async () => {
    const text = readFileSync(at("streams/Sessions.test.ts"), "utf8");
    writeFileSync(
      at("streams/Broken.test.ts"),
      text.replaceAll('"FR"', '"DE"').replace('country: "DE"', 'country: "IT"'),
    );
    const { exit, stderr } = await run("test", "./streams/Broken.test.ts");
    expect(exit).toBe(2);
    expect(stderr).toContain("IT");
    expect((await run("test", "./streams/Broken.test.ts", "-t", "missing")).exit).toBe(0);
  });

  test("without a test it says where one goes", async () => {
    writeFileSync(at("Lonely.ts"), readFileSync(at("streams/Sessions.ts")));
    const { exit, stderr } = await run("test", "./Lonely.ts");
    expect(exit).toBe(2);
    expect(stderr).toContain("Lonely.test.ts");
  });
});

test("types: one file that TypeScript's own compiler is content with, and sees mistakes by", async () => {
  expect((await run("types", "-o", "editor/derive.d.ts")).exit).toBe(6); // no such folder
  expect((await run("types", "-o", "-")).stdout).toContain('declare module "derive" {');
  expect((await run("types", "-o", "streams/derive.d.ts")).exit).toBe(0);
  const compiler = join(import.meta.dir, "../../node_modules/typescript/bin/tsc");
  writeFileSync(at("streams/Wrong.ts"), readFileSync(at("Wrong.ts")));
  const child = Bun.spawn([process.execPath, compiler, "-p", at("streams")], { stdout: "pipe" });
  expect((await child.stdout.text()).trim().split("\n")).toEqual([expect.stringMatching(/Wrong\.ts.*TS2345/)]);
});
