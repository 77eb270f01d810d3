// One raw object, as an event told of it, to its event part: what a Lambda function does with each object of an invocation.

import { InterruptedError } from "../errors.ts";
import type { Codec } from "../parquet/rowgroup.ts";
import { type Books, type ErrorBudget, emptyBooks } from "../pipeline/books.ts";
import type { StreamRef } from "../pipeline/load.ts";
import type { StreamFacts } from "../pipeline/protocol.ts";
import { openSink, openSource } from "../storage/place.ts";
import type { Place, S3Options } from "../storage/ports.ts";
import { deriveTasks } from "./derive.ts";
import { type Filter, wantedValues } from "./dimensions.ts";
import { originKeyValues } from "./event-part.ts";
import { type EventEnd, runEvent } from "./event-run.ts";
import { datasetRoot, eventName } from "./layout.ts";
import type { Dataset } from "./metadata.ts";
import { parquetFormat } from "./parquet-format.ts";
import { partitionPath, planTasks, valuesOfKey } from "./plan.ts";
import type { WorkerPool } from "./pool.ts";
import { type FaultSink, keepingFaults, type Quarantine } from "./quarantine.ts";
import type { PartFacts } from "./result.ts";

/** What all events of a process share: plain data, made once. */
export interface EventJob {
  readonly stream: StreamRef;
  readonly facts: StreamFacts;
  readonly dataset: Dataset;
  readonly output: Place;
  /** How to reach the events' own buckets, or a place that stands in for each of them. */
  readonly input: S3Options | Place;
  readonly only: readonly Filter[];
  readonly codec: Codec;
  /** Of each object. */
  readonly maxErrors: ErrorBudget;
  readonly strict: boolean;
  /** Where faulty frames and damaged bytes are kept. */
  readonly quarantine?: Place;
}

/** What an event names. The newest version of the object is read, whichever the event was sent for. */
export interface EventObject {
  readonly bucket: string;
  /** Decoded. */
  readonly key: string;
}

export interface EventResult {
  /** Of the raw object. */
  readonly url: string;
  /** As EventEnd; `left out`: the stream's `dimensions` or `--only` do not ask for it, or it stands for a folder. */
  readonly state: EventEnd["state"] | "left out";
  readonly books: Books;
  /** The event part that lies there now; its key is below the output. */
  readonly part?: PartFacts;
}

/** Gets told what happens while an object is derived. */
export interface EventWatcher {
  /** Stored bytes that were read since the last call, and those of the whole object. */
  progress?(read: number, size: number): void;
  /** The URL of the index of what the quarantine keeps. */
  kept?(url: string): void;
}

/** An abort waits so long for what is under way to leave nothing behind. */
const GRACE_MS = 1_000;

/**
 * Derives one object. What went wrong is thrown, and nothing half-written is ever seen: the same event again is the remedy.
 * @param books get the books of the object, also where this throws
 * @throws {UsageError} for a key that is none of the dataset's; what `runEvent` throws.
 */
export async function deriveEvent(
  job: EventJob,
  object: EventObject,
  pool: WorkerPool,
  signal: AbortSignal,
  books: Books = emptyBooks(),
  watcher: EventWatcher = {},
): Promise<EventResult> {
  const { facts, dataset, codec } = job;
  const place: Place = "url" in job.input ? job.input : { url: `s3://${object.bucket}`, s3: job.input };
  const source = openSource(place);
  const url = source.urlOf(object.key);
  const values = valuesOfKey(dataset, object.key, url);
  if (values === undefined || !isWanted(job, values)) return { url, state: "left out", books };

  const store = openSink(job.output);
  const prefix = `${datasetRoot(facts)}/${partitionPath(dataset, facts.partitionBy, values)}`;
  const spec = { stream: job.stream, place, codec, strict: job.strict };
  const interruptible: Pick<WorkerPool, "ask"> = { ask: (request, onEvent) => pool.ask(request, onEvent, signal) };
  // Each version of the object has files of its own.
  const quarantineOf = (place: Place): Quarantine => ({
    sink: openSink(place),
    source,
    prefix,
    stream: facts.name,
    signal,
    name: ([input]) => `${eventName(object.bucket, object.key, "none").split(".")[0]}-${shortHash(input?.etag ?? "")}`,
    written: (written) => watcher.kept?.(written),
  });
  const work = {
    store,
    source,
    bucket: object.bucket,
    key: object.key,
    rawUrl: url,
    prefix,
    name: eventName(object.bucket, object.key, codec),
    maxErrors: job.maxErrors,
    signal,
    batch: `derive batch ${facts.name} --from ${values[0]} --on-change replace`,
    format: (origin) => parquetFormat(facts, codec, originKeyValues(origin)),
    derive: async (listed, part) => {
      watcher.progress?.(0, listed.size);
      const tasks = planTasks([listed]);
      const progress = (read: number): void => watcher.progress?.(read, listed.size);
      const write = part.add.bind(part);
      const derive = (keepFaults: boolean, faults: FaultSink = {}) =>
        deriveTasks(tasks, { ...spec, keepFaults }, interruptible, 1, { write, progress, ...faults });
      const [read] = job.quarantine
        ? await keepingFaults(tasks, quarantineOf(job.quarantine), (faults) => derive(true, faults))
        : await derive(false);
      return read!;
    },
  } satisfies Parameters<typeof runEvent>[0];
  const { state, part } = await untilAborted(runEvent(work, books), signal);
  return { url, state, books, part: part && { ...part, key: `${prefix}/${part.key}` } };
}

function shortHash(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 8);
}

function isWanted({ facts, only, dataset }: EventJob, values: readonly string[]): boolean {
  const names = dataset.dimensions.map(({ name }) => name);
  return wantedValues([facts.dimensions, ...only], names).every((one, index) => one?.matches(values[index]!) ?? true);
}

/** An abort does not wait for requests that hang: what they are part of begins nothing any more. */
async function untilAborted<T>(run: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = (): void => {
    timer = setTimeout(() => reject(new InterruptedError("Cannot finish: the run was interrupted")), GRACE_MS);
  };
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([run, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
    clearTimeout(timer);
  }
}
