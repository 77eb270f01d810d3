// One worker thread, from its beginning to its end. Bun's own Worker: that of node:worker_threads takes 2 ms to load, in either
// thread.
import { equip } from "../pipeline/equipment.ts";
import type { Pulse } from "../pipeline/pulse.ts";

export interface Thread {
  readonly worker: Worker;
  readonly pulse: Pulse;
}

// The compiled program is its own entry; from source (also under `bun test`) it is main.ts.
const ENTRY = Bun.isStandaloneExecutable ? Bun.main : new URL("../main.ts", import.meta.url);

const alive = new Set<Worker>();

/** A thread that nobody has taken yet. */
let ahead: Thread | undefined;

/** Begins the thread that is taken first. It takes as long to begin as the command line to be read, so both go on together. */
export function beginAhead(): void {
  ahead ??= begin();
}

export function takeThread(): Thread {
  const thread = ahead ?? begin();
  ahead = undefined;
  return thread;
}

function begin(): Thread {
  const worker = new Worker(ENTRY, { env: process.env as Record<string, string> }); // as it is by now
  alive.add(worker);
  worker.addEventListener("close", () => alive.delete(worker), { once: true });
  return { worker, pulse: equip(worker) };
}

/** Ends it at once, whatever it does: within a single long operation, a sort say, after that. */
export function endThread({ worker }: Thread): void {
  worker.terminate();
}

/** Whether there are threads: the program would wait for them, and must not for one that a stream keeps busy. */
export function areThreads(): boolean {
  return alive.size > 0;
}
