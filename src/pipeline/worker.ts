// A worker thread: user code runs here and nowhere else. Requests come as plain data; encoded row groups go back as
// transferred bytes, counts as plain data. Records never cross.
import { parentPort } from "node:worker_threads";
import type { AvroRecord } from "../avro/literal.ts";
import { ConflictError, InputError, InternalError, OutputError, UsageError } from "../errors.ts";
import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { Place, Source } from "../storage/ports.ts";
import { className, placesOf } from "../thrown.ts";
import type { ObjectBooks } from "./books.ts";
import { type LoadedStream, loadStream, type StreamRef } from "./load.ts";
import { runTask, type TaskSpec } from "./task.ts";

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
  | { readonly kind: "describe"; readonly stream: StreamRef }
  | { readonly kind: "task"; readonly task: TaskSpec };

export type Reply =
  | { readonly kind: "facts"; readonly facts: StreamFacts }
  | { readonly kind: "rowGroup"; readonly group: EncodedRowGroup }
  | { readonly kind: "progress"; readonly storedBytes: number; readonly messages: number; readonly rows: number }
  | { readonly kind: "done"; readonly objects: ObjectBooks[] }
  | { readonly kind: "failed"; readonly error: PlainError };

/** Errors lose their class between threads: this is what crosses instead. */
export interface PlainError {
  /** One of ours, else the class of a mistake of ours. */
  readonly name: string;
  /** Absent where it is not of our making: it may quote a ping (P12). */
  readonly message?: string;
  /** Places in the program only. */
  readonly stack?: string;
}

const ERRORS = { UsageError, InputError, ConflictError, OutputError, InternalError };

export function toPlainError(error: unknown): PlainError {
  for (const [name, Class] of Object.entries(ERRORS)) {
    if (error instanceof Class) return { name, message: error.message, stack: error.stack };
  }
  return { name: className(error), stack: placesOf(error).join("\n") };
}

/** The error again, of its class; one of no class of ours is a mistake of ours. */
export function fromPlainError({ name, message, stack }: PlainError): Error {
  const known = Object.hasOwn(ERRORS, name) ? ERRORS[name as keyof typeof ERRORS] : undefined;
  const error = known ? new known(message) : new InternalError(`${name} in a worker thread`);
  error.stack = stack;
  return error;
}

const PROGRESS_EVERY_MS = 200;

/**
 * Answers requests, one at a time and in order, until the thread is ended from outside. `openSource` opens the places
 * that tasks name.
 */
export function serve(openSource: (place: Place | string) => Source): void {
  const port = parentPort;
  if (!port) throw new InternalError("Cannot serve: this is no worker thread");
  const loaded = new Map<string, Promise<LoadedStream>>();
  const load = (ref: StreamRef): Promise<LoadedStream> => {
    const key = JSON.stringify(ref);
    const stream = loaded.get(key) ?? loadStream(ref);
    loaded.set(key, stream);
    return stream;
  };
  const reply = (message: Reply, transfer?: ArrayBuffer[]): void => port.postMessage(message, transfer ?? []);

  const answer = async (request: Request): Promise<Reply> => {
    if (request.kind === "describe") return { kind: "facts", facts: factsOf(await load(request.stream)) };
    const sum = { storedBytes: 0, messages: 0, rows: 0 };
    let told = performance.now();
    const objects = await runTask(request.task, openSource(request.task.place), await load(request.task.stream), {
      rowGroup: (group) => reply({ kind: "rowGroup", group }, [group.bytes.buffer as ArrayBuffer]),
      progress: (storedBytes, messages, rows) => {
        sum.storedBytes += storedBytes;
        sum.messages += messages;
        sum.rows += rows;
        if (performance.now() - told < PROGRESS_EVERY_MS) return;
        told = performance.now();
        reply({ kind: "progress", ...sum });
        sum.storedBytes = sum.messages = sum.rows = 0;
      },
    });
    reply({ kind: "progress", ...sum });
    return { kind: "done", objects };
  };

  port.on("message", (request: Request) => {
    answer(request).then(reply, (error) => reply({ kind: "failed", error: toPlainError(error) }));
  });
}

function factsOf({ name, definition, literal, schema }: LoadedStream): StreamFacts {
  const { streamName, version, description, dimensions, partitionBy } = definition;
  return {
    name,
    streamName,
    version,
    description,
    dimensions,
    partitionBy,
    schema: literal,
    warnings: schema.warnings,
  };
}
