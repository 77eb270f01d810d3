// Looks after worker threads from outside: whether each still goes on, and how much memory the program takes. What a stream
// does in its thread, nobody in that thread can stop.
import { totalmem } from "node:os";
import { BEAT_EVERY_MS, type Pulse } from "../pipeline/pulse.ts";

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
/** As much is the program's before there are workers. More is somebody else's, of a test in whose process this runs. */
const OWN_BYTES = 128 << 20;
/** Of the machine's memory, or of what a container allows: above it the kernel may end the program without a word. */
const SHARE_OF_MACHINE = 0.8;

/**
 * A message may take so much, or so many times of its frame: 22 times in a block of Snappy, and of that twelve times where all of
 * its JSON is asked for (56 MiB take 670 MB).
 */
const MESSAGE_BYTES = 128 << 20;
const MESSAGE_FACTOR = 256;
/** What other workers may take meanwhile: while all begin, 60 MB each. */
const OTHERS_BYTES = 64 << 20;

export function memoryLimit({ memoryBytes }: Limits, workers: number): number {
  if (memoryBytes > 0) return memoryBytes;
  const machine = process.constrainedMemory() || totalmem();
  const others = Math.max(0, process.memoryUsage.rss() - OWN_BYTES);
  return Math.min(BASE_BYTES + WORKER_BYTES * workers + others, SHARE_OF_MACHINE * machine);
}

const GIVEN_BACK_MS = 3000;

/** Waits until memory that ended threads had is given back, or for as long as that may take. */
export async function fallsBelow(bytes: number): Promise<void> {
  for (let waited = 0; waited < GIVEN_BACK_MS; waited += LOOK_EVERY_MS) {
    if (process.memoryUsage.rss() < bytes) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    Bun.gc(true);
  }
}

/** A stream can fill 2 GB in a second. */
const LOOK_EVERY_MS = 20;
/** At the rate at which a stream can fill memory one message takes that long when it is the one. */
const SUSPECT_MS = 3 * LOOK_EVERY_MS;
/** A look that comes much later means that the machine slept, or this thread was kept: not that a worker is stuck. */
const COUNTED_MS = 5 * LOOK_EVERY_MS;

/** A worker without a request shows that it goes on much more rarely. */
const IDLE_SUSPECT_MS = 2 * BEAT_EVERY_MS;

interface Watched {
  readonly pulse: Pulse;
  readonly isBusy: boolean;
}

export interface WatchEvents<W extends Watched> {
  /** Workers that a stream was loaded into, with a request or without: it may have left a timer. The watch ends when there are none. */
  watched(): readonly W[];
  stuck(worker: W, seconds: number): void;
  /** `suspects`: those that do not go on while the memory fills; where all of them do, all that have a request. */
  full(bytes: number, limit: number, suspects: readonly W[]): void;
}

export class Watch<W extends Watched> {
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Of each worker its beats when last looked at, for how long they have been the same, in ms, and the memory before. */
  private readonly still = new Map<W, { beats: number; ms: number; before: number }>();
  private readonly memory: number;
  private looked = 0;

  constructor(
    private readonly limits: Limits,
    private readonly workers: number,
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

  /** Whether the whole program takes more than it may. */
  isFull(): boolean {
    return process.memoryUsage.rss() > this.memory;
  }

  private look(): void {
    const now = performance.now();
    const passed = Math.min(now - this.looked, COUNTED_MS);
    this.looked = now;
    const watched = this.events.watched();
    const bytes = process.memoryUsage.rss();
    if (watched.length === 0) {
      this.stop();
      return;
    }
    this.lookAtBeats(watched, passed, bytes);
    const suspects = watched.filter((worker) => {
      return this.still.get(worker)!.ms >= (worker.isBusy ? SUSPECT_MS : IDLE_SUSPECT_MS);
    });
    const busy = watched.filter(({ isBusy }) => isBusy);
    if (bytes > this.memory) {
      const [all] = [suspects, busy, watched].filter(({ length }) => length > 0);
      this.events.full(bytes, this.memory, all!);
    } else if (this.limits.memoryBytes === 0) this.lookAtGrowth(suspects, bytes);
  }

  /** Unless a limit was given: what one message may take besides, whatever the whole may. */
  private lookAtGrowth(suspects: readonly W[], bytes: number): void {
    for (const worker of suspects) {
      const { at } = worker.pulse;
      if (at === undefined || !worker.isBusy) continue; // not a message: the stream's file, or a table that it loads
      const { before } = this.still.get(worker)!;
      const allowed = Math.max(MESSAGE_BYTES + OTHERS_BYTES * this.workers, MESSAGE_FACTOR * at.length);
      if (bytes - before > allowed) this.events.full(bytes, before + allowed, [worker]);
    }
  }

  private lookAtBeats(watched: readonly W[], passed: number, bytes: number): void {
    for (const worker of this.still.keys()) if (!watched.includes(worker)) this.still.delete(worker);
    for (const worker of watched) {
      const { beats } = worker.pulse;
      const last = this.still.get(worker);
      const isStill = last?.beats === beats;
      const ms = isStill ? last.ms + passed : 0;
      this.still.set(worker, { beats, ms, before: isStill ? Math.min(last.before, bytes) : bytes });
      if (ms >= this.limits.streamSeconds * 1000) this.events.stuck(worker, this.limits.streamSeconds);
    }
  }
}
