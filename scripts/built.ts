// The built program for everything that runs it: tests, the start, the bench. Built first when a source is newer.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dir, "..");
const binary = join(root, "derive");

/** What ends up in the binary, or decides how it is made. One glob would do, but `**` within braces matches nothing. */
const SOURCES = [
  "src/**/*",
  "streams/**/*",
  "scripts/build.ts",
  "scripts/webassembly.ts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

/** When the newest source was written, in milliseconds since the epoch. */
export function newestSource(): number {
  const paths = SOURCES.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root })]);
  return Math.max(...paths.map((path) => statSync(join(root, path)).mtimeMs));
}

/** Whether ./derive is missing or older than one of its sources. */
export function isStale(): boolean {
  return !existsSync(binary) || statSync(binary).mtimeMs < newestSource();
}

/** The absolute path of an up-to-date ./derive. Throws if it cannot be built. */
export function builtBinary(): string {
  if (isStale()) {
    const build = Bun.spawnSync([process.execPath, join(root, "scripts/build.ts")], {
      cwd: root,
      stdout: "inherit",
      stderr: "inherit",
    });
    if (build.exitCode !== 0) throw new Error(`Cannot build ./derive: scripts/build.ts ended with ${build.exitCode}`);
  }
  return binary;
}
