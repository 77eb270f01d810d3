// The tasks of one partition: any worker runs any of them, and their row groups are taken in the order of the plan.

import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { ObjectBooks } from "../pipeline/books.ts";
import { FaultyInput } from "../pipeline/deriving.ts";
import type { Reply } from "../pipeline/protocol.ts";
import type { RangeEnds } from "../pipeline/range.ts";
import type { TaskSpec } from "../pipeline/task.ts";
import { openSource } from "../storage/place.ts";
import type { Task } from "./plan.ts";
import type { WorkerPool } from "./pool.ts";
import type { FaultSink } from "./quarantine.ts";
import { joinRanges, WholeObject } from "./ranges.ts";
import { WaitingGroups } from "./turns.ts";

/** A fault under --strict is told with the books of all that came before it. */
function rejectWith(
  error: unknown,
  tasks: readonly Task[],
  before: readonly (readonly ObjectBooks[] | undefined)[],
): never {
  if (!(error instanceof FaultyInput)) throw error;
  throw new FaultyInput(error.message, joinRanges(tasks, [...before, error.books]));
}

/** The ranges of one object, in their order. */
function rangesOf(tasks: readonly Task[], key: string) {
  return tasks.flatMap(({ inputs, range }) => (range !== undefined && inputs[0]!.key === key ? [range] : []));
}

type Done = Extract<Reply, { kind: "done" }>;

export interface TaskSink extends FaultSink {
  /** Gets each row group once, in the order of the plan, one at a time. */
  write(group: EncodedRowGroup): Promise<void>;
  progress(storedBytes: number, messages: number, rows: number): void;
}

/**
 * Runs all tasks and gives the books of all objects in the order of the plan. At most two tasks for each of `workers` are
 * under way or done before their turn. Rejects with the failure of the first task that fails, in the order of the plan
 * whichever worker is the faster; later tasks that are under way then go on, and are ignored.
 */
export async function deriveTasks(
  tasks: readonly Task[],
  spec: Omit<TaskSpec, "inputs">,
  pool: Pick<WorkerPool, "ask">,
  workers: number,
  sink: TaskSink,
): Promise<ObjectBooks[]> {
  const waiting = tasks.map(() => new WaitingGroups());
  const books = tasks.map((): ObjectBooks[] | undefined => undefined);
  /** What a later range told of its progress before it is certain. */
  const told = tasks.map(() => ({ storedBytes: 0, messages: 0, rows: 0 }));
  /** By the key of their object. */
  const wholes = new Map<string, WholeObject>();
  const source = openSource(spec.place);
  let turn = 0;
  let ended = false;
  let writing: Promise<void> = Promise.resolve();
  const write = (step: () => Promise<void>): void => {
    writing = writing.then(step);
    writing.catch(() => {}); // seen when it is awaited below
  };
  /** Of each task whether it is known to begin where it should; a later range begins at a guess. */
  const isCertain = tasks.map(({ range }) => range === undefined || range.start === 0);
  const writeWaiting = (index: number): void => {
    const groups = waiting[index];
    if (groups === undefined || index !== turn || !isCertain[index]) return;
    write(async () => {
      for (const group of groups.take()) await sink.write(group);
    });
  };
  const ask = (task: Task, from?: number): Promise<Done> => {
    const { index } = task;
    const inputs = task.inputs.map(({ key, size, etag }) => ({ key, size, etag }));
    const { key } = inputs[0]!;
    const whole = task.range && wholes.get(key);
    const cuts = whole?.isReadInOneGo ? rangesOf(tasks, key).map(({ end }) => end) : undefined;
    const range = task.range && { ...task.range, from, sum: whole?.sum, cuts };
    return pool.ask<"done">({ kind: "task", task: { ...spec, inputs, range } }, (event) => {
      if (ended) return;
      if (event.kind === "progress") {
        const { storedBytes, messages, rows } = event;
        const sum = told[index]!;
        sum.storedBytes += storedBytes;
        sum.messages += messages;
        sum.rows += rows;
        sink.progress(storedBytes, messages, rows);
      } else if (event.kind === "faults") sink.faults?.(index, event.lines);
      else if (index > turn || !isCertain[index]) waiting[index]!.add(event.group);
      else write(() => sink.write(event.group));
    });
  };

  /** Whether the worker that has the object's first range reads this one, too. */
  const isReadAlong = ({ range, inputs }: Task): boolean =>
    range !== undefined && range.start > 0 && wholes.get(inputs[0]!.key)!.isReadInOneGo;

  const running: Promise<void>[] = [];
  const ends: (RangeEnds | undefined)[] = [];
  /** Takes a range as it came if the one before has ended where it began; else it is none, or derived anew. */
  const askLaterRange = async (task: Task, end: number): Promise<Pick<Done, "objects" | "range">> => {
    const { index } = task;
    // What has failed may have begun in the wrong place. If not it fails again.
    const guessed = await ask(task).catch(() => undefined);
    await running[index - 1];
    const from = ends[index - 1]?.until;
    const isEmpty = from === undefined || from >= end;
    const isRight = !isEmpty && guessed?.range?.from === from;
    if (!isRight) {
      waiting[index]!.close();
      sink.anew?.(index);
      const { storedBytes, messages, rows } = told[index]!;
      sink.progress(-storedBytes, -messages, -rows);
    }
    isCertain[index] = true;
    writeWaiting(index);
    if (isRight) return guessed!;
    return isEmpty ? { objects: [], range: { until: from } } : ask(task, from);
  };
  const run = async (task: Task): Promise<void> => {
    const { index, range } = task;
    const done = isReadAlong(task)
      ? { objects: [] }
      : range && range.start > 0
        ? await askLaterRange(task, range.end)
        : await ask(task);
    ends[index] = done.range;
    books[index] = done.objects;
    while (books[turn] !== undefined) writeWaiting(++turn);
  };

  let failed = false;
  const asked: number[] = [];
  /** In order: nothing is gained by a task that ends before its turn. */
  const prepare = async ({ index, range, inputs }: Task): Promise<void> => {
    if (range?.start === 0) wholes.set(inputs[0]!.key, await WholeObject.of(source, inputs[0]!, workers));
    if (isReadAlong(tasks[index]!)) return;
    while (asked.filter((one) => one >= turn).length >= 2 * workers && !failed) await running[turn]!.catch(() => {});
    asked.push(index);
  };
  try {
    for (const task of tasks) {
      let one: Promise<void>;
      try {
        await prepare(task);
        if (failed) break;
        one = run(task);
      } catch (error) {
        failed = true;
        one = Promise.reject(error);
      }
      one.catch(() => {
        failed = true;
      });
      running.push(one);
    }
    for (const [index, one] of running.entries()) {
      await one.catch((error) => {
        sink.failed?.(index, error);
        rejectWith(error, tasks, books.slice(0, index));
      });
    }
    await writing;
    const objects = joinRanges(tasks, books);
    for (const [key, whole] of wholes) {
      await whole.complete(
        objects,
        ends.filter((_ends, index) => tasks[index]!.inputs[0]!.key === key),
      );
    }
    return objects;
  } finally {
    ended = true;
    await writing.catch(() => {});
    for (const groups of waiting) groups.close();
    for (const whole of wholes.values()) whole.stop();
  }
}
