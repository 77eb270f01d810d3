// Exit codes, and how an error is told to people.
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
} from "../errors.ts";
import { className, placesOf } from "../thrown.ts";

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

/**
 * The text of an error for people. Only our own texts are free of ping contents (P12): of any other error the class,
 * the system's code and the places in the program are told, since JSON.parse and its like quote what they were given.
 */
export function errorText(error: unknown): string {
  if (exitCodeOf(error) !== EXIT.internal) {
    const { message } = error as Error;
    return error instanceof FormatError ? `${message} (at byte ${error.offset})` : message;
  }
  const { name, places, said } = internals(error);
  return [
    `Cannot go on: ${name}${said}. This is a mistake in derive, not in what you did`,
    "Please report it with the lines below, the command, and the output of `derive --version`.",
    ...places,
  ].join("\n");
}

function internals(error: unknown): { name: string; places: string[]; said: string } {
  const places = placesOf(error);
  if (error instanceof InternalError) return { name: error.name, places, said: `: ${error.message}` };
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  const system = code === undefined ? "" : ` ${code}${syscall === undefined ? "" : ` in ${syscall}`}`;
  return { name: className(error), places, said: system };
}
