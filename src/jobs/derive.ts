// The tasks of one partition: any worker runs any of them, and their row groups are taken in the order of the plan.

import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { ObjectBooks } from "../pipeline/books.ts";
import type { TaskSpec } from "../pipeline/task.ts";
import type { Task } from "./plan.ts";
import type { WorkerPool } from "./pool.ts";
import { WaitingGroups } from "./turns.ts";

export interface TaskSink {
  /** Gets each row group once, in the order of the plan, one at a time. */
  write(group: EncodedRowGroup): Promise<void>;
  progress(storedBytes: number, messages: number, rows: number): void;
}

/**
 * Runs all tasks and gives the books of all objects in the order of the plan. At most `ahead` tasks are under way or done
 * before their turn. Rejects with the first failure; tasks that are under way then go on, and are ignored.
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

  const running = new Set<Promise<void>>();
  try {
    for (const task of tasks) {
      while (task.index >= turn + ahead) await Promise.race(running);
      const one = run(task).finally(() => running.delete(one));
      one.catch(() => {});
      running.add(one);
    }
    await Promise.all(running);
    await writing;
    return books.flatMap((objects) => objects ?? []);
  } finally {
    ended = true;
    await writing.catch(() => {});
    for (const groups of waiting) groups.close();
  }
}
