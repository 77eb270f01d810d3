// What a stream can do to the thread that it runs in: some of it is refused beforehand, the rest is noticed and named.
import { UsageError } from "../errors.ts";
import { placesOf } from "../thrown.ts";
import { placeOf } from "./causes.ts";
import type { LoadedStream } from "./load.ts";

/** stdout is for what derive prints as data: what a stream says goes to stderr. */
export function leaveStdout(): void {
  console.log = console.info = console.debug = console.error;
  process.stdout = new Proxy({} as typeof process.stdout, STDERR);
}

/** Stands for stderr, which takes 3 ms to load: few streams have something to say. */
const STDERR: ProxyHandler<typeof process.stdout> = {
  get(_, key) {
    const value: unknown = Reflect.get(process.stderr, key);
    return typeof value === "function" ? value.bind(process.stderr) : value;
  },
  has: (_, key) => Reflect.has(process.stderr, key),
};

/** Signals are for the whole process: a stream that sends itself one would take everything else along. */
export function refuseSignals(): void {
  process.kill = process.abort = () => {
    throw new Error("a stream cannot send signals");
  };
}

/** Whether a stream may have thrown an error: not if its stack tells of places, and none of them is in the stream's files. */
export function mayBeOf(stream: LoadedStream | undefined, error: unknown): boolean {
  try {
    return placesOf(error).length === 0 || stream === undefined || placeOf(error, stream.words) !== undefined;
  } catch {
    return true; // only a stream throws what cannot be looked at
  }
}

let changedBuiltin: (() => string | undefined) | undefined;

/** To be called before a stream that is not our own is loaded: it must not find a thread that nobody looks after. */
export async function expectMischief(): Promise<void> {
  changedBuiltin ??= (await import("./builtins.ts")).changedBuiltin;
}

/** What a stream did that leaves nothing of its work to be relied on; undefined where it did not. */
export function mischief(name: string, stray: string | undefined): UsageError | undefined {
  const changed = changedBuiltin?.();
  if (changed !== undefined) {
    return new UsageError(
      `Cannot go on with stream ${name}: it has changed ${changed}, which JavaScript brings along and derive uses as well. Mend the stream`,
    );
  }
  if (stray === undefined) return undefined;
  return new UsageError(`Cannot go on with stream ${name}: it threw ${stray} outside buildRecord. Mend the stream`);
}
