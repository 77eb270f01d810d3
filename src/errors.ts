// The errors every layer throws and the command line turns into exit codes. None of their texts may hold ping contents.

/** A wrong command, configuration or stream file. Exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What a stream did to the thread that it runs in; `at` is the message that it was given last. Exit code 2. */
export class StreamError extends UsageError {
  override name = "StreamError";
  constructor(
    message: string,
    readonly at:
      | { readonly input: number; readonly object: string; readonly offset: number; readonly bytes: number }
      | undefined,
  ) {
    super(message);
  }
}

/** More errors in the data than the error budget allows. Exit code 3. */
export class BudgetError extends Error {
  override name = "BudgetError";
}

/** An input that is missing or cannot be read. Exit code 4. */
export class InputError extends Error {
  override name = "InputError";
}

/** An input that was not the same from the first byte read to the last. */
export function changedMeanwhile(url: string): InputError {
  return new InputError(`Cannot use ${url}: it changed while it was read. Run the command again`);
}

/** Bytes of an input that are not those the store has; read again they may be. Exit code 4. */
export class DamagedInputError extends InputError {
  override name = "DamagedInputError";
}

/** What is to be written is already there and was made from something else. Exit code 5. */
export class ConflictError extends Error {
  override name = "ConflictError";
}

/** A write under a condition that did not hold: what lies at its key is not what was expected there. Exit code 5. */
export class ConditionFailed extends ConflictError {
  override name = "ConditionFailed";
}

/** Output that could not be written. Exit code 6. */
export class OutputError extends Error {
  override name = "OutputError";
}

/** The run was ended from outside: Ctrl-C, SIGTERM. Exit codes 130 and 143. */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}

/** Books that do not balance, or another mistake of ours. Exit code 70. */
export class InternalError extends Error {
  override name = "InternalError";
}

/** Bytes that are not what their format says, at `offset` bytes from the start of what was being read. */
export class FormatError extends Error {
  override name = "FormatError";
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/**
 * A value that keeps one message from becoming a record: `path` is the dotted path asked for or the column path,
 * `state` says what is wrong with it ("missing", "is not a string"), never the value itself. The text `path state` is
 * the cause under which reports count it.
 */
export class ValueError extends Error {
  override name = "ValueError";
  constructor(
    readonly path: string,
    readonly state: string,
  ) {
    super(`${path} ${state}`);
  }
}

/** A path that is absent or null where a value is required. */
export class MissingField extends ValueError {
  override name = "MissingField";
  constructor(path: string) {
    super(path, "missing");
  }
}
