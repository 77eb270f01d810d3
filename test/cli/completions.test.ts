// `derive completions`: what shells complete is what the parser takes.
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../../src/cli/commands.ts";
import { derive, entry, inFolder } from "./run.ts";

/** What bash would offer for these words, the last of which is being typed. */
async function offered(words: readonly string[], cwd: string): Promise<string[]> {
  const script = (await derive("completions bash")).stdout;
  const program = `derive() { ${entry.map((word) => `'${word}'`).join(" ")} "$@"; }
${script}
COMP_WORDS=(derive "$@"); COMP_CWORD=$#; _derive; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const child = Bun.spawn(["bash", "-c", program, "bash", ...words], { cwd, stdout: "pipe", stderr: "inherit" });
  return (await child.stdout.text()).split("\n").filter((word) => word !== "");
}

describe.skipIf(!Bun.which("bash"))("bash", () => {
  test("commands, flags, values and streams", async () => {
    await inFolder(async (folder) => {
      mkdirSync(join(folder, "streams"));
      writeFileSync(join(folder, "streams/Mine.ts"), "this is not even loaded");
      expect(await offered(["ba"], folder)).toEqual(["batch"]);
      expect(await offered(["batch", "M"], folder)).toEqual(["Mine"]);
      expect(await offered(["batch", "Mine", "--cod"], folder)).toEqual(["--codec"]);
      expect(await offered(["batch", "Mine", "--codec", ""], folder)).toEqual(["zstd", "snappy", "gzip", "none"]);
      expect(await offered(["batch", "Mine", "--output", "str"], folder)).toEqual([]); // files, by default
      expect(await offered(["help", "verif"], folder)).toEqual(["verify"]);
    });
  });
});

test("every command and every flag stands in every script", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { stdout } = await derive(["completions", shell]);
    for (const [name, { load }] of Object.entries(commands)) {
      expect(stdout).toContain(name);
      for (const flag of Object.keys((await load()).default.flags)) expect(stdout).toContain(flag);
    }
  }
});

test("another shell is exit 2, with those there are", async () => {
  expect(await derive("completions powershell")).toMatchObject({ exit: 2, stdout: "" });
  expect((await derive("completions")).stderr).toContain("bash, zsh or fish");
});
