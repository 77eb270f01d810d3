// Carries out a plan: each partition is derived, weighed against the error budget, and appears when its books balance. One
// that fails does not stop the others.

import { toParquetSchema } from "../avro/columns.ts";
import { footerMetadata } from "../avro/metadata.ts";
import { parseSchema } from "../avro/schema.ts";
import { BudgetError, ConflictError, InputError, InterruptedError } from "../errors.ts";
import { OUTPUT_FORMAT, PartAssembler } from "../parquet/file.ts";
import { checkPart } from "../parquet/read.ts";
import type { Codec } from "../parquet/rowgroup.ts";
import {
  addBooks,
  type Books,
  COUNTS,
  type ErrorBudget,
  emptyBooks,
  type ObjectBooks,
  weighErrors,
} from "../pipeline/books.ts";
import type { StreamRef } from "../pipeline/load.ts";
import type { StreamFacts } from "../pipeline/worker.ts";
import { openSink, openSource } from "../storage/place.ts";
import type { Place, Sink, Source } from "../storage/ports.ts";
import { builtinSources } from "./builtin-sources.ts" with { type: "macro" };
import { PartitionWriter, refuseMixedLayouts } from "./commit.ts";
import { deriveTasks } from "./derive.ts";
import type { Filter } from "./dimensions.ts";
import { fingerprint, type StreamSource, streamSources } from "./fingerprint.ts";
import { decide, type InputFacts, type Intended, missingParts, readManifest } from "./manifest.ts";
import { type PartFormat, PartWriter } from "./part.ts";
import type { Partition } from "./plan.ts";
import { WorkerPool } from "./pool.ts";
import type { PartFacts, PartitionResult, PartitionState } from "./result.ts";

/** Where output goes: partitions below `root`, or one file without a manifest. */
export type Target =
  | { readonly kind: "dataset"; readonly place: Place | string; readonly root: string }
  | { readonly kind: "file"; readonly place: Place | string; readonly key: string };

export interface Job {
  readonly stream: StreamRef;
  readonly facts: StreamFacts;
  /** The place that the keys of the plan are relative to. */
  readonly place: Place | string;
  readonly partitions: readonly Partition[];
  readonly target: Target;
  /** The filters of `--only`, and the dimensions that make a partition: parts of the fingerprint. */
  readonly only: readonly Filter[];
  readonly partitionBy: readonly string[];
  readonly codec: Codec;
  readonly maxPartBytes: number;
  readonly maxErrors: ErrorBudget;
  readonly onChange: "fail" | "replace";
  readonly strict: boolean;
  readonly workers: number;
}

export interface JobWatcher {
  /** Once aborted, workers are ended and nothing more is committed. */
  readonly signal: AbortSignal;
  progress(storedBytes: number, messages: number, rows: number): void;
}

const BUILTIN_SOURCES = builtinSources();

/** Runs a job. What goes wrong with a partition is in its result; this rejects only where none could be begun. */
export async function runJob(job: Job, watcher: JobWatcher): Promise<PartitionResult[]> {
  const pool = new WorkerPool(job.workers);
  const interrupt = (): void =>
    void pool.close(new InterruptedError("Cannot finish: the run was interrupted. Run the command again"));
  watcher.signal.addEventListener("abort", interrupt);
  if (watcher.signal.aborted) interrupt();
  try {
    const context: Context = {
      job,
      pool,
      watcher,
      source: openSource(job.place),
      sink: openSink(job.target.place),
      streamSources: await sourcesOf(job.stream),
      format: partFormat(job),
    };
    return await inParallel(job.partitions, job.workers, (partition) => runPartition(partition, context));
  } finally {
    watcher.signal.removeEventListener("abort", interrupt);
    await pool.close();
  }
}

interface Context {
  readonly job: Job;
  readonly pool: WorkerPool;
  readonly watcher: JobWatcher;
  readonly source: Source;
  readonly sink: Sink;
  readonly streamSources: readonly StreamSource[];
  readonly format: PartFormat;
}

