// `derive convert`: downloaded Heka files → Parquet.
import { InputError } from "../errors.ts";
import { datasetRoot } from "../jobs/layout.ts";
import { planPartition } from "../jobs/plan.ts";
import { WorkerPool } from "../jobs/pool.ts";
import type { Job, Target } from "../jobs/run.ts";
import { describeIn, resolveStream, type StreamFacts } from "../jobs/streams.ts";
import { findNamed, type Named } from "../storage/named.ts";
import { splitPlace } from "../storage/place.ts";
import type { Place } from "../storage/ports.ts";
import { spoolStdin } from "../storage/stdin.ts";
import { command } from "./command.ts";
import { required, resolveSettings, type Settings } from "./config.ts";
import { JOB_EXIT_CODES, JOB_SETTINGS, jobOptions, limitsOf, logWarnings, planOnly, runWithProgress } from "./job.ts";
import { placeOf, s3OptionsOf } from "./places.ts";
import { deliverReports, exitOfJob, logReport } from "./report.ts";
import { settingFlags } from "./settings.ts";

export default command({
  description:
    "Makes rows of the messages in Heka files (raw, or gzip or zstd as a whole), in the order of the files' names. An " +
    "output that ends in .parquet is one file; any other is a folder that gets <stream>/v<version>/ with parts and _SUCCESS.",
  positionals: {
    stream: { description: "A built-in name, a name below ./streams, or a path ending in .ts" },
    path: { description: "Files, folders, globs, s3:// URLs; - is stdin", many: true },
  },
  flags: settingFlags(...JOB_SETTINGS),
  examples: [
    { does: "one file to one file", run: "derive convert ExampleStream ping.heka -o pings.parquet" },
    { does: "all files of a folder to a dataset", run: "derive convert ./MyStream.ts downloads -o out" },
    { does: "from a pipe", run: "zcat pings.heka.gz | derive convert MyStream - -o pings.parquet" },
  ],
  exitCodes: JOB_EXIT_CODES,
  async run({ args, flags, output, signal }) {
    const settings = resolveSettings(flags);
    const place = placeOf(settings, "output", required(settings, "output", "where the Parquet goes"));
    const stream = resolveStream(args.stream);
    const pool = new WorkerPool(settings.workers, limitsOf(settings)); // ends with the program, which ends sooner so
    const described = describeIn(pool, stream, { url: args.path[0]!, s3: s3OptionsOf(settings, "input") });
    const fromStdin = args.path.includes("-");
    // Meanwhile: but stdin is not read for a stream that cannot be used, and what that one has to say is told first.
    const listed = fromStdin ? undefined : findInputs(args.path, settings);
    listed?.catch(() => {});
    const facts = await described;
    logWarnings(facts, output);
    const stdin = fromStdin ? await spoolStdin() : undefined;
    try {
      const paths = args.path.map((path) => (path === "-" ? stdin!.path : path));
      const named = await (listed ?? findInputs(paths, settings));
      if (named.objects.length === 0) {
        throw new InputError(`Cannot convert ${args.path.join(" ")}: there is no file in it`);
      }
      const job: Job = {
        stream,
        facts,
        place: named.place,
        partitions: [planPartition("", named.objects)],
        target: targetOf(place, facts),
        only: [],
        partitionBy: [],
        ...jobOptions(settings),
      };
      const planned = [{ job, extra: { strangers: [], empty: [] } }];
      const results = await (settings.dryRun
        ? planOnly(planned, output)
        : runWithProgress(planned, pool, output, signal));
      for (const result of results) logReport(result, output);
      await deliverReports(results, settings, output);
      return Math.max(...results.map(exitOfJob));
    } finally {
      await stdin?.remove();
    }
  },
});

function findInputs(paths: readonly string[], settings: Settings): Promise<Named> {
  return findNamed(paths, { s3: s3OptionsOf(settings, "input") });
}

function targetOf(place: Place, facts: StreamFacts): Target {
  if (place.url.endsWith(".parquet")) return { kind: "file", ...splitPlace(place) };
  return { kind: "dataset", place, root: datasetRoot(facts) };
}
