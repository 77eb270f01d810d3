// .ci/run against a stand-in for npm: its last line and its exit code, whatever step fails or crashes.
import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

function writeProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Runs .ci/run in a folder of its own, where `npm test`, `npm start`, … do what `steps` says. */
function runCi(steps: Record<string, string>): { line: string; exit: number } {
  const folder = mkdtempSync(join(tmpdir(), "derive-ci-"));
  try {
    mkdirSync(join(folder, ".ci"));
    copyFileSync(join(root, ".ci/run"), join(folder, ".ci/run"));
    mkdirSync(join(folder, "bin"));
    const cases = Object.entries(steps).map(([name, script]) => `${name}) ${script};;`);
    writeProgram(join(folder, "bin/npm"), `case $1 in ${cases.join(" ")} esac`);
    writeProgram(join(folder, "derive"), "echo 0.0.0");
    const env = { PATH: `${join(folder, "bin")}:${process.env.PATH}`, TMPDIR: tmpdir() };
    const run = Bun.spawnSync(["bash", join(folder, ".ci/run")], { cwd: tmpdir(), env, stdin: null });
    return { line: run.stdout.toString().trimEnd().split("\n").at(-1)!, exit: run.exitCode };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const summary = (pass: number, fail: number) => `echo " ${pass} pass"; echo " 2 skip"; echo " ${fail} fail" >&2`;

test.each([
  ["all well", { test: summary(12, 0) }, "12 passed, 0 failed", 0],
  ["failed tests", { test: `${summary(12, 3)}; exit 1` }, "12 passed, 3 failed", 1],
  ["several runs of tests", { test: `${summary(12, 1)}; ${summary(5, 1)}; exit 1` }, "17 passed, 2 failed", 1],
  ["lint failed, tests passed", { test: `${summary(12, 0)}; exit 1` }, "12 passed, 1 failed", 1],
  ["a crash before any test", { test: "kill -9 $$" }, "0 passed, 1 failed", 1],
  ["no tests at all", { test: "true" }, "0 passed, 1 failed", 1],
  ["npm ci failed", { ci: "exit 1", test: summary(12, 0) }, "12 passed, 1 failed", 1],
  ["npm start failed", { test: summary(12, 0), start: "exit 5" }, "12 passed, 1 failed", 1],
  [
    "text that only looks like a count",
    { test: `echo "3 pass the salt"; ${summary(12, 0)}` },
    "12 passed, 0 failed",
    0,
  ],
])("%s", (_name, steps, line, exit) => {
  expect(runCi(steps)).toEqual({ line, exit });
});
