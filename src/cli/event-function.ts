// From settings to the function that derives events: what `derive lambda` and `derive invoke` have in common.
import { availableParallelism } from "node:os";
import { parseOnly, wantedValues } from "../jobs/dimensions.ts";
import { datasetRoot } from "../jobs/layout.ts";
import { WorkerPool } from "../jobs/pool.ts";
import { resolveStream } from "../jobs/streams.ts";
import { refuseLoop } from "../lambda/guard.ts";
import type { EventFunction } from "../lambda/invocation.ts";
import { folderPrefix } from "../storage/keys.ts";
import { openSink, openSource } from "../storage/place.ts";
import { type Environment, required, type Settings } from "./config.ts";
import { beginDatasets } from "./dataset.ts";
import { limitsOf, quarantineOf } from "./job.ts";
import { placeOf, s3OptionsOf } from "./places.ts";
import { S3_SETTINGS } from "./settings.ts";

/** The settings of a function. */
export const FUNCTION_SETTINGS = [
  "metadata",
  "input",
  "output",
  ...S3_SETTINGS,
  "only",
  "workers",
  "codec",
  "quarantine",
  "max-errors",
  "strict",
  "stream-timeout",
  "max-memory",
] as const;

/**
 * Loads the stream in a thread that then waits for objects, and reads the metadata: all that is done once for a process.
 * @param folder that the stream's name or path is relative to
 * @throws {UsageError} {InputError}
 */
export async function prepareFunction(
  stream: string,
  folder: string,
  settings: Settings,
  environment: Environment = process.env,
): Promise<EventFunction> {
  const output = placeOf(settings, "output", required(settings, "output", "where the Parquet goes"));
  const ref = resolveStream(stream, folder);
  const workers = workersOf(settings, environment);
  const pool = new WorkerPool(workers, limitsOf(settings));
  const datasetOf = beginDatasets(settings);
  try {
    const { facts } = await pool.ask<"facts">({ kind: "describe", stream: ref });
    const dataset = await datasetOf(facts.streamName);
    const only = parseOnly(settings.only);
    wantedValues(
      [facts.dimensions, ...only],
      dataset.dimensions.map(({ name }) => name),
    ); // a wrong one is told now
    const { codec, maxErrors, strict, input } = settings;
    const quarantine = quarantineOf(settings);
    const standIn = input === undefined ? undefined : placeOf(settings, "input", input);
    const root = datasetRoot(facts);
    const func: EventFunction = {
      name: environment.AWS_LAMBDA_FUNCTION_NAME || "derive",
      job: {
        stream: ref,
        facts,
        dataset,
        output,
        input: standIn ?? s3OptionsOf(settings, "input"),
        only,
        codec,
        maxErrors,
        strict,
        quarantine,
      },
      workers,
      pool,
      bucket: dataset.bucket,
      outputs: [output, ...(quarantine ? [quarantine] : [])].map((place) => openSink(place).urlOf(folderPrefix(root))),
      triggerOf: (bucket) => openSource(standIn ?? `s3://${bucket}`).urlOf(folderPrefix(dataset.prefix)),
    };
    const bucket = dataset.bucket ?? (standIn && "");
    if (bucket !== undefined) refuseLoop(func.outputs, func.triggerOf(bucket));
    return func;
  } catch (error) {
    pool.close();
    throw error;
  }
}

/** Of memory for one vCPU, as Lambda gives it. */
const MEGABYTES_PER_CPU = 1769;

/** By default one for each vCPU that a function's memory brings: it sees two or more whatever it may use. */
function workersOf({ workers, origins }: Settings, { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memory }: Environment): number {
  if (origins.workers.from !== "default" || !(Number(memory) > 0)) return workers;
  return Math.min(availableParallelism(), Math.max(1, Math.floor(Number(memory) / MEGABYTES_PER_CPU)));
}
