// Carries out a plan: each partition is derived, weighed against the error budget, and appears when its books balance. One
// that fails does not stop the others.

import { InterruptedError } from "../errors.ts";
import { OUTPUT_FORMAT } from "../parquet/file.ts";
import type { Codec, EncodedRowGroup } from "../parquet/rowgroup.ts";
import { type ErrorBudget, emptyBooks } from "../pipeline/books.ts";
import type { StreamRef } from "../pipeline/load.ts";
import type { StreamFacts } from "../pipeline/protocol.ts";
import { compareKeys } from "../storage/keys.ts";
import { openSink, openSource } from "../storage/place.ts";
import type { Place, Sink, Source } from "../storage/ports.ts";
import type { OnChange } from "./change.ts";
import { deriveTasks } from "./derive.ts";
import type { Filter } from "./dimensions.ts";
import { readOrigin } from "./event-part.ts";
import { refuseIncompatible } from "./evolution.ts";
import { runFile } from "./file.ts";
import { fingerprint, type StreamSource } from "./fingerprint.ts";
import { inParallel } from "./in-parallel.ts";
import { datasetRoot, refuseMixedLayouts } from "./layout.ts";
import type { InputFacts } from "./manifest.ts";
import { parquetFormat } from "./parquet-format.ts";
import type { PartFormat } from "./part.ts";
import { committedParts, type PartitionWork, runPartition } from "./partition.ts";
import { inputsOf, type Partition, planTasks, type RawObject } from "./plan.ts";
import { WorkerPool } from "./pool.ts";
import { keepingFaults, type Quarantine } from "./quarantine.ts";
import type { PartitionResult } from "./result.ts";
import { deriveShared, SharedScan } from "./shared-scan.ts";
import { sourcesOf } from "./stream-sources.ts";
import type { Limits } from "./watch.ts";

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
  readonly onChange: OnChange;
  /** Another run's claim on a partition is set aside. */
  readonly forceUnlock: boolean;
  readonly strict: boolean;
  /** Where faulty frames and damaged bytes are kept; absent: nowhere. */
  readonly quarantine?: Place;
  readonly workers: number;
  readonly limits?: Limits;
}

export interface JobWatcher {
  /** Once aborted, workers are ended and nothing more is committed. */
  readonly signal: AbortSignal;
  progress(storedBytes: number, messages: number, rows: number): void;
}

/** Small requests of one partition that are under way at once. */
const LANES = 16;

/** Runs a job. What goes wrong with a partition is in its result; this rejects only where none could be begun. */
export async function runJob(job: Job, watcher: JobWatcher): Promise<PartitionResult[]> {
  const pool = new WorkerPool(job.workers, job.limits);
  try {
    const [results] = await runJobs([job], pool, watcher);
    return results!;
  } finally {
    pool.close();
  }
}

/**
 * Runs jobs of several streams, with the same options. Partitions of one path that read the same place are derived in one scan, and
 * otherwise know nothing of each other. With `strict`, or a quarantine, each stream reads for itself: then what one of them
 * meets must not end, or be mixed up with, another's.
 */
export async function runJobs(
  jobs: readonly Job[],
  pool: WorkerPool,
  watcher: JobWatcher,
): Promise<PartitionResult[][]> {
  const [first] = jobs as [Job];
  const interrupt = (): void =>
    pool.close(new InterruptedError("Cannot finish: the run was interrupted. Run the command again"));
  watcher.signal.addEventListener("abort", interrupt);
  if (watcher.signal.aborted) interrupt();
  try {
    const contexts: Context[] = [];
    for (const job of jobs) contexts.push(await contextOf(job, pool, watcher));
    const results = jobs.map(({ partitions }): PartitionResult[] => new Array(partitions.length));
    await inParallel(meetings(jobs), first.workers, async (members) => {
      const scan = new SharedScan(pool, members.length);
      const runs = members.map(async ({ job, index }, member) => {
        const context = contexts[job]!;
        const isAlone = members.length === 1 || context.job.strict || context.quarantine !== undefined;
        const partition = context.job.partitions[index]!;
        results[job]![index] = await runOne(partition, isAlone ? context : { ...context, shared: { scan, member } });
        scan.leave(member);
      });
      await Promise.all(runs);
    });
    return results;
  } finally {
    watcher.signal.removeEventListener("abort", interrupt);
  }
}

/** Partitions that are derived at the same time: of each job the one of a path, if it has one. */
function meetings(jobs: readonly Job[]): { job: number; index: number }[][] {
  const byPath = new Map<string, { job: number; index: number }[]>();
  for (const [job, { place, partitions }] of jobs.entries()) {
    for (const [index, { path }] of partitions.entries()) {
      const at = JSON.stringify([place, path]);
      const members = byPath.get(at) ?? [];
      members.push({ job, index });
      byPath.set(at, members);
    }
  }
  return [...byPath].sort(([a], [b]) => compareKeys(a, b)).map(([, members]) => members);
}

/** What a run would do, without doing it: `planned`, `unchanged`, or `failed` with the conflict it would meet. */
export async function previewJob(job: Job): Promise<PartitionResult[]> {
  const watcher = { signal: new AbortController().signal, progress: () => {} };
  const context = await contextOf(job, new WorkerPool(0), watcher); // no thread is started before it is needed
  return inParallel(job.partitions, job.workers, async (partition): Promise<PartitionResult> => {
    const { key, url } = whereTo(partition, context);
    const { objects, storedBytes } = partition;
    const result = { url, books: emptyBooks(), parts: [], error: undefined };
    const planned = { ...result, state: "planned", books: { ...emptyBooks(), objects, storedBytes } } as const;
    if (job.target.kind === "file") return planned;
    try {
      await context.compatible();
      const parts = await committedParts(partitionWork(partition, key, url, context));
      return parts ? { ...result, state: "unchanged", parts } : planned;
    } catch (error) {
      return { ...result, state: "failed", error: error as Error };
    }
  });
}

