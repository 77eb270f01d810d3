// The built ./derive in a process of its own, for the tests of this folder.
import { builtBinary } from "../../scripts/built.ts";

export interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The most memory that it had, in bytes. */
  readonly peakRss: number;
}

/** Runs the binary in `cwd` with nothing in its environment but `env`. */
export async function derive(
  words: readonly string[],
  cwd: string,
  options: {
    env?: Record<string, string>;
    stdin?: Uint8Array;
    signal?: { name: NodeJS.Signals; afterMs: number };
  } = {},
): Promise<Ended> {
  const child = Bun.spawn([builtBinary(), ...words], {
    cwd,
    env: options.env ?? {},
    stdin: options.stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const { signal } = options;
  const timer = signal && setTimeout(() => child.kill(signal.name), signal.afterMs);
  const [stdout, stderr, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  clearTimeout(timer);
  return { exit, stdout, stderr, peakRss: Number(child.resourceUsage()?.maxRSS ?? 0) };
}
