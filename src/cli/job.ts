// What batch and convert have in common: from settings to a job, its progress, its report, its exit code.
import { UsageError } from "../errors.ts";
import type { Partition } from "../jobs/plan.ts";
import type { WorkerPool } from "../jobs/pool.ts";
import type { JobResult, PartitionResult } from "../jobs/result.ts";
import { type Job, previewJob, runJobs } from "../jobs/run.ts";
import type { StreamFacts } from "../jobs/streams.ts";
import type { Limits } from "../jobs/watch.ts";
import { openSink } from "../storage/place.ts";
import type { Place } from "../storage/ports.ts";
import type { Settings } from "./config.ts";
import type { Output } from "./output.ts";
import { placeOf } from "./places.ts";
import { startProgress } from "./progress.ts";
import { S3_SETTINGS } from "./settings.ts";
import { bytesText, durationText, plural } from "./units.ts";

/** The settings of every job. */
export const JOB_SETTINGS = [
  "output",
  "quarantine",
  ...S3_SETTINGS,
  "workers",
  "codec",
  "max-part-bytes",
  "max-errors",
  "on-change",
  "force-unlock",
  "strict",
  "stream-timeout",
  "max-memory",
  "dry-run",
  "report-file",
  "json",
] as const;

export const JOB_EXIT_CODES = {
  3: "a partition had more errors than --max-errors allows",
  4: "input that is missing or cannot be read; under --strict, input with a fault",
  5: "what is there was made from something else, or another run has claimed it",
  6: "output could not be written",
};

/** What a job takes over from the settings as it is. */
export function jobOptions(settings: Settings) {
  const { codec, maxPartBytes, maxErrors, onChange, forceUnlock, strict, workers } = settings;
  const limits = limitsOf(settings);
  const quarantine = quarantineOf(settings);
  return { codec, maxPartBytes, maxErrors, onChange, forceUnlock, strict, workers, limits, quarantine };
}

/**
 * Where faulty frames and damaged bytes are kept; undefined: nowhere.
 * @throws {UsageError} where that is the output itself, whose readers would find them among the parts.
 */
export function quarantineOf(settings: Settings): Place | undefined {
  if (settings.quarantine === undefined) return undefined;
  const place = placeOf(settings, "quarantine", settings.quarantine);
  const { url } = openSink(place);
  if (settings.output !== undefined && openSink(placeOf(settings, "output", settings.output)).url === url) {
    throw new UsageError(`Cannot use ${url} as quarantine: it is the output as well. Name a place beside it`);
  }
  return place;
}

/** What a stream may take. */
export function limitsOf({ streamTimeout, maxMemory }: Settings): Limits {
  return { streamSeconds: streamTimeout, memoryBytes: maxMemory };
}

/** Tells what readers will not understand as the schema means it. */
export function logWarnings({ name, warnings }: StreamFacts, { log }: Output): void {
  for (const warning of warnings) log.warn(`${name}: ${warning}`);
}

/** The URL of a partition that is not there (yet). */
export function partitionUrl({ target }: Pick<Job, "target">, path: string): string {
  const key = target.kind === "file" ? target.key : `${[target.root, path].filter((part) => part !== "").join("/")}/`;
  return openSink(target.place).urlOf(key);
}

/** What a result has beside the partitions that run: days without objects, and keys that are none of the dataset's. */
export type Extra = Pick<JobResult, "strangers"> & { readonly empty: readonly PartitionResult[] };

/** A job, and what its result has beside the partitions that run. */
export interface Planned {
  readonly job: Job;
  readonly extra: Extra;
}

/** Runs jobs and shows how far they are. */
export async function runWithProgress(
  planned: readonly Planned[],
  pool: WorkerPool,
  output: Output,
  signal: AbortSignal,
): Promise<JobResult[]> {
  const started = performance.now();
  const jobs = planned.map(({ job }) => job);
  const progress = startProgress(output, totalBytes(jobs.flatMap(({ partitions }) => partitions)));
  try {
    const results = await runJobs(jobs, pool, { signal, progress: progress.add });
    const seconds = (performance.now() - started) / 1000;
    return planned.map(({ job, extra }, i) =>
      resultOf(job, [...results[i]!, ...extra.empty], extra.strangers, seconds),
    );
  } finally {
    progress.stop();
  }
}

function resultOf(job: Job, partitions: PartitionResult[], strangers: readonly string[], seconds: number): JobResult {
  const { name, version } = job.facts;
  return { stream: name, version, partitions: partitions.sort((a, b) => (a.url < b.url ? -1 : 1)), strangers, seconds };
}

/** A guess for `--dry-run`: the rate of one worker on main pings, as the README's table gives it. */
const BYTES_PER_SECOND = 150e6;

/** Says what jobs would read, write and skip, and does none of it. */
export async function planOnly(planned: readonly Planned[], output: Output): Promise<JobResult[]> {
  const results: JobResult[] = [];
  for (const { job, extra } of planned) {
    const partitions = await previewJob(job);
    const bytes = partitions.reduce((sum, { books }) => sum + books.storedBytes, 0);
    const tasks = job.partitions.reduce((sum, partition) => sum + partition.tasks.length, 0);
    const busy = Math.min(job.workers, Math.max(1, tasks));
    const estimate = durationText(bytes / (BYTES_PER_SECOND * busy));
    output.log.info(
      `would read ${bytesText(bytes)}: about ${estimate} with ${plural(busy, "worker")}. Nothing is written`,
    );
    results.push(resultOf(job, [...partitions, ...extra.empty], extra.strangers, 0));
  }
  return results;
}

function totalBytes(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}