async function sourcesOf(stream: StreamRef): Promise<StreamSource[]> {
  if ("path" in stream) return streamSources(stream.path);
  const path = `${stream.builtin}.ts`;
  return [{ path, text: BUILTIN_SOURCES[path] ?? "" }];
}

function partFormat({ facts, codec }: Job): PartFormat {
  const schema = parseSchema(facts.schema);
  const keyValues = [
    ...footerMetadata(schema),
    { key: "derive.stream", value: facts.name },
    { key: "derive.stream.version", value: String(facts.version) },
  ];
  return { codec, newAssembler: () => new PartAssembler(toParquetSchema(schema), keyValues), check: checkPart };
}

/** Runs `action` on all of `list`, `width` at a time, and gives the results in the order of the list. */
async function inParallel<T, R>(list: readonly T[], width: number, action: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(list.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < list.length; index = next++) results[index] = await action(list[index]!);
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
  return results;
}

/** The key of a partition's folder or of the file, and its URL. */
function whereTo({ path }: Pick<Partition, "path">, target: Target, sink: Sink): { key: string; url: string } {
  if (target.kind === "file") return { key: target.key, url: sink.urlOf(target.key) };
  const key = [target.root, path].filter((part) => part !== "").join("/");
  return { key, url: sink.urlOf(`${key}/`) };
}

async function runPartition(partition: Partition, context: Context): Promise<PartitionResult> {
  const { target } = context.job;
  const { key, url } = whereTo(partition, target, context.sink);
  const books = emptyBooks();
  try {
    const outcome =
      target.kind === "file"
        ? await runFile(partition, key, url, books, context)
        : await runFolder(partition, key, url, books, context);
    return { url, books, error: undefined, ...outcome };
  } catch (error) {
    return { url, books, state: "failed", parts: [], error: error as Error };
  }
}

interface Outcome {
  readonly state: PartitionState;
  readonly parts: readonly PartFacts[];
}

/** What a run would do, without doing it: `planned`, `unchanged`, or `failed` with the conflict it would meet. */
export async function previewJob(job: Job): Promise<PartitionResult[]> {
  const context = { job, source: openSource(job.place), streamSources: await sourcesOf(job.stream) };
  const sink = openSink(job.target.place);
  return inParallel(job.partitions, job.workers, async (partition): Promise<PartitionResult> => {
    const { key, url } = whereTo(partition, job.target, sink);
    const { objects, storedBytes } = partition;
    const planned = { url, books: { ...emptyBooks(), objects, storedBytes }, parts: [], error: undefined };
    try {
      const manifest = job.target.kind === "file" ? undefined : await readManifest(sink, key);
      if (manifest === undefined) return { ...planned, state: "planned" };
      const intended = intend(await identify(context.source, partition), context);
      const decision = decide(manifest, intended, job.onChange, url);
      if (decision !== "unchanged") return { ...planned, state: "planned" };
      const parts = manifest.generations.flatMap((generation) => generation.parts);
      return { ...planned, books: emptyBooks(), parts, state: "unchanged" };
    } catch (error) {
      return { ...planned, books: emptyBooks(), state: "failed", error: error as Error };
    }
  });
}

