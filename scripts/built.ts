// The built program for everything that runs it: tests, the start, the bench. Built first when a source is newer.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dir, "..");
const binary = join(root, "derive");

/** What ends up in the binary, or decides how it is made. */
const sources = new Bun.Glob("{src/**/*,streams/**/*,scripts/build.ts,package.json,package-lock.json,tsconfig.json}");

/** Whether ./derive is missing or older than one of its sources. */
export function isStale(): boolean {
  if (!existsSync(binary)) return true;
  const built = statSync(binary).mtimeMs;
  return [...sources.scanSync({ cwd: root })].some((path) => statSync(join(root, path)).mtimeMs > built);
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
