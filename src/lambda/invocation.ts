// One invocation: every object of its event is derived once, whatever becomes of the others, and all of it before the deadline.

import { InterruptedError, OutputError } from "../errors.ts";
import { deriveEvent, type EventJob } from "../jobs/event.ts";
import type { WorkerPool } from "../jobs/pool.ts";
import { addBooks, type Books, emptyBooks } from "../pipeline/books.ts";
import { Gate } from "../storage/gate.ts";
import { openSink } from "../storage/place.ts";
import { errorText } from "../told.ts";
import { type Deadline, outOfTime, startDeadline } from "./deadline.ts";
import type { Entry, NamedObject } from "./entries.ts";
import { readEvent } from "./event.ts";
import { refuseLoop } from "./guard.ts";
import { compareSequencers } from "./keys.ts";
import { type Log, toldBooks } from "./log.ts";
import { embeddedMetrics, type Measured } from "./metrics.ts";
import { type Answer, answerOf, type EntryOutcome, type Outcome, sentence } from "./outcome.ts";
import { errorType } from "./problem.ts";

/** What stays from one invocation to the next: the job, and the threads that have loaded its stream. */
export interface EventFunction {
  /** As CloudWatch is to name it. */
  readonly name: string;
  readonly job: EventJob;
  readonly workers: number;
  readonly pool: WorkerPool;
  /** Stands in where an event names no bucket. */
  readonly bucket: string | undefined;
  /** The URLs of the folders that derived parts, and what is kept of faults, lie below. */
  readonly outputs: readonly string[];
  /** The URL of the folder that a bucket's raw objects lie below. */
  triggerOf(bucket: string): string;
}

export interface Answered {
  readonly answer: Answer;
  /** In the order of the event. */
  readonly errors: readonly Error[];
}

/** Objects under way at once, at least: the requests of a small one take longer than its derivation. */
const AT_ONCE = 4;

/**
 * Answers an event; nothing about it makes this throw.
 * @param body the event, as JSON
 * @param deadline in ms since the epoch
 * @param interrupted ends it early, as the deadline does
 */
export async function answerEvent(
  body: string,
  deadline: number,
  func: EventFunction,
  log: Log,
  interrupted: AbortSignal,
): Promise<Answered> {
  const started = performance.now();
  const delivery = readEvent(body, func.bucket);
  const limit = startDeadline(deadline, interrupted);
  const measured = { books: emptyBooks(), objects: 0 };
  const gate = new Gate(Math.max(AT_ONCE, func.workers));
  const work = { func, limit, log, measured, started, interrupted };
  const derive = once(delivery.entries, (object) => gate.pass(() => deriveObject(object, work)));
  try {
    const entries = await Promise.all(inTurns(delivery.entries, log, (entry) => deriveEntry(entry, derive, log)));
    const errors = entries.flatMap((entry) => entry.errors);
    tell(log, func, { ...measured, errors: errors.length, seconds: secondsSince(started) }, delivery.shape);
    return { answer: answerOf(delivery, entries), errors };
  } finally {
    limit.clear();
  }
}

function tell(log: Log, func: EventFunction, measured: Measured, shape: string): void {
  const { objects, errors } = measured;
  const failed = errors === 0 ? "" : `, ${errors} ${errors === 1 ? "error" : "errors"}`;
  const message = `${objects} ${objects === 1 ? "object" : "objects"} of an event (${shape})${failed}`;
  log(errors === 0 ? "INFO" : "ERROR", message, {
    stream: func.job.facts.name,
    shape,
    seconds: measured.seconds,
    ...embeddedMetrics(func.name, measured),
  });
}

/** Derives what several records name only once, by the newest of them, and gives all of them its outcome. */
function once(entries: readonly Entry[], derive: (object: NamedObject) => Promise<Outcome>) {
  const keyOf = ({ bucket, key }: NamedObject) => `${bucket}/${key}`;
  const newest = new Map<string, NamedObject>();
  for (const object of entries.flatMap(({ objects }) => objects)) {
    const known = newest.get(keyOf(object));
    if (!known || compareSequencers(known.sequencer, object.sequencer) <= 0) newest.set(keyOf(object), object);
  }
  const outcomes = new Map<string, Promise<Outcome>>();
  return (object: NamedObject): Promise<Outcome> => {
    const key = keyOf(object);
    const outcome = outcomes.get(key) ?? derive(newest.get(key)!);
    outcomes.set(key, outcome);
    return outcome;
  };
}