interface Context {
  readonly quarantine: Omit<Quarantine, "prefix" | "written"> | undefined;
  readonly job: Job;
  readonly pool: WorkerPool;
  readonly watcher: JobWatcher;
  readonly source: Source;
  readonly sink: Sink;
  readonly streamSources: readonly StreamSource[];
  readonly format: PartFormat;
  /** Where other streams' partitions read the same. */
  readonly shared?: { readonly scan: SharedScan; readonly member: number };
  /** Throws ConflictError where the partitions could not be read together with those that are there. Looked up once. */
  compatible(): Promise<void>;
}

async function contextOf(job: Job, pool: WorkerPool, watcher: JobWatcher): Promise<Context> {
  const source = openSource(job.place);
  const streamSources = await sourcesOf(job.stream);
  const quarantine = job.quarantine && {
    sink: openSink(job.quarantine),
    source,
    stream: job.facts.name,
    signal: watcher.signal,
    name: (inputs: readonly InputFacts[]) => fingerprintOf(inputs, { job, streamSources }).slice(0, 16),
  };
  const sink = openSink(job.target.place);
  const format = parquetFormat(job.facts, job.codec);
  let looked: Promise<void> | undefined;
  const compatible = async (): Promise<void> => {
    const { target, partitions, facts } = job;
    if (target.kind === "file") return;
    const own = new Set(partitions.map((partition) => whereTo(partition, { job, sink }).key));
    looked ??= refuseIncompatible(sink, target.root, own, facts);
    await looked;
  };
  return { job, pool, watcher, source, sink, streamSources, format, quarantine, compatible };
}

/** The key of a partition's folder or of the file, and its URL. */
function whereTo({ path }: Partition, { job, sink }: Pick<Context, "job" | "sink">): { key: string; url: string } {
  const { target } = job;
  if (target.kind === "file") return { key: target.key, url: sink.urlOf(target.key) };
  const key = [target.root, path].filter((part) => part !== "").join("/");
  return { key, url: sink.urlOf(`${key}/`) };
}

async function runOne(partition: Partition, context: Context): Promise<PartitionResult> {
  const { target } = context.job;
  const { key, url } = whereTo(partition, context);
  const books = emptyBooks();
  const kept = new Set<string>();
  try {
    const work = partitionWork(partition, key, url, context, kept);
    if (target.kind === "dataset") {
      await refuseMixedLayouts(context.sink, target.root, key);
      await context.compatible();
    }
    const end =
      target.kind === "dataset"
        ? await runPartition(work, books)
        : await runFile(work, context.sink, openSource(target.place), books);
    return { url, books, error: undefined, quarantine: [...kept], ...end };
  } catch (error) {
    return { url, books, state: "failed", parts: [], quarantine: [...kept], error: error as Error };
  }
}

/** @param kept gets the URLs of the quarantine's indexes */
function partitionWork(
  partition: Partition,
  prefix: string,
  url: string,
  context: Context,
  kept = new Set<string>(),
): PartitionWork {
  const { job, source, sink, pool, watcher } = context;
  const { name, version, schema } = job.facts;
  const objects = inputsOf(partition.tasks);
  const spec = { stream: job.stream, place: job.place, codec: job.codec, strict: job.strict };
  return {
    store: sink,
    source,
    prefix,
    url,
    root: job.target.kind === "dataset" ? job.target.root : "",
    stream: name,
    streamVersion: version,
    schema,
    objects,
    listsAll: partition.day !== undefined,
    onChange: job.onChange,
    forceUnlock: job.forceUnlock,
    maxErrors: job.maxErrors,
    format: { ...context.format, maxPartBytes: job.maxPartBytes },
    signal: watcher.signal,
    lanes: LANES,
    originOf: (key, size) => readOrigin(sink, key, size),
    fingerprint: (inputs) => fingerprintOf(inputs, context),
    derive: (inputs, writer) => {
      const tasks = isSame(inputs, objects) ? partition.tasks : planTasks(inputs);
      const write = (group: EncodedRowGroup): Promise<void> => writer.add(group);
      const { progress } = watcher;
      const { quarantine, shared } = context;
      const deriveIn = (from: Pick<WorkerPool, "ask">) =>
        deriveTasks(tasks, spec, from, job.workers, { write, progress });
      if (shared) {
        return deriveShared(shared.scan, shared.member, deriveIn, async () => {
          await writer.abort(); // what came of the scan with the others
          return deriveIn(pool);
        });
      }
      if (!quarantine) return deriveIn(pool);
      const to = { ...quarantine, prefix: quarantinePrefix(partition, job), written: (url: string) => kept.add(url) };
      return keepingFaults(tasks, to, (faults) =>
        deriveTasks(tasks, { ...spec, keepFaults: true }, pool, job.workers, { write, progress, ...faults }),
      );
    },
  };
}

function quarantinePrefix({ path }: Partition, { facts }: Job): string {
  return [datasetRoot(facts), path].filter((part) => part !== "").join("/");
}

function isSame(some: readonly RawObject[], others: readonly RawObject[]): boolean {
  return some.length === others.length && some.every(({ key }, index) => key === others[index]!.key);
}

function fingerprintOf(
  inputs: readonly InputFacts[],
  { job, streamSources }: Pick<Context, "job" | "streamSources">,
): string {
  const { name, version, schema, dimensions } = job.facts;
  return fingerprint({
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
  });
}
