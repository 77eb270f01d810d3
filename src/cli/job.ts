// What batch and convert have in common: from settings to a job, its progress, its report, its exit code.
import { snakeCase } from "../jobs/hive.ts";
import type { Partition } from "../jobs/plan.ts";
import type { JobResult, PartitionResult } from "../jobs/result.ts";
import { type Job, runJob } from "../jobs/run.ts";
import type { StreamFacts } from "../jobs/streams.ts";
import { emptyBooks } from "../pipeline/books.ts";
import { openSink } from "../storage/place.ts";
import type { Settings } from "./config.ts";
import type { Output } from "./output.ts";
import { startProgress } from "./progress.ts";
import { bytesText, durationText, plural } from "./units.ts";

/** The settings of every job. */
export const JOB_SETTINGS = [
  "output",
  "workers",
  "codec",
  "max-part-bytes",
  "max-errors",
  "on-change",
  "strict",
  "dry-run",
  "report-file",
  "json",
] as const;

export const JOB_EXIT_CODES = {
  3: "a partition had more errors than --max-errors allows",
  4: "input that is missing or cannot be read; under --strict, input with a fault",
  5: "what is there was made from something else",
  6: "output could not be written",
};

/** What a job takes over from the settings as it is. */
export function jobOptions({ codec, maxPartBytes, maxErrors, onChange, strict, workers }: Settings) {
  return { codec, maxPartBytes, maxErrors, onChange, strict, workers };
}

/** The folder of a stream's partitions below the output place: "example_stream/v1". */
export function datasetRoot({ name, version }: StreamFacts): string {
  return `${snakeCase(name)}/v${version}`;
}

/** The URL of a partition that is not there (yet). */
export function partitionUrl({ target }: Pick<Job, "target">, path: string): string {
  const key = target.kind === "file" ? target.key : `${[target.root, path].filter((part) => part !== "").join("/")}/`;
  return openSink(target.place).urlOf(key);
}

/** Runs a job and shows how far it is. `extra` are results that need no run, such as days without objects. */
export async function runWithProgress(
  job: Job,
  extra: Pick<JobResult, "strangers"> & { readonly empty: readonly PartitionResult[] },
  output: Output,
  signal: AbortSignal,
): Promise<JobResult> {
  const started = performance.now();
  const progress = startProgress(output, totalBytes(job.partitions));
  try {
    const partitions = await runJob(job, { signal, progress: progress.add });
    const seconds = (performance.now() - started) / 1000;
    return resultOf(job, [...partitions, ...extra.empty], extra.strangers, seconds);
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

/** Says what a job would read and write, and does neither. */
export function planOnly(
  job: Job,
  extra: Pick<JobResult, "strangers"> & { readonly empty: readonly PartitionResult[] },
  output: Output,
): JobResult {
  const planned = job.partitions.map(
    ({ path, objects, storedBytes }): PartitionResult => ({
      url: partitionUrl(job, path),
      state: "planned",
      books: { ...emptyBooks(), objects, storedBytes },
      parts: [],
      error: undefined,
    }),
  );
  for (const { url, books } of planned) {
    output.log.info(`would read ${plural(books.objects, "object")}, ${bytesText(books.storedBytes)}  → ${url}`);
  }
  const bytes = totalBytes(job.partitions);
  const busy = Math.min(
    job.workers,
    job.partitions.reduce((sum, { tasks }) => sum + tasks.length, 0),
  );
  const estimate = durationText(bytes / (BYTES_PER_SECOND * Math.max(1, busy)));
  output.log.info(
    `${bytesText(bytes)} in all, about ${estimate} with ${plural(busy, "busy worker")}. Nothing was written`,
  );
  return resultOf(job, [...planned, ...extra.empty], extra.strangers, 0);
}

function totalBytes(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}
