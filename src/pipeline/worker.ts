// A worker thread: user code runs here and nowhere else. Requests come as plain data; encoded row groups go back as
// transferred bytes, counts as plain data. Records never cross.
import { sharedKernel } from "../kernel/instance.ts";
import { expectModule } from "../kernel/module.ts";
import type { Place, Source } from "../storage/ports.ts";
import { className } from "../thrown.ts";
import { describeThrown } from "./causes.ts";
import type { Equipment } from "./equipment.ts";
import { FaultLines } from "./fault-lines.ts";
import { isOwn, type LoadedStream, loadStream, type StreamRef } from "./load.ts";
import { expectMischief, leaveStdout, mayBeOf, mischief, refuseSignals } from "./mischief.ts";
import {
  nameOf,
  type Reply,
  type Request,
  type StreamFacts,
  streamOf,
  type Ticketed,
  toPlainError,
} from "./protocol.ts";
import { BEAT_EVERY_MS, Pulse } from "./pulse.ts";
import { runRange } from "./range.ts";
import { runTasks, type TaskEvents, type TaskRun, type TaskSpec } from "./task.ts";

const PROGRESS_EVERY_MS = 200;

/**
 * Answers requests, one at a time and in order, until the thread is ended from outside. `openSource` opens the places
 * that tasks name; `early` are the messages that came so far: the equipment, then requests.
 * A stream runs in this thread, and may do anything in it: what is needed to answer is taken beforehand.
 */
export function serve(openSource: (place: Place | string) => Source, early: readonly MessageEvent[]): void {
  const post = postMessage.bind(globalThis);
  let pulse = new Pulse(); // until the main thread's comes
  const kernel = Promise.withResolvers<WebAssembly.Module | undefined>();
  expectModule(kernel.promise);
  setInterval(() => pulse.beat(), BEAT_EVERY_MS).unref();
  refuseSignals();
  leaveStdout();

  const loaded = new Map<string, Promise<LoadedStream>>();
  let running: LoadedStream | undefined;
  /** Whether a stream was loaded that is not one of our own. */
  let hasForeign = false;
  const load = async (ref: StreamRef): Promise<LoadedStream> => {
    const key = JSON.stringify(ref);
    if (!isOwn(ref)) {
      hasForeign = true;
      await expectMischief();
    }
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

  /** What goes wrong is told when it is read. */
  const prepare = async (place: Place | string): Promise<void> => {
    try {
      await openSource(place).prepare?.();
    } catch {}
  };

  const answer = async (
    request: Request,
    reply: (message: Reply, transfer?: ArrayBuffer[]) => void,
  ): Promise<Reply> => {
    if (request.kind === "describe") {
      const facts = factsOf(await load(request.stream));
      // Next comes most likely a task. Meanwhile the main thread lists its inputs.
      const { from } = request;
      setImmediate(() => {
        void sharedKernel();
        if (from !== undefined) void prepare(from);
      });
      return { kind: "facts", facts };
    }
    if (request.kind === "trace") {
      const { trace } = request;
      const { traceObject } = await import("./trace.ts");
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
      if (hasForeign) await new Promise((resolve) => setTimeout(resolve, 0)); // what it has left behind has its turn
      const found = mischief(nameOf(streamOf(request)), stray);
      reply(found ? { kind: "failed", error: toPlainError(found) } : last);
    } catch (error) {
      reply({ kind: "failed", error: toPlainError(mischief(nameOf(streamOf(request)), stray) ?? error) });
    }
  };
  const take = ({ data }: MessageEvent<Equipment | Ticketed<Request>>): void => {
    if (data instanceof SharedArrayBuffer) pulse = new Pulse(data);
    else if ("kernel" in data) kernel.resolve(data.kernel);
    else void respond(data);
  };
  for (const event of early) take(event);
  addEventListener("message", take);
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
