// Looks after worker threads from outside: whether each still goes on, and how much memory the program takes. What a stream
// does in its thread, nobody in that thread can stop.
import { totalmem } from "node:os";
import type { Pulse } from "../pipeline/pulse.ts";

export interface Limits {
  /** A worker that does not go on for so long is stuck. */
  readonly streamSeconds: number;
  /** Bytes of memory for the whole program; 0: by the number of workers and the machine. */
  readonly memoryBytes: number;
}

export const DEFAULT_LIMITS: Limits = { streamSeconds: 60, memoryBytes: 0 };

/** A message of 56 MiB whose whole JSON a stream asks for takes 670 MB; a worker on usual pings 60 MB. */
const BASE_BYTES = 1 << 30;
const WORKER_BYTES = 128 << 20;
/** Of the machine's memory, or of what a container allows: above it the kernel may end the program without a word. */
const SHARE_OF_MACHINE = 0.8;

export function memoryLimit({ memoryBytes }: Limits, workers: number): number {
  if (memoryBytes > 0) return memoryBytes;
  const machine = process.constrainedMemory() || totalmem();
  return Math.min(BASE_BYTES + WORKER_BYTES * workers, SHARE_OF_MACHINE * machine);
}

const GIVEN_BACK_MS = 3000;

/** Waits until memory that ended threads had is given back, and tells whether it was. */
export async function fallsBelow(bytes: number): Promise<boolean> {
  for (let waited = 0; waited < GIVEN_BACK_MS; waited += LOOK_EVERY_MS) {
    Bun.gc(true);
    if (process.memoryUsage.rss() < bytes) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

/** A stream can fill 2 GB in a second. */
const LOOK_EVERY_MS = 50;
/** At the rate at which a stream can fill memory one message takes that long when it is the one. */
const SUSPECT_MS = 3 * LOOK_EVERY_MS;
/** A look that comes much later means that the machine slept, or this thread was kept: not that a worker is stuck. */
const COUNTED_MS = 5 * LOOK_EVERY_MS;

interface Watched {
  readonly pulse: Pulse;
}

export interface WatchEvents<W extends Watched> {
  /** Workers that have a request. The watch ends when there are none. */
  busy(): readonly W[];
  stuck(worker: W, seconds: number): void;
  /** `suspects`: those that do not go on while the memory fills; where all of them do, all. */
  full(bytes: number, limit: number, suspects: readonly W[]): void;
}

export class Watch<W extends Watched> {
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Of each busy worker its beats when last looked at, and for how long they have been the same, in ms. */
  private readonly still = new Map<W, { beats: number; ms: number }>();
  private readonly memory: number;
  private looked = 0;

  constructor(
    private readonly limits: Limits,
    workers: number,
    private readonly events: WatchEvents<W>,
  ) {
    this.memory = memoryLimit(limits, workers);
  }

  start(): void {
    if (this.timer !== undefined) return;
    this.looked = performance.now();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.still.clear();
  }

  private look(): void {
    const now = performance.now();
    const passed = Math.min(now - this.looked, COUNTED_MS);
    this.looked = now;
    const busy = this.events.busy();
    const bytes = process.memoryUsage.rss();
    if (busy.length === 0) {
      this.stop();
      return;
    }
    this.lookAtBeats(busy, passed);
    if (bytes <= this.memory) return;
    const suspects = busy.filter((worker) => this.still.get(worker)!.ms >= SUSPECT_MS);
    this.events.full(bytes, this.memory, suspects.length > 0 ? suspects : busy);
  }

  private lookAtBeats(busy: readonly W[], passed: number): void {
    for (const worker of this.still.keys()) if (!busy.includes(worker)) this.still.delete(worker);
    for (const worker of busy) {
      const { beats } = worker.pulse;
      const before = this.still.get(worker);
      const ms = before?.beats === beats ? before.ms + passed : 0;
      this.still.set(worker, { beats, ms });
      if (ms >= this.limits.streamSeconds * 1000) this.events.stuck(worker, this.limits.streamSeconds);
    }
  }
}
