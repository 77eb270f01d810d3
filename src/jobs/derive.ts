// The tasks of one partition: any worker runs any of them, and their row groups are taken in the order of the plan.

import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { ObjectBooks } from "../pipeline/books.ts";
import { FaultyInput } from "../pipeline/deriving.ts";
import type { TaskSpec } from "../pipeline/task.ts";
import type { Task } from "./plan.ts";
import type { WorkerPool } from "./pool.ts";
import type { FaultSink } from "./quarantine.ts";
import { WaitingGroups } from "./turns.ts";

/** A fault under --strict is told with the books of all that came before it. */
function rejectWith(error: unknown, before: readonly (readonly ObjectBooks[] | undefined)[]): never {
  if (!(error instanceof FaultyInput)) throw error;
  throw new FaultyInput(error.message, [...before.flatMap((objects) => objects ?? []), ...error.books]);
}

export interface TaskSink extends FaultSink {
  /** Gets each row group once, in the order of the plan, one at a time. */
  write(group: EncodedRowGroup): Promise<void>;
  progress(storedBytes: number, messages: number, rows: number): void;
}

/**
 * Runs all tasks and gives the books of all objects in the order of the plan. At most `ahead` tasks are under way or done
 * before their turn. Rejects with the failure of the first task that fails, in the order of the plan whichever worker is the
 * faster; later tasks that are under way then go on, and are ignored.
 */
export async function deriveTasks(
  tasks: readonly Task[],
  spec: Omit<TaskSpec, "inputs">,
  pool: Pick<WorkerPool, "ask">,
  ahead: number,
  sink: TaskSink,
): Promise<ObjectBooks[]> {
  const waiting = tasks.map(() => new WaitingGroups());
  const books = tasks.map((): ObjectBooks[] | undefined => undefined);
  let turn = 0;
  let ended = false;
  let writing: Promise<void> = Promise.resolve();
  const write = (step: () => Promise<void>): void => {
    writing = writing.then(step);
    writing.catch(() => {}); // seen when it is awaited below
  };
  const run = async (task: Task): Promise<void> => {
    const inputs = task.inputs.map(({ key, size, etag }) => ({ key, size, etag }));
    const { objects } = await pool.ask<"done">({ kind: "task", task: { ...spec, inputs } }, (event) => {
      if (ended) return;
      if (event.kind === "progress") sink.progress(event.storedBytes, event.messages, event.rows);
      else if (event.kind === "faults") sink.faults?.(task.index, event.lines);
      else if (task.index > turn) waiting[task.index]!.add(event.group);
      else write(() => sink.write(event.group));
    });
    books[task.index] = objects;
    while (books[turn] !== undefined) {
      turn++;
      const groups = waiting[turn];
      if (groups)
        write(async () => {
          for (const group of groups.take()) await sink.write(group);
        });
    }
  };

  const running: Promise<void>[] = [];
  let failed = false;
  try {
    for (const task of tasks) {
      // In order: nothing is gained by a task that ends before its turn.
      while (task.index >= turn + ahead && !failed) await running[turn]!.catch(() => {});
      if (failed) break;
      const one = run(task);
      one.catch(() => {
        failed = true;
      });
      running.push(one);
    }
    for (const [index, one] of running.entries()) {
      await one.catch((error) => {
        sink.failed?.(index, error);
        rejectWith(error, books.slice(0, index));
      });
    }
    await writing;
    return books.flatMap((objects) => objects ?? []);
  } finally {
    ended = true;
    await writing.catch(() => {});
    for (const groups of waiting) groups.close();
  }
}
