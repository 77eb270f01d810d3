// The streams that `derive compile` built in, besides those of streams/: in a compiled program a list takes the place of
// this file (assemble.ts).
import type { DerivedStream } from "../stream.ts";

export interface CompiledStream {
  /** The file's name without its ending: what the command line calls it. */
  readonly name: string;
  /** All files it is made of, the entry first, by their paths relative to the entry's folder. */
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  /** Runs its code: in worker threads only. */
  load(): Promise<{ readonly default?: DerivedStream }>;
}

export const compiled: readonly CompiledStream[] = [];
