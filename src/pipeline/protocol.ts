// What the main thread and worker threads say to each other: plain data, so that either loads little for it.
import type { AvroRecord } from "../avro/literal.ts";
import { ConflictError, DamagedInputError, InputError, InternalError, OutputError, UsageError } from "../errors.ts";
import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { Place } from "../storage/ports.ts";
import { className, placesOf } from "../thrown.ts";
import type { ObjectBooks } from "./books.ts";
import { FaultyInput } from "./deriving.ts";
import type { StreamRef } from "./load.ts";
import type { RangeEnds } from "./range.ts";
import type { TaskSpec } from "./task.ts";
import type { Trace, TraceSpec } from "./trace.ts";

/** What a stream's file says, as plain data. */
export interface StreamFacts {
  readonly name: string;
  readonly streamName: string;
  readonly version: number;
  readonly description?: string;
  readonly dimensions: Readonly<Record<string, readonly string[]>>;
  readonly partitionBy?: readonly string[];
  readonly schema: AvroRecord;
  /** What readers of the files will not understand as it is meant, as sentences. */
  readonly warnings: readonly string[];
}

export type Request =
  /** `from`: where inputs will be, if that is known already. */
  | { readonly kind: "describe"; readonly stream: StreamRef; readonly from?: Place | string }
  /** `others` are tasks of other streams over the same place, done in the same scan; of a range all have the same. */
  | { readonly kind: "task"; readonly task: TaskSpec; readonly others?: readonly TaskSpec[] }
  | { readonly kind: "trace"; readonly trace: TraceSpec };

/** How people know a stream: its name, or where its file is. */
export function nameOf(ref: StreamRef): string {
  return "builtin" in ref ? ref.builtin : ref.path;
}

/** The stream that a request is about; of several the first, for all of them begin anew where anything goes wrong. */
export function streamOf(request: Request): StreamRef {
  if (request.kind === "describe") return request.stream;
  return request.kind === "task" ? request.task.stream : request.trace.stream;
}

export type Reply =
  | { readonly kind: "facts"; readonly facts: StreamFacts }
  /** `run`, here and below: which of several tasks it is of; 0 where absent. */
  | { readonly kind: "rowGroup"; readonly run?: number; readonly group: EncodedRowGroup }
  /** Whole lines of JSON, a Fault each. */
  | { readonly kind: "faults"; readonly run?: number; readonly lines: Uint8Array<ArrayBuffer> }
  | ({ readonly kind: "progress"; readonly run?: number } & Progress)
  /** `range`: where it lay, of tasks that had one. */
  | {
      readonly kind: "done";
      readonly objects: ObjectBooks[];
      readonly others?: ObjectBooks[][];
      readonly range?: RangeEnds;
    }
  | { readonly kind: "traced"; readonly trace: Trace }
  | { readonly kind: "failed"; readonly error: PlainError };

interface Progress {
  readonly storedBytes: number;
  readonly messages: number;
  readonly rows: number;
}

/** What goes between the threads: a stream can post messages, too, and does not know the ticket of a request. */
export interface Ticketed<T> {
  readonly ticket: string;
  readonly message: T;
}

/** Errors lose their class between threads: this is what crosses instead. */
export interface PlainError {
  /** One of ours, else the class of a mistake of ours. */
  readonly name: string;
  /** Absent where it is not of our making: it may quote a ping (P12). */
  readonly message?: string;
  /** Places in the program only. */
  readonly stack?: string;
  /** Of a FaultyInput. */
  readonly books?: readonly ObjectBooks[];
}

// The narrower class first.
const ERRORS = { UsageError, DamagedInputError, InputError, ConflictError, OutputError, InternalError };

export function toPlainError(error: unknown): PlainError {
  if (error instanceof FaultyInput) return { name: "InputError", message: error.message, books: error.books };
  for (const [name, Class] of Object.entries(ERRORS)) {
    if (error instanceof Class) return { name, message: error.message, stack: error.stack };
  }
  return { name: className(error), stack: placesOf(error).join("\n") };
}

/** The error again, of its class; one of no class of ours is a mistake of ours. */
export function fromPlainError({ name, message = "", stack, books }: PlainError): Error {
  if (books) return new FaultyInput(message, books);
  const known = Object.hasOwn(ERRORS, name) ? ERRORS[name as keyof typeof ERRORS] : undefined;
  const error = known ? new known(message) : new InternalError(`${name} in a worker thread`);
  error.stack = stack;
  return error;
}
