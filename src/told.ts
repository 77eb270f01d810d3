// How an error is told to people and to programs, in every layer.
import {
  BudgetError,
  ConflictError,
  FormatError,
  InputError,
  InternalError,
  InterruptedError,
  OutputError,
  UsageError,
  ValueError,
} from "./errors.ts";
import { className, placesOf } from "./thrown.ts";

/** Errors whose texts are ours, and say what to do. */
const OURS = [
  UsageError,
  BudgetError,
  InterruptedError,
  InputError,
  FormatError,
  ValueError,
  ConflictError,
  OutputError,
];

/** Whether it is a mistake in derive itself: an InternalError, or an error of no class of ours. */
export function isInternal(error: unknown): boolean {
  return !OURS.some((Class) => error instanceof Class);
}

/**
 * The text of an error. Only our own texts are free of ping contents (P12): of any other error the class, the system's code
 * and the places in the program are told, since JSON.parse and its like quote what they were given.
 */
export function errorText(error: unknown): string {
  if (!isInternal(error)) {
    const { message } = error as Error;
    return error instanceof FormatError ? `${message} (at byte ${error.offset})` : message;
  }
  return [
    `Cannot go on: ${internals(error)}. This is a mistake in derive, not in what you did`,
    "Please report it with the lines below, the command, and the output of `derive --version`.",
    ...placesOf(error),
  ].join("\n");
}

function internals(error: unknown): string {
  if (error instanceof InternalError) return `${error.name}: ${error.message}`;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  const system = code === undefined ? "" : ` ${code}${syscall === undefined ? "" : ` in ${syscall}`}`;
  return `${className(error)}${system}`;
}
