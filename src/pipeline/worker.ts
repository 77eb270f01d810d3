// A worker thread: user code runs here and nowhere else. Requests come as plain data; encoded row groups go back as
// transferred bytes, counts as plain data. Records never cross.
import { parentPort, workerData } from "node:worker_threads";
import type { AvroRecord } from "../avro/literal.ts";
import { ConflictError, DamagedInputError, InputError, InternalError, OutputError, UsageError } from "../errors.ts";
import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { Place, Source } from "../storage/ports.ts";
import { className, placesOf } from "../thrown.ts";
import type { ObjectBooks } from "./books.ts";
import { describeThrown } from "./causes.ts";
import { FaultyInput } from "./deriving.ts";
import { FaultLines } from "./fault-lines.ts";
import { type LoadedStream, loadStream, type StreamRef } from "./load.ts";
import { leaveStdout, mayBeOf, mischief, refuseSignals } from "./mischief.ts";
import { Pulse } from "./pulse.ts";
import { type RangeEnds, runRange } from "./range.ts";
import { runTasks, type TaskEvents, type TaskRun, type TaskSpec } from "./task.ts";
import { type Trace, type TraceSpec, traceObject } from "./trace.ts";

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
  /** `others` are tasks of other streams over the same place, done in the same scan; of a range all have the same. */
  | { readonly kind: "task"; readonly task: TaskSpec; readonly others?: readonly TaskSpec[] }
  | { readonly kind: "trace"; readonly trace: TraceSpec };

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

const PROGRESS_EVERY_MS = 200;

/** How often a worker that waits, for S3 say, shows that it goes on. */
const BEAT_EVERY_MS = 500;

/**
 * Answers requests, one at a time and in order, until the thread is ended from outside. `openSource` opens the places
 * that tasks name. A stream runs in this thread, and may do anything in it: what is needed to answer is taken beforehand.
 */
export function serve(openSource: (place: Place | string) => Source): void {
  const port = parentPort;
  if (!port) throw new InternalError("Cannot serve: this is no worker thread");
  const post = port.postMessage.bind(port);
  const pulse = new Pulse(workerData.pulse);
  setInterval(() => pulse.beat(), BEAT_EVERY_MS).unref();
  refuseSignals();
  leaveStdout();

  const loaded = new Map<string, Promise<LoadedStream>>();
  let running: LoadedStream | undefined;
  const load = async (ref: StreamRef): Promise<LoadedStream> => {
    const key = JSON.stringify(ref);
    const stream = loaded.get(key) ?? loadStream(ref);
    loaded.set(key, stream);
    running = await stream;
    return running;
  };

  // A stream may leave a timer or a promise of its own to fail: the request under way fails when it comes to its end.
  let stray: string | undefined;
  let fail: (error: unknown) => void = () => {};
  const isStray = (error: unknown): boolean => {
    if (!mayBeOf(running, error)) return false;
    stray ??= running === undefined ? className(error) : describeThrown(error, running.words);
    return true;
  };
  // What is thrown in a callback of ours may keep the request from ever coming to its end. A promise of ours that nobody
  // waits for is one that was given up, as requests to S3 are when they are sent again.
  process.on("uncaughtException", (error) => isStray(error) || fail(error)).on("unhandledRejection", isStray);

  const answer = async (
    request: Request,
    reply: (message: Reply, transfer?: ArrayBuffer[]) => void,
  ): Promise<Reply> => {
    if (request.kind === "describe") return { kind: "facts", facts: factsOf(await load(request.stream)) };
    if (request.kind === "trace") {
      const { trace } = request;
      const stream = await load(trace.stream);
      return { kind: "traced", trace: await traceObject(trace, openSource(trace.place), stream, () => pulse.beat()) };
    }
    const { task, others = [] } = request;
    const runs: TaskRun[] = [];
    const ends: (() => void)[] = [];
    for (const [run, spec] of [task, ...others].entries()) {
      const { events, end } = eventsOf(spec, run, reply, pulse);
      runs.push({ spec, stream: await load(spec.stream), events });
      ends.push(end);
    }
    const finish = (): void => {
      for (const end of ends) end();
    };
    const source = openSource(task.place);
    const whole = async () => ({ objects: await runTasks(runs, source), ends: undefined });
    const done = await (task.range ? runRange(runs, task.range, source) : whole()).finally(finish);
    const [objects, ...rest] = done.objects;
    return { kind: "done", objects: objects!, ...(rest.length > 0 && { others: rest }), range: done.ends };
  };

  const respond = async ({ ticket, message: request }: Ticketed<Request>): Promise<void> => {
    const reply = (message: Reply, transfer: ArrayBuffer[] = []): void => post({ ticket, message }, transfer);
    fail = (error) => reply({ kind: "failed", error: toPlainError(error) });
    try {
      pulse.begin();
      stray = undefined;
      const last = await answer(request, reply);
      await new Promise((resolve) => setTimeout(resolve, 0)); // what the stream has left behind has its turn
      const found = mischief(nameOf(streamOf(request)), stray);
      reply(found ? { kind: "failed", error: toPlainError(found) } : last);
    } catch (error) {
      reply({ kind: "failed", error: toPlainError(mischief(nameOf(streamOf(request)), stray) ?? error) });
    }
  };
  port.on("message", (request: Ticketed<Request>) => void respond(request));
}

/** Who is told what becomes of a task: the main thread, now and then. */
function eventsOf(
  task: TaskSpec,
  run: number,
  reply: (message: Reply, transfer?: ArrayBuffer[]) => void,
  pulse: Pulse,
): { events: TaskEvents; end(): void } {
  const sum = { storedBytes: 0, messages: 0, rows: 0 };
  let told = performance.now();
  const faults = task.keepFaults
    ? new FaultLines((lines) => reply({ kind: "faults", run, lines }, [lines.buffer]))
    : undefined;
  const tell = (): void => {
    told = performance.now();
    reply({ kind: "progress", run, ...sum });
    sum.storedBytes = sum.messages = sum.rows = 0;
  };
  const events: TaskEvents = {
    rowGroup: (group) => reply({ kind: "rowGroup", run, group }, [group.bytes.buffer as ArrayBuffer]),
    message: (input, offset, length) => pulse.enter(input, offset, length),
    fault: faults && ((fault) => faults.add(fault)),
    progress: (storedBytes, messages, rows) => {
      pulse.beat();
      sum.storedBytes += storedBytes;
      sum.messages += messages;
      sum.rows += rows;
      if (performance.now() - told >= PROGRESS_EVERY_MS) tell();
    },
  };
  return {
    events,
    end() {
      faults?.flush();
      tell();
    },
  };
}

/** How people know a stream: its name, or where its file is. */
export function nameOf(ref: StreamRef): string {
  return "builtin" in ref ? ref.builtin : ref.path;
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
