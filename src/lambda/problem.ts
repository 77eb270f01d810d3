// What Lambda is told of an error: its type, its text, and places in the program.

import {
  BudgetError,
  ConflictError,
  FormatError,
  InputError,
  InterruptedError,
  OutputError,
  StreamError,
  UsageError,
  ValueError,
} from "../errors.ts";
import { FaultyInput } from "../pipeline/deriving.ts";
import { placesOf } from "../thrown.ts";
import { errorText } from "../told.ts";
import { DeadlineError } from "./deadline.ts";

/** The body of an error as the Runtime API takes it. */
export interface Problem {
  readonly errorMessage: string;
  /** "Function.InputError" */
  readonly errorType: string;
  readonly stackTrace: readonly string[];
}

/** The most special first. */
const CLASSES = {
  StreamError,
  UsageError,
  BudgetError,
  ConflictError,
  DeadlineError,
  OutputError,
  InterruptedError,
  InputError,
  FormatError,
  ValueError,
};

/** Logs and replies have limits of their own; what is longer says no more. */
const LONGEST_MESSAGE = 4000;
const DEEPEST_STACK = 30;

export function problemOf(error: unknown): Problem {
  return {
    errorMessage: shorten(errorText(error), LONGEST_MESSAGE),
    errorType: errorType(error),
    stackTrace: placesOf(error)
      .slice(0, DEEPEST_STACK)
      .map((line) => line.trim()),
  };
}

/** "Function.UsageError" for an error of ours, "Function.InternalError" for any other. */
export function errorType(error: unknown): string {
  const known = Object.entries(CLASSES).find(([, Class]) => error instanceof Class)?.[0];
  return `Function.${known ?? "InternalError"}`;
}

export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/**
 * Whether the same object would fail again however often it is tried: a wrong configuration, a partition that is committed,
 * faults in the data, a mistake in derive. What reads or writes may do better next time.
 */
export function isPermanent(error: unknown): boolean {
  if (error instanceof FaultyInput) return true;
  return !(error instanceof InputError || error instanceof OutputError || error instanceof InterruptedError);
}
