// Runs a command line inside the test, with its words caught; and the program itself, in a folder of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/main.ts";
import type { Stream } from "../../src/cli/output.ts";

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Caught extends Stream {
  text(): string;
  bytes(): Buffer;
}

export function catcher(options: Partial<Stream> = {}): Caught {
  const chunks: Buffer[] = [];
  return {
    ...options,
    write(data, done) {
      chunks.push(Buffer.from(data as Uint8Array));
      done?.();
    },
    bytes: () => Buffer.concat(chunks),
    text: () => Buffer.concat(chunks).toString(),
  };
}

/** `runCli` with these words; a string is split at blanks. */
export async function derive(
  words: string | readonly string[],
  stdoutOptions?: Partial<Stream>,
): Promise<Ran & { bytes: Buffer }> {
  const stdout = catcher(stdoutOptions);
  const stderr = catcher();
  const argv = typeof words === "string" ? words.split(" ").filter((word) => word !== "") : words;
  const exit = await runCli(argv, { stdout, stderr });
  return { exit, stdout: stdout.text(), stderr: stderr.text(), bytes: stdout.bytes() };
}

const main = join(import.meta.dir, "../../src/main.ts");

/** The program in a process of its own. */
export async function spawnDerive(
  words: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: Uint8Array } = {},
): Promise<Ran> {
  const child = Bun.spawn([process.execPath, main, ...words], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, ...options.env },
    stdin: options.stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exit, stdout, stderr };
}

export const entry = [process.execPath, main];

/** A fresh folder, removed when `use` ends. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "derive-cli-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
