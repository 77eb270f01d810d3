// Exit codes, and the error that each is for.
import {
  BudgetError,
  ConflictError,
  FormatError,
  InputError,
  InterruptedError,
  OutputError,
  UsageError,
  ValueError,
} from "../errors.ts";

export const EXIT = {
  done: 0,
  usage: 2,
  overBudget: 3,
  input: 4,
  conflict: 5,
  output: 6,
  verify: 7,
  internal: 70,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** The exit code of an error that ended a command. By class, not by text: FormatError is an input at fault. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof BudgetError) return EXIT.overBudget;
  if (error instanceof InterruptedError) return EXIT.SIGINT;
  if (error instanceof InputError || error instanceof FormatError || error instanceof ValueError) return EXIT.input;
  if (error instanceof ConflictError) return EXIT.conflict;
  if (error instanceof OutputError) return EXIT.output;
  return EXIT.internal;
}
