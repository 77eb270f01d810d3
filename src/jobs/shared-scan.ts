// Tasks of several streams that read the same day, brought together: each raw object is read and decoded once for all of them.
import type { ObjectBooks } from "../pipeline/books.ts";
import type { Reply } from "../pipeline/protocol.ts";
import type { WorkerPool } from "./pool.ts";

type Ask = WorkerPool["ask"];
type TaskRequest = Extract<Parameters<Ask>[0], { kind: "task" }>;
type Event = Parameters<NonNullable<Parameters<Ask>[1]>>[0];
type Done = Extract<Reply, { kind: "done" }>;

interface Waiting {
  readonly request: TaskRequest;
  readonly onEvent: (event: Event) => void;
  readonly resolve: (done: Done) => void;
  readonly reject: (error: unknown) => void;
}

/** A scan for several failed: each of its streams has to begin anew, alone, so that one's fault is not the others'. */
export class SharedScanFailed extends Error {
  override name = "SharedScanFailed";
}

/**
 * A meeting place for the tasks of some members, one stream's partition each. A task waits until every member that has not
 * left has one; these go to a worker together. Members ask in the order of their plans, so the same task meets the same.
 */
export class SharedScan {
  readonly #queues: Waiting[][];
  readonly #left = new Set<number>();

  constructor(
    private readonly pool: Pick<WorkerPool, "ask">,
    members: number,
  ) {
    this.#queues = Array.from({ length: members }, () => []);
  }

  /** The pool as one member sees it; for tasks alone. */
  poolOf(member: number): Pick<WorkerPool, "ask"> {
    return {
      ask: ((request: TaskRequest, onEvent = () => {}, signal) => {
        // A range that begins anew does so for itself: others may have begun theirs rightly.
        const isAlone = request.task.range?.from !== undefined || this.#left.has(member);
        if (request.kind !== "task" || isAlone) return this.pool.ask(request as never, onEvent, signal);
        return new Promise<Done>((resolve, reject) => {
          this.#queues[member]!.push({ request, onEvent, resolve, reject });
          this.#meet();
        });
      }) as Ask,
    };
  }

  /** It will ask no more: it is done, failed, or goes on alone. Leaving twice does nothing. */
  leave(member: number): void {
    this.#left.add(member);
    for (const { reject } of this.#queues[member]!.splice(0)) reject(new SharedScanFailed("it went on alone"));
    this.#meet();
  }

  #meet(): void {
    const here = this.#queues.filter((_queue, member) => !this.#left.has(member));
    while (here.length > 0 && here.every((queue) => queue.length > 0)) this.#send(here.map((queue) => queue.shift()!));
  }

  #send(together: readonly Waiting[]): void {
    if (together.length === 1 || !haveSameRange(together)) {
      for (const { request, onEvent, resolve, reject } of together)
        this.pool.ask<"done">(request, onEvent).then(resolve, reject);
      return;
    }
    const tasks = together.map(({ request }) => request.task);
    const tell = (event: Event): void => together[event.run ?? 0]!.onEvent(event);
    this.pool.ask<"done">({ kind: "task", task: tasks[0]!, others: tasks.slice(1) }, tell).then(
      ({ objects, others = [], range }) => {
        for (const [run, { resolve }] of together.entries())
          resolve({ kind: "done", objects: run === 0 ? objects : others[run - 1]!, range });
      },
      (error) => {
        for (const { reject } of together) reject(new SharedScanFailed(error instanceof Error ? error.name : ""));
      },
    );
  }
}

/** True also where none has one. Days that differ by what a stream leaves out may meet in other tasks. */
function haveSameRange(together: readonly Waiting[]): boolean {
  const ranges = together.map(
    ({ request: { task } }) => task.range && JSON.stringify([task.inputs[0]?.key, task.range]),
  );
  return ranges.every((range) => range === ranges[0]);
}

/**
 * Derives with the others as long as all goes well, else anew and alone.
 * @param alone undoes what was begun, and derives for this member only
 */
export async function deriveShared(
  scan: SharedScan,
  member: number,
  together: (pool: Pick<WorkerPool, "ask">) => Promise<ObjectBooks[]>,
  alone: () => Promise<ObjectBooks[]>,
): Promise<ObjectBooks[]> {
  try {
    const objects = await together(scan.poolOf(member));
    scan.leave(member); // it has no more tasks, and the others need not wait for its commit
    return objects;
  } catch (error) {
    if (!(error instanceof SharedScanFailed)) throw error;
    scan.leave(member);
    return await alone();
  }
}