/** Entries of one group one after the other, and none after one that failed: a FIFO queue keeps the order of what it delivers again. */
function inTurns(
  entries: readonly Entry[],
  log: Log,
  derive: (entry: Entry) => Promise<EntryOutcome>,
): Promise<EntryOutcome>[] {
  const turns = new Map<string, Promise<EntryOutcome>>();
  return entries.map((entry) => {
    const { group } = entry;
    if (group === undefined) return derive(entry);
    const end = (turns.get(group) ?? Promise.resolve(undefined)).then((before) =>
      before === undefined || before.errors.length === 0 ? derive(entry) : notTried(entry, log),
    );
    turns.set(group, end);
    return end;
  });
}

function notTried(entry: Entry, log: Log): EntryOutcome {
  const state = "one before it in its group failed, and its queue keeps their order";
  log("WARN", `message ${entry.id} is left to be delivered again: ${state}`);
  return { entry, outcomes: [], errors: [new OutputError(`Cannot derive message ${entry.id}: ${state}`)] };
}

async function deriveEntry(
  entry: Entry,
  derive: (object: NamedObject) => Promise<Outcome>,
  log: Log,
): Promise<EntryOutcome> {
  for (const skipped of entry.skipped) log("INFO", `skipped: ${skipped}`);
  for (const fault of entry.faults) log("ERROR", errorText(fault), { errorType: errorType(fault) });
  const outcomes = await Promise.all(entry.objects.map(derive));
  return { entry, outcomes, errors: [...entry.faults, ...outcomes.flatMap(({ error }) => error ?? [])] };
}

interface Work {
  readonly func: EventFunction;
  readonly limit: Deadline;
  readonly log: Log;
  readonly measured: { readonly books: Books; objects: number };
  /** When the invocation began, as `performance.now()`. */
  readonly started: number;
  readonly interrupted: AbortSignal;
}

/** How often a worker tells its progress, at most: so much earlier than it first did it has begun. */
const TOLD_EVERY_MS = 200;

async function deriveObject(object: NamedObject, work: Work): Promise<Outcome> {
  const { func, limit, log, measured, started, interrupted } = work;
  const { bucket, key } = object;
  const url = `s3://${bucket}/${key}`;
  const called = performance.now();
  const books = emptyBooks();
  let began = called;
  const reached = { read: 0, size: undefined as number | undefined };
  const kept: string[] = [];
  const progress = (read: number, size: number): void => {
    // One that waited for a free thread has begun about now.
    if (reached.read === 0 && read > 0) began = Math.max(called, performance.now() - TOLD_EVERY_MS);
    reached.read += read;
    reached.size = size;
  };
  const attempt = async (): Promise<Outcome> => {
    try {
      refuseLoop(func.outputs, func.triggerOf(bucket));
      if (limit.signal.aborted) throw new InterruptedError("Cannot begin: the time of the invocation is over");
      const result = await deriveEvent(func.job, object, func.pool, limit.signal, books, {
        progress,
        kept: (index) => kept.push(index),
      });
      return { object, result, partUrl: result.part && openSink(func.job.output).urlOf(result.part.key) };
    } catch (error) {
      return { object, error: limit.signal.aborted ? late() : naming(object, error as Error) };
    }
  };
  const late = (): Error =>
    interrupted.aborted
      ? new InterruptedError(`Cannot finish ${url}: the function was ended. Send the event again`)
      : outOfTime({ url, ...reached, seconds: secondsSince(began), waited: (began - started) / 1000 });
  const outcome = await Promise.race([attempt(), limit.over.then((): Outcome => ({ object, error: late() }))]);

  measured.objects++;
  addBooks(measured.books, books);
  const { result, error } = outcome;
  log(error ? "ERROR" : result?.state === "gone" ? "WARN" : "INFO", sentence(outcome), {
    object: url,
    state: error ? "failed" : result?.state,
    ...(error ? { errorType: errorType(error) } : { url: outcome.partUrl, part: result?.part }),
    seconds: secondsSince(called),
    ...toldBooks(books),
    ...(kept.length > 0 ? { quarantine: [...new Set(kept)] } : {}),
  });
  return outcome;
}

/** A full disk, say, has an error that knows nothing of the object. */
function naming({ bucket, key }: NamedObject, error: Error): Error {
  if (error instanceof OutputError && !error.message.includes(key))
    error.message += ` (deriving s3://${bucket}/${key})`;
  return error;
}

/** To the millisecond, but never 0. */
function secondsSince(started: number): number {
  return Math.max(1, Math.round(performance.now() - started)) / 1000;
}
