// Runs this very program as Bun, whose type checker and test runner it carries: in a folder of its own, where nothing of the
// working directory (bunfig.toml, package.json, .env, tsconfig.json) is read (P13).
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kit } from "../compile/kit.ts";

/** What of the environment Bun gets to see. */
const PASSED_ON = ["PATH", "TMPDIR", "TZ", "LANG", "LC_ALL", "TERM", "NO_COLOR", "FORCE_COLOR", "CI"];

/** A folder of its own, as long as `use` runs. */
export async function inPrivateFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "derive-private-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface Ran {
  readonly exit: number;
  /** Nothing where the output was passed on. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Bun with these words in a private folder. Its output is kept, or passed on to stderr. It is ended with `signal`. */
export async function runBun(
  folder: string,
  words: readonly string[],
  output: "keep" | "pass on",
  signal: AbortSignal,
): Promise<Ran> {
  const passed = PASSED_ON.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined);
  const env = { ...Object.fromEntries(passed), HOME: folder, XDG_CONFIG_HOME: folder, BUN_BE_BUN: "1" };
  const child = Bun.spawn([process.execPath, ...words], {
    cwd: folder,
    env,
    stdin: "ignore",
    stdout: output === "keep" ? "pipe" : 2,
    stderr: output === "keep" ? "pipe" : "inherit",
    signal,
  });
  const text = (stream: unknown): Promise<string> | string =>
    stream instanceof ReadableStream ? new Response(stream).text() : "";
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), child.exited]);
  return { exit, stdout, stderr };
}

/**
 * Writes a file for Bun's `--preload`: it offers "derive" and "derive/test" to everything that is loaded after it, and goes
 * back to the working directory `cwd`. Gives its path.
 */
export function writePreload(folder: string, cwd: string): string {
  for (const [name, text] of Object.entries(kit ?? {})) writeFileSync(join(folder, name), text);
  const at = (name: string): string => (kit ? join(folder, `${name}.js`) : join(import.meta.dir, `../${name}.ts`));
  const preload = join(folder, "preload.js");
  writeFileSync(
    preload,
    `import * as derive from ${JSON.stringify(at("index"))};
import * as testing from ${JSON.stringify(at("testing"))};
Bun.plugin({ name: "derive", setup(build) {
  build.module("derive", () => ({ exports: { ...derive }, loader: "object" }));
  build.module("derive/test", () => ({ exports: { ...testing }, loader: "object" }));
} });
process.chdir(${JSON.stringify(cwd)});
`,
  );
  return preload;
}