async function runFolder(
  partition: Partition,
  prefix: string,
  url: string,
  books: Books,
  context: Context,
): Promise<Outcome> {
  const { job, sink, source } = context;
  await refuseMixedLayouts(sink, job.target.kind === "dataset" ? job.target.root : "", prefix);
  const manifest = await readManifest(sink, prefix);
  let before: Intended | undefined;
  if (manifest !== undefined) {
    before = intend(await identify(source, partition), context);
    const decision = decide(manifest, before, job.onChange, url);
    // Parts that were removed by hand are made again: their bytes will be the same.
    if (decision === "unchanged" && (await missingParts(sink, prefix, manifest)).length === 0) {
      return { state: "unchanged", parts: manifest.generations.flatMap(({ parts }) => parts) };
    }
  }
  const writer = new PartitionWriter(sink, prefix, { ...context.format, maxPartBytes: job.maxPartBytes });
  try {
    const objects = await deriveInto(writer, partition, url, books, context);
    const intended = intend(objects, context);
    if (before !== undefined && before.fingerprint !== intended.fingerprint) {
      throw new InputError(`Cannot commit ${url}: raw objects changed while they were read. Run the command again`);
    }
    const committed = await writer.commit({
      stream: job.facts.name,
      streamVersion: job.facts.version,
      fingerprint: intended.fingerprint,
      inputs: objects.map(({ key, size, etag, written }) => ({ key, size, etag, rows: written })),
      counts: Object.fromEntries(COUNTS.map((name) => [name, books[name]])),
    });
    return { state: manifest ? "replaced" : "written", parts: committed.generations.flatMap(({ parts }) => parts) };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

// One file has no manifest: what is there is compared with what was made.
async function runFile(
  partition: Partition,
  key: string,
  url: string,
  books: Books,
  context: Context,
): Promise<Outcome> {
  const { job, sink } = context;
  const part = await PartWriter.create(sink, key, context.format);
  try {
    await deriveInto(part, partition, url, books, context);
    const facts = await part.finish();
    const there = await sha256Of(openSource(job.target.place), key);
    if (there === facts.sha256) {
      await part.abort();
      return { state: "unchanged", parts: [facts] };
    }
    if (there !== undefined && job.onChange === "fail") {
      throw new ConflictError(`Cannot write ${url}: another file is there. To replace it: --on-change replace`);
    }
    await part.commit(there === undefined ? "nothing" : "anything");
    return { state: there === undefined ? "written" : "replaced", parts: [facts] };
  } catch (error) {
    await part.abort();
    throw error;
  }
}

async function sha256Of(source: Source, key: string): Promise<string | undefined> {
  if ((await source.head(key)) === undefined) return undefined;
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of source.open(key)) hash.update(chunk);
  return hash.digest("hex");
}

/** Derives a partition's rows into `writer`, fills its books, and weighs its errors. Throws BudgetError. */
async function deriveInto(
  writer: Pick<PartitionWriter, "add">,
  partition: Partition,
  url: string,
  books: Books,
  { job, pool, watcher }: Context,
): Promise<ObjectBooks[]> {
  const spec = { stream: job.stream, place: job.place, codec: job.codec, strict: job.strict };
  const objects = await deriveTasks(partition.tasks, spec, pool, 2 * job.workers, {
    write: (group) => writer.add(group),
    progress: watcher.progress,
  });
  for (const object of objects) addBooks(books, object);
  const { errors, within } = weighErrors(books, job.maxErrors);
  if (!within) {
    throw new BudgetError(
      `Cannot commit ${url}: ${errors} errors in ${books.frames + books.damagedRanges} frames and damaged ranges are more than --max-errors allows. ` +
        "The report tells causes and places; mend the stream, or raise --max-errors",
    );
  }
  return objects;
}

async function identify(source: Source, partition: Partition): Promise<InputFacts[]> {
  const inputs: InputFacts[] = [];
  for (const { inputs: objects } of partition.tasks) {
    for (const object of objects) inputs.push({ key: object.key, size: object.size, etag: await source.etag(object) });
  }
  return inputs;
}

function intend(
  objects: readonly InputFacts[],
  { job, streamSources }: Pick<Context, "job" | "streamSources">,
): Intended {
  const inputs = objects.map(({ key, size, etag }) => ({ key, size, etag }));
  const { name, version, schema, dimensions } = job.facts;
  return {
    stream: name,
    streamVersion: version,
    inputs,
    fingerprint: fingerprint({
      inputs,
      stream: name,
      streamVersion: version,
      sources: streamSources,
      schema: JSON.stringify(schema),
      dimensions,
      only: job.only,
      partitionBy: job.partitionBy,
      codec: job.codec,
      maxPartBytes: job.maxPartBytes,
      strict: job.strict,
      outputFormat: OUTPUT_FORMAT,
    }),
  };
}
