// `derive batch`: days of a dataset → derived Parquet partitions.
import { InputError } from "../errors.ts";
import { days, parseDay, parseOnly } from "../jobs/dimensions.ts";
import { hivePath } from "../jobs/hive.ts";
import { datasetRoot } from "../jobs/layout.ts";
import { type BatchPlan, planBatch } from "../jobs/plan.ts";
import { WorkerPool } from "../jobs/pool.ts";
import type { PartitionResult } from "../jobs/result.ts";
import type { Job } from "../jobs/run.ts";
import { describeIn, resolveStream } from "../jobs/streams.ts";
import { emptyBooks } from "../pipeline/books.ts";
import { openSource } from "../storage/place.ts";
import type { Place } from "../storage/ports.ts";
import { command } from "./command.ts";
import { required, resolveSettings, type Settings } from "./config.ts";
import { beginDatasets, findDataset } from "./dataset.ts";
import {
  JOB_EXIT_CODES,
  JOB_SETTINGS,
  jobOptions,
  limitsOf,
  logWarnings,
  type Planned,
  partitionUrl,
  planOnly,
  runWithProgress,
} from "./job.ts";
import { placeOf } from "./places.ts";
import { deliverReports, exitOfJob, logReport } from "./report.ts";
import { settingFlags } from "./settings.ts";
import { text } from "./values.ts";

export default command({
  description:
    "Reads the raw objects of one or more days of the stream's dataset and writes a Parquet partition for each day, " +
    "with _SUCCESS beside it. A day that was committed from the same objects, stream and options is left alone; one " +
    "that was made from something else is a conflict, unless --on-change says otherwise.\n\n" +
    "Days are UTC: 20151028, 2015-10-28, today, yesterday, -3d.",
  positionals: {
    stream: {
      description:
        "A built-in name, a name below ./streams, or a path ending in .ts; several share one scan of the raw data",
      many: true,
    },
  },
  flags: {
    from: { kind: text, value: "DAY", required: true, description: "The first day" },
    to: { kind: text, value: "DAY", description: "The last day; --from where absent" },
    ...settingFlags("metadata", "input", "only", "allow-empty", ...JOB_SETTINGS),
  },
  examples: [
    { does: "one day, places from derive.toml or DERIVE_*", run: "derive batch MyStream --from 20151028" },
    {
      does: "a week of raw data on disk",
      run: "derive batch ./MyStream.ts --from 20151022 --to 20151028 --metadata raw --input raw -o derived",
    },
    {
      does: "only main pings of two channels",
      run: "derive batch MyStream --from yesterday --only docType=main --only appUpdateChannel=nightly,aurora",
    },
    { does: "what would be read and written", run: "derive batch MyStream --from -7d --to yesterday --dry-run" },
  ],
  exitCodes: JOB_EXIT_CODES,
  async run({ args, flags, output, signal }) {
    const settings = resolveSettings(flags);
    const from = parseDay(flags.from);
    const range = days(from, flags.to === undefined ? from : parseDay(flags.to));
    const pool = new WorkerPool(settings.workers, limitsOf(settings)); // ends with the program, which ends sooner so
    const datasetOf = beginDatasets(settings);
    const planned: Planned[] = [];
    for (const name of new Set(args.stream)) {
      planned.push(await planStream(name, range, pool, datasetOf, settings));
      logWarnings(planned.at(-1)!.job.facts, output);
    }
    const results = await (settings.dryRun
      ? planOnly(planned, output)
      : runWithProgress(planned, pool, output, signal));
    for (const result of results) logReport(result, output);
    await deliverReports(results, settings, output);
    return Math.max(...results.map(exitOfJob));
  },
});

async function planStream(
  name: string,
  range: readonly string[],
  pool: WorkerPool,
  datasetOf: ReturnType<typeof beginDatasets>,
  settings: Settings,
): Promise<Planned> {
  const stream = resolveStream(name);
  const facts = await describeIn(pool, stream, likelyInput(settings));
  const { dataset, place } = await findDataset(settings, facts.streamName, datasetOf);
  const output = required(settings, "output", "where the Parquet partitions go");
  const source = openSource(place);
  const only = parseOnly(settings.only);
  const { partitionBy } = facts;
  const plan = await planBatch(source, dataset, { days: range, filters: [facts.dimensions, ...only], partitionBy });
  if (plan.partitions.length === 0 && !settings.allowEmpty) {
    throw new InputError(
      `Cannot derive ${facts.name}: no raw object of dataset ${dataset.name} lies below ${source.urlOf(dataset.prefix)} on any of these days. ` +
        "`derive ls` shows what is there; --allow-empty makes this no error",
    );
  }
  const day = dataset.dimensions[0]!.name;
  const job: Job = {
    stream,
    facts,
    place,
    partitions: plan.partitions,
    target: { kind: "dataset", place: placeOf(settings, "output", output), root: datasetRoot(facts) },
    only,
    partitionBy: partitionBy ?? [day],
    ...jobOptions(settings),
  };
  return { job, extra: { strangers: plan.strangers, empty: emptyDays(plan, job, day) } };
}

/** Datasets lie mostly where their metadata does: on S3, or not. */
function likelyInput(settings: Settings): Place | undefined {
  const url = settings.input ?? settings.metadata;
  return url === undefined ? undefined : placeOf(settings, "input", url);
}

function emptyDays(plan: BatchPlan, job: Job, dimension: string): PartitionResult[] {
  return plan.emptyDays.map((day) => ({
    url: partitionUrl(job, hivePath([{ dimension, value: day }])),
    state: "empty",
    books: emptyBooks(),
    parts: [],
    error: undefined,
  }));
}
