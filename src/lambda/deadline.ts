// Work has to stop before Lambda ends the function: in time to clean up, to tell, and to answer.

import { OutputError } from "../errors.ts";

/** An object that could not be derived before the function's time-out. */
export class DeadlineError extends OutputError {
  override name = "DeadlineError";
}

/** Lambda's longest time-out. */
const LONGEST_SECONDS = 900;
/** An estimate is rounded up by this much: the next run finds another machine, and no warm cache. */
const RESERVE = 1.3;

/** What is kept back of the time: a second, or a tenth of a time below ten seconds. */
export function marginOf(milliseconds: number): number {
  return Math.max(0, Math.min(1000, milliseconds / 10));
}

export interface Deadline {
  /** Aborted when work has to stop. */
  readonly signal: AbortSignal;
  /** Resolves when what was aborted has had its time to clean up. */
  readonly over: Promise<void>;
  clear(): void;
}

/**
 * @param deadline in ms since the epoch, Infinity for none
 * @param interrupted ends the work early
 */
export function startDeadline(deadline: number, interrupted: AbortSignal, now = Date.now()): Deadline {
  const left = Math.max(0, deadline - now);
  const margin = marginOf(left);
  const controller = new AbortController();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let timer: Timer | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    controller.abort();
    timer = setTimeout(resolve, margin / 2);
  };
  if (interrupted.aborted) stop();
  // Lambda's longest time is far below what a timer can count.
  else if (Number.isFinite(left)) timer = setTimeout(stop, left - margin);
  interrupted.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    over,
    clear() {
      clearTimeout(timer);
      interrupted.removeEventListener("abort", stop);
    },
  };
}

/** How far an object was when time was up. */
export interface Reached {
  readonly url: string;
  /** Since its derivation began, and of the event before that. */
  readonly seconds: number;
  readonly waited: number;
  /** Bytes of it that were read; of how many, where that is known yet. */
  readonly read: number;
  readonly size: number | undefined;
}

/** Bytes a second that a function reads of most streams at least: a guess for an object of which nothing was read yet. */
const SLOWEST = 20e6;

/** Says what time-out the object would need, as far as it is known. */
export function outOfTime(reached: Reached): DeadlineError {
  const { url, seconds, waited, read, size } = reached;
  const spent = waited < 0.1 ? "" : ` (and ${waited.toFixed(1)} s of its event before)`;
  const done =
    `Cannot derive ${url} before the function's time-out: after ${seconds.toFixed(1)} s${spent} ` +
    `${megabytes(read)}${size === undefined ? "" : ` of ${megabytes(size)}`} MB were read`;
  const needed = Math.ceil(secondsNeeded(reached) / 5) * 5;
  if (needed > LONGEST_SECONDS) {
    return new DeadlineError(
      `${done}. It would need about ${needed} s, and ${LONGEST_SECONDS} are the most there are: give the function more memory, ` +
        "which brings more CPU, or derive that day with derive batch",
    );
  }
  const least = read > 0 ? "" : "at least ";
  return new DeadlineError(
    `${done}. Set a time-out of ${least}${needed} s${waited < 0.1 ? "" : ", or deliver fewer objects in one event"}`,
  );
}

function secondsNeeded({ seconds, waited, read, size }: Reached): number {
  if (read > 0 && size !== undefined) return (waited + (seconds * size) / Math.min(read, size)) * RESERVE;
  return waited + Math.max(2 * seconds, (size ?? 0) / SLOWEST);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
