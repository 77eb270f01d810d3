// Worker threads, and requests to them: each request goes to the next free worker, in the order they were made.
import { Worker } from "node:worker_threads";
import { InterruptedError, UsageError } from "../errors.ts";
import { fromPlainError, type Reply, type Request } from "../pipeline/worker.ts";
import { className } from "../thrown.ts";

type Final = Extract<Reply, { kind: "facts" | "done" }>;
type Event = Exclude<Reply, { kind: "facts" | "done" | "failed" }>;

interface Waiting {
  readonly request: Request;
  readonly onEvent: (event: Event) => void;
  readonly resolve: (reply: Final) => void;
  readonly reject: (error: unknown) => void;
}

// The compiled program is its own entry; from source (also under `bun test`) it is main.ts.
const ENTRY = Bun.isStandaloneExecutable ? Bun.main : new URL("../main.ts", import.meta.url);

export class WorkerPool {
  private readonly idle: Worker[] = [];
  private readonly working = new Map<Worker, Waiting>();
  private readonly queue: Waiting[] = [];
  private closed: Error | undefined;

  /** Workers are started when they are first needed, `size` at the most. */
  constructor(private readonly size: number) {}

  /**
   * Sends a request and waits for its last reply; the ones before go to `onEvent`. Rejects with what the worker threw,
   * in its class. When `signal` is aborted it rejects at once, with an InterruptedError, and the thread at work on it is ended.
   */
  ask<K extends Final["kind"]>(
    request: Extract<Request, { kind: K extends "facts" ? "describe" : "task" }>,
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
      const waiting = {
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

  /** Ends all threads at once, busy or not; requests under way are rejected with `reason`. */
  async close(reason: Error = new Error("the worker pool is closed")): Promise<void> {
    if (this.closed) return;
    this.closed = reason;
    const workers = [...this.idle, ...this.working.keys()];
    const waiting = [...this.working.values(), ...this.queue];
    this.idle.length = this.queue.length = 0;
    this.working.clear();
    for (const { reject } of waiting) reject(reason);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  private drop(dropped: Waiting): void {
    const at = this.queue.indexOf(dropped);
    if (at >= 0) this.queue.splice(at, 1);
    for (const [worker, waiting] of this.working) {
      if (waiting !== dropped) continue;
      this.working.delete(worker);
      void worker.terminate();
    }
    dropped.reject(interrupted());
    this.assign();
  }

  private assign(): void {
    while (this.queue.length > 0) {
      const worker = this.idle.pop() ?? (this.working.size < this.size ? this.start() : undefined);
      if (!worker) return;
      const next = this.queue.shift() as Waiting;
      this.working.set(worker, next);
      worker.postMessage(next.request);
    }
  }

  private start(): Worker {
    const worker = new Worker(ENTRY);
    worker.on("message", (reply: Reply) => {
      const waiting = this.working.get(worker);
      if (!waiting) return;
      if (reply.kind === "rowGroup" || reply.kind === "progress") {
        waiting.onEvent(reply);
        return;
      }
      this.working.delete(worker);
      this.idle.push(worker);
      if (reply.kind === "failed") waiting.reject(fromPlainError(reply.error));
      else waiting.resolve(reply);
      this.assign();
    });
    // Nothing of ours is thrown outside a request: a stream left a promise of its own to fail, or ended the thread.
    worker.on("error", (error: unknown) => this.lose(worker, `it threw ${className(error)} outside buildRecord`));
    worker.on("exit", (code: number) => this.lose(worker, `it ended its thread with code ${code}`));
    return worker;
  }

  private lose(worker: Worker, how: string): void {
    const waiting = this.working.get(worker);
    this.working.delete(worker);
    const at = this.idle.indexOf(worker);
    if (at >= 0) this.idle.splice(at, 1);
    waiting?.reject(new UsageError(`Cannot go on with ${describeRequest(waiting.request)}: ${how}. Mend the stream`));
    if (waiting) void worker.terminate();
    this.assign();
  }
}

function interrupted(): InterruptedError {
  return new InterruptedError("Cannot finish: the run was interrupted. Run the command again");
}

function describeRequest(request: Request): string {
  const ref = request.kind === "describe" ? request.stream : request.task.stream;
  return `stream ${"builtin" in ref ? ref.builtin : ref.path}`;
}
