// Worker threads, and requests to them: each request goes to the next free worker, in the order they were made. A stream can
// do anything in its thread; a worker that was lost to one takes only its own request along.
import { InterruptedError, StreamError } from "../errors.ts";
import { fromPlainError, nameOf, type Reply, type Request, streamOf, type Ticketed } from "../pipeline/protocol.ts";
import type { Pulse } from "../pipeline/pulse.ts";
import { openSource } from "../storage/place.ts";
import { endThread, type Thread, takeThread } from "./thread.ts";
import { DEFAULT_LIMITS, fallsBelow, type Limits, Watch } from "./watch.ts";

type Final = Extract<Reply, { kind: "facts" | "done" | "traced" }>;
type Event = Extract<Reply, { kind: "rowGroup" | "faults" | "progress" }>;

/** The request that each last reply answers. */
interface Asking {
  facts: "describe";
  done: "task";
  traced: "trace";
}

interface Waiting {
  /** Random: a stream can post messages too, and does not know it. */
  readonly ticket: string;
  readonly request: Request;
  readonly onEvent: (event: Event) => void;
  readonly resolve: (reply: Final) => void;
  readonly reject: (error: unknown) => void;
}

class PoolWorker {
  /** The request that it works on. */
  waiting?: Waiting;
  /** The request before, if it waits for the next one: its stream is still there. */
  last?: Request;

  constructor(readonly thread: Thread) {}

  get pulse(): Pulse {
    return this.thread.pulse;
  }

  get isBusy(): boolean {
    return this.waiting !== undefined;
  }
}

export class WorkerPool {
  private readonly workers = new Set<PoolWorker>();
  private readonly queue: Waiting[] = [];
  private readonly watch: Watch<PoolWorker>;
  private closed: Error | undefined;
  /** While it is not 0 requests wait until memory has been given back. */
  private makingRoom = 0;

  /** Workers are started when they are first needed, `size` at the most. */
  constructor(
    private readonly size: number,
    limits: Limits = DEFAULT_LIMITS,
  ) {
    this.watch = new Watch(limits, size, {
      watched: () => [...this.workers].filter(({ isBusy, last }) => isBusy || last !== undefined),
      stuck: (worker, seconds) =>
        this.lose(worker, `it did not go on for ${seconds} s (--stream-timeout)`, "Mend the stream, or allow more"),
      full: (bytes, limit, suspects) => void this.makeRoom(suspects, bytes, limit),
    });
  }

