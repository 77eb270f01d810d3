// `derive why` from a raw frame: what became of it, and where its row is.
import { InputError, UsageError } from "../errors.ts";
import { parseOnly } from "../jobs/dimensions.ts";
import { datasetRoot } from "../jobs/layout.ts";
import type { Generation } from "../jobs/manifest.ts";
import { partOfRow } from "../jobs/rows.ts";
import { sourcesOf } from "../jobs/stream-sources.ts";
import { describeStream, resolveStream, type StreamFacts, type StreamRef } from "../jobs/streams.ts";
import type { Limits } from "../jobs/watch.ts";
import { isMadeBy, partitionsOf, rowOfGroup, storedRow, traceMessage } from "../jobs/why.ts";
import type { Trace } from "../pipeline/trace.ts";
import { openSink, openSource, splitPlace, splitS3 } from "../storage/place.ts";
import type { Settings } from "./config.ts";
import { findDataset } from "./dataset.ts";
import { exactJson } from "./json.ts";
import { findParts } from "./parts.ts";
import { placeOf, s3OptionsOf } from "./places.ts";
import type { Answer } from "./why-text.ts";

export interface Job {
  readonly settings: Settings;
  readonly limits: Limits;
  /** As `--stream` names it. */
  readonly stream: string | undefined;
  readonly signal: AbortSignal;
}

/** Whether stream and options are those that a generation was made with. */
export async function isSameStream(
  generation: Generation,
  ref: StreamRef,
  facts: StreamFacts,
  settings: Settings,
): Promise<boolean> {
  const dataset = await findDataset(settings, facts.streamName).catch(() => undefined);
  return isMadeBy(generation, {
    facts,
    sources: await sourcesOf(ref),
    only: parseOnly(settings.only),
    day: dataset?.dataset.dimensions[0]?.name ?? "submissionDate",
    maxPartBytes: settings.maxPartBytes,
  });
}

/** The fate of the frame at a byte of a raw object. */
export async function whyFrame(name: string, object: string, offset: number | undefined, job: Job): Promise<Answer> {
  if (offset === undefined) throw new UsageError(`Cannot tell which frame of ${object} is meant: add --offset N`);
  const { settings, limits, signal } = job;
  const stream = resolveStream(name);
  const facts = await describeStream(stream, limits);
  const { place, key } = splitPlace(placeOf(settings, "input", object));
  const url = openSource(place).urlOf(key);
  const trace = await traceMessage({ stream, place, key, wanted: { offset } }, limits, signal);
  const { found } = trace;
  if (found === undefined) {
    throw new InputError(`Cannot find offset ${offset} of ${url}: it ends at ${trace.bytes}, after decompression`);
  }
  const answer = {
    object: url,
    found,
    stream: facts.name,
    values: found.group && (await rowOfGroup(found.group, facts)),
    checks: {},
  };
  if (found.row === undefined || settings.output === undefined) return answer;
  const at = await findPart(url, found.row, trace, stream, facts, job);
  const isFound = at.part !== undefined && at.row !== undefined;
  const row = isFound ? await isStored(at.part!, at.row!, answer.values, settings) : undefined;
  return { ...answer, ...at, checks: { ...at.checks, row } };
}

async function isStored(part: string, row: number, values: unknown, settings: Settings): Promise<boolean> {
  const [found] = await findParts(part, s3OptionsOf(settings, "output"));
  return exactJson(await storedRow(found!.file, row)) === exactJson(values);
}

/** The part that holds a row of an object, or that none does. */
type At = Pick<Answer, "part" | "row" | "checks" | "searched">;

async function findPart(
  url: string,
  row: number,
  trace: Trace,
  ref: StreamRef,
  facts: StreamFacts,
  job: Job,
): Promise<At> {
  const { settings, signal } = job;
  const output = placeOf(settings, "output", settings.output!);
  const s3 = splitS3(url);
  const object = s3 && { bucket: s3.bucket, key: s3.prefix };
  const sink = openSink(output);
  let changed: At | undefined;
  for await (const { key, made } of partitionsOf(output, datasetRoot(facts), url, object, signal)) {
    if (made === undefined) return { part: sink.urlOf(key), row, checks: {} };
    const { manifest, input } = made;
    const at = partOfRow(manifest, input.key, row);
    const generation = manifest.generations.find(({ inputs }) => inputs.includes(input))!;
    const checks = {
      object: input.etag === trace.etag,
      rows: input.rows === trace.rows,
      stream: await isSameStream(generation, ref, facts, settings),
    };
    const found = { part: at && sink.urlOf(key + at.part.key), row: at?.row, checks };
    if (checks.object) return found;
    changed ??= found; // perhaps another object of the same name
  }
  return changed ?? { checks: {}, searched: sink.urlOf(`${datasetRoot(facts)}/`) };
}
