// The frame around the commands: help, mistakes, streams, exit codes.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../../src/cli/commands.ts";
import { exitCodeOf } from "../../src/cli/exit.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { ConflictError, FormatError, InputError, InternalError, OutputError, UsageError } from "../../src/errors.ts";
import { encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { errorText } from "../../src/told.ts";
import { version } from "../../src/version.ts";
import { catcher, derive, entry, inFolder, spawnDerive } from "./run.ts";

const names = Object.keys(commands);

test("--help lists every command on stdout", async () => {
  for (const words of ["--help", "-h", "help"]) {
    const { exit, stdout, stderr } = await derive(words);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    const width = Math.max(...names.map((name) => name.length));
    for (const name of names) expect(stdout).toContain(`  ${name.padEnd(width)}  ${commands[name].summary}`);
  }
});

test("--version", async () => {
  expect(await derive("--version")).toMatchObject({ exit: 0, stdout: `${version}\n`, stderr: "" });
});

test.each(names)("derive %s --help teaches", async (name) => {
  const { exit, stdout, stderr } = await derive([name, "--help"]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect((await derive(["help", name])).stdout).toBe(stdout);
  expect(stdout).toContain(`Usage: derive ${name}`);
  expect(stdout).toContain("Exit codes:");
  const { default: command } = await commands[name].load();
  for (const flag of Object.keys(command.flags)) expect(stdout).toContain(`--${flag}`);
  for (const line of stdout.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(100);
});

test.each(names)("the examples of derive %s are right", async (name) => {
  const { default: command } = await commands[name].load();
  expect(command.examples.length).toBeGreaterThan(1);
  for (const { run } of command.examples) {
    const ours = run.split(/ [|>] |<\(|\)/).find((part) => part.startsWith("derive "));
    const [program, called, ...words] = ((ours ?? run).match(/'[^']*'|\S+/g) ?? []).map((word) =>
      word.replace(/^'(.*)'$/, "$1"),
    );
    expect([program, called]).toEqual(["derive", name]);
    parseCommandLine(name, command, words);
  }
});

test.each([
  ["", 2, "no command was given"],
  ["confg", 2, 'derive: Cannot run "confg": there is no such command. Did you mean config?'],
  ["__proto__", 2, 'derive: Cannot run "__proto__"'],
  ["--verbose", 2, "flags come after the command"],
  ["help nothing", 2, 'Cannot run "nothing"'],
  [
    "config --outptu x",
    2,
    "derive config: Cannot use --outptu: derive config has no such flag. Did you mean --output?",
  ],
  ["schema", 2, "derive schema: Cannot run derive schema: <stream> is missing"],
  ["cat", 2, "<path> is missing"],
])("derive %s: exit %d, and nothing on stdout", async (words, exit, error) => {
  const ran = await derive(words);
  expect({ exit: ran.exit, stdout: ran.stdout }).toEqual({ exit, stdout: "" });
  expect(ran.stderr).toContain(error);
});

describe("errors", () => {
  test.each([
    ["UsageError", UsageError, 2],
    ["InputError", InputError, 4],
    ["ConflictError", ConflictError, 5],
    ["OutputError", OutputError, 6],
  ] as const)("%s", (_, Class, exit) => {
    const error = new Class("Cannot a: b");
    expect([exitCodeOf(error), errorText(error)]).toEqual([exit, "Cannot a: b"]);
  });

  test("a format's error tells its offset", () => {
    expect(errorText(new FormatError("no frame", 17))).toBe("no frame (at byte 17)");
  });

  test("P12: an unexpected error is told by class and place, never by its text", () => {
    let error: unknown;
    try {
      JSON.parse('{"clientId": secret}');
    } catch (caught) {
      error = caught;
    }
    expect(exitCodeOf(error)).toBe(70);
    expect(errorText(error)).toContain("SyntaxError");
    expect(errorText(error)).toContain("main.test.ts");
    expect(errorText(error)).not.toContain("secret");
    expect(errorText(new InternalError("books do not balance"))).toContain("books do not balance");
    expect(errorText("thrown text")).toContain("a thrown string");
  });
});

test("colours only where a terminal, NO_COLOR and FORCE_COLOR want them", async () => {
  const coloured = async (isTTY: boolean, variables: Record<string, string>) => {
    const before = { ...process.env };
    Object.assign(process.env, { NO_COLOR: "", FORCE_COLOR: "", TERM: "xterm", ...variables });
    try {
      return (await derive("--help", { isTTY, columns: 80 })).stdout.includes("\x1b[");
    } finally {
      process.env = before;
    }
  };
  expect(await coloured(false, {})).toBe(false);
  expect(await coloured(true, {})).toBe(true);
  expect(await coloured(true, { NO_COLOR: "1" })).toBe(false);
  expect(await coloured(true, { TERM: "dumb" })).toBe(false);
  expect(await coloured(false, { FORCE_COLOR: "1" })).toBe(true);
});

test("a full disk behind stdout is exit 6", async () => {
  const stderr = catcher();
  const full = {
    write: (_: unknown, done?: (error: Error) => void) => done?.(Object.assign(new Error(), { code: "ENOSPC" })),
  };
  const { runCli } = await import("../../src/cli/main.ts");
  expect(await runCli(["--help"], { stdout: full, stderr })).toBe(6);
  expect(stderr.text()).toContain("Cannot write to stdout: ENOSPC");
});

describe("as a process", () => {
  test("in a fresh folder: data on stdout, the exit code, nothing else", async () => {
    await inFolder(async (cwd) => {
      expect(await spawnDerive(["--version"], { cwd })).toEqual({ exit: 0, stdout: `${version}\n`, stderr: "" });
      const { exit, stdout, stderr } = await spawnDerive(["config", "--json", "-j3"], {
        cwd,
        env: { DERIVE_OUTPUT: "out" },
      });
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(JSON.parse(stdout).settings).toMatchObject({
        workers: { value: 3, from: "--workers" },
        output: { value: "out", from: "DERIVE_OUTPUT" },
        input: { value: null, from: "not set" },
      });
    });
  });

  test("| head: a reader that goes away is no error", async () => {
    await inFolder(async (cwd) => {
      await Bun.write(join(cwd, "blank.heka"), "\n".repeat(1000));
      const command = `"${entry.join('" "')}" cat --count ${"blank.heka ".repeat(5000)} | head -n 1; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = Bun.spawnSync(["bash", "-c", command], { cwd, stdin: "ignore" });
      expect(stderr.toString()).toBe("");
      const [line, exit] = stdout.toString().trim().split("\n");
      expect(line).toStartWith("0 messages");
      expect(exit).toBe("0");
    });
  });

  test("a slow reader gets all of it, a file is appended to, a full disk is exit 6", async () => {
    await inFolder(async (cwd) => {
      await Bun.write(join(cwd, "blank.heka"), "\n");
      const count = (files: number) => `"${entry.join('" "')}" cat --count ${"blank.heka ".repeat(files)}`;
      const bash = (words: string) => Bun.spawnSync(["bash", "-c", words], { cwd, stdin: "ignore" });
      const slow = bash(`${count(6000)} | (sleep 0.5; wc -l); echo "\${PIPESTATUS[0]}"`);
      expect(slow.stdout.toString().split("\n").slice(0, 2)).toEqual(["6000", "0"]); // more than a pipe holds
      bash(`echo first > all; ${count(10)} >> all`);
      const lines = readFileSync(join(cwd, "all"), "utf8").trim().split("\n");
      expect([lines.length, lines[0]]).toEqual([11, "first"]);
      const full = bash(`${count(1)} > /dev/full`);
      expect(bash(`"${entry.join('" "')}" --version > /dev/full`).exitCode).toBe(6);
      expect([full.exitCode, full.stderr.toString()]).toEqual([
        6,
        expect.stringContaining("Cannot write to stdout: ENOSPC"),
      ]);
    });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends a command that waits for its input with %d, soon", async (signal, exit) => {
    const child = Bun.spawn([...entry, "cat", "-"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    // A frame is known for one when what follows it is.
    const frame = encodeFrame(encodeMessage({ payload: "first" }));
    child.stdin.write(Buffer.concat([frame, frame]));
    child.stdin.flush();
    const { value } = await child.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toContain("first");
    const sent = performance.now();
    child.kill(signal);
    expect(await child.exited).toBe(exit);
    expect(performance.now() - sent).toBeLessThan(2000);
    expect(await child.stderr.text()).toContain("interrupted");
  });
});