  /**
   * Sends a request and waits for its last reply; the ones before go to `onEvent`. Rejects with what the worker threw,
   * in its class. When `signal` is aborted it rejects at once, with an InterruptedError, and the thread at work on it is ended.
   */
  ask<K extends Final["kind"]>(
    request: Extract<Request, { kind: Asking[K] }>,
    onEvent: (event: Event) => void = () => {},
    signal?: AbortSignal,
  ): Promise<Extract<Final, { kind: K }>> {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(this.closed);
      if (signal?.aborted) return reject(interrupted());
      const drop = (): void => this.drop(waiting);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener("abort", drop);
          settle(value);
        };
      const waiting: Waiting = {
        ticket: crypto.randomUUID(),
        request,
        onEvent,
        resolve: settled(resolve as (reply: Final) => void),
        reject: settled(reject),
      };
      signal?.addEventListener("abort", drop);
      this.queue.push(waiting);
      this.assign();
    });
  }

  /** Why it was closed, once it is. */
  get failure(): Error | undefined {
    return this.closed;
  }

  /** Ends all threads at once, busy or not; requests under way are rejected with `reason`. */
  close(reason: Error = new Error("the worker pool is closed")): void {
    if (this.closed) return;
    this.closed = reason;
    this.watch.stop();
    const workers = [...this.workers];
    const waiting = [...this.busy().map((worker) => worker.waiting!), ...this.queue];
    this.workers.clear();
    this.queue.length = 0;
    for (const { reject } of waiting) reject(reason);
    for (const { thread } of workers) endThread(thread);
  }

  private drop(dropped: Waiting): void {
    const at = this.queue.indexOf(dropped);
    if (at >= 0) this.queue.splice(at, 1);
    for (const worker of this.busy()) if (worker.waiting === dropped) this.remove(worker);
    dropped.reject(interrupted());
    this.assign();
  }

  private busy(): PoolWorker[] {
    return [...this.workers].filter(({ isBusy }) => isBusy);
  }

  private assign(): void {
    while (this.queue.length > 0 && this.makingRoom === 0) {
      const idle = [...this.workers].find(({ isBusy }) => !isBusy);
      const worker = idle ?? (this.workers.size < this.size ? this.start() : undefined);
      if (!worker) break;
      worker.waiting = this.queue.shift()!;
      const { ticket, request: message } = worker.waiting;
      worker.pulse.begin();
      worker.thread.worker.postMessage({ ticket, message } satisfies Ticketed<Request>);
    }
    this.watch.start();
  }

  private start(): PoolWorker {
    const worker = new PoolWorker(takeThread());
    this.workers.add(worker);
    const thread = worker.thread.worker;
    thread.addEventListener("message", ({ data }: MessageEvent<Partial<Ticketed<Reply>> | null>) => {
      const { waiting } = worker;
      if (waiting && data?.ticket === waiting.ticket) this.receive(worker, waiting, data.message!);
    });
    // What a stream throws outside a request is caught in its thread, unless it has broken that as well.
    thread.addEventListener("error", () => this.lose(worker, "it threw an error outside buildRecord"));
    thread.addEventListener("close", ({ code }) => this.lose(worker, `it ended its thread with code ${code}`));
    return worker;
  }

  private receive(worker: PoolWorker, { request, onEvent, resolve, reject }: Waiting, reply: Reply): void {
    if (reply.kind === "rowGroup" || reply.kind === "faults" || reply.kind === "progress") {
      onEvent(reply);
      return;
    }
    worker.waiting = undefined;
    worker.last = request;
    if (reply.kind === "failed") {
      reject(fromPlainError(reply.error));
      // Whatever a stream has done to its thread, the next request gets another one.
      if (request.kind !== "describe") this.remove(worker);
    } else resolve(reply);
    this.assign();
  }

  private lose(worker: PoolWorker, how: string, remedy = "Mend the stream"): void {
    if (!this.workers.has(worker)) return;
    this.remove(worker);
    const { waiting, pulse } = worker;
    if (waiting) {
      const where = placeOf(waiting.request, pulse);
      const at = where ? `: ${where.object} offset ${where.offset} (${where.bytes} bytes)` : "";
      const { request } = waiting;
      const name = nameOf(streamOf(request));
      waiting.reject(new StreamError(`Cannot go on with stream ${name}${at}: ${how}. ${remedy}`, where));
    }
    this.assign();
  }

  /** Ends what fills the memory at once. Other requests begin when it is free again; else the pool is of no more use. */
  private async makeRoom(suspects: readonly PoolWorker[], bytes: number, limit: number): Promise<void> {
    const workers = suspects.filter((worker) => this.workers.has(worker));
    if (workers.length === 0) return;
    const reason = outOfMemory(workers, bytes, limit);
    for (const worker of workers) {
      this.remove(worker);
      worker.waiting?.reject(reason);
    }
    this.makingRoom++;
    await fallsBelow(limit);
    if (this.watch.isFull()) this.close(reason);
    this.makingRoom--;
    this.assign();
  }

  private remove(worker: PoolWorker): void {
    this.workers.delete(worker);
    endThread(worker.thread);
  }
}

function outOfMemory(workers: readonly PoolWorker[], bytes: number, limit: number): StreamError {
  const names = new Set(workers.map(({ waiting, last }) => nameOf(streamOf(waiting?.request ?? last!))));
  const places = workers.flatMap(({ waiting, pulse }) => (waiting && placeOf(waiting.request, pulse)) ?? []);
  const at = places.map(({ object, offset }) => `${object} offset ${offset}`).join(", ");
  const [used, allowed] = [bytes, limit].map((size) => `${Math.round(size / 2 ** 20)} MiB`);
  return new StreamError(
    `Cannot go on with stream ${[...names].join(", ")}: the run takes ${used} of memory, ${allowed} are allowed (--max-memory)` +
      `${at === "" ? "" : `. It was at ${at}`}. Mend the stream if it keeps what it reads, use fewer workers, or allow more`,
    places.length === 1 ? places[0] : undefined,
  );
}

function interrupted(): InterruptedError {
  return new InterruptedError("Cannot finish: the run was interrupted. Run the command again");
}

/** The message that a worker's stream was given last. */
function placeOf(request: Request, { at }: Pulse) {
  if (request.kind !== "task" || at === undefined) return undefined;
  const { place, inputs } = request.task;
  const input = inputs[at.input];
  return input && { input: at.input, object: openSource(place).urlOf(input.key), offset: at.offset, bytes: at.length };
}
