// `derive why`: the raw ping behind a row, and the fate of a raw frame.
import { InputError, UsageError } from "../errors.ts";
import { describeStream, resolveStream, type StreamFacts, type StreamRef } from "../jobs/streams.ts";
import { originOfRow, type RowOrigin, rowOfGroup, storedRow, traceMessage } from "../jobs/why.ts";
import { findNamed } from "../storage/named.ts";
import { openSource, splitPlace } from "../storage/place.ts";
import type { Place } from "../storage/ports.ts";
import { command } from "./command.ts";
import { resolveSettings, type Settings } from "./config.ts";
import { findDataset } from "./dataset.ts";
import { EXIT } from "./exit.ts";
import { limitsOf } from "./job.ts";
import { exactJson } from "./json.ts";
import { findParts } from "./parts.ts";
import { placeOf, s3OptionsOf } from "./places.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { text, wholeNumber } from "./values.ts";
import { isSameStream, type Job, whyFrame } from "./why-frame.ts";
import { type Answer, type Checks, tellAnswer } from "./why-text.ts";

export default command({
  description:
    "PART:ROW leads from a row of derived Parquet to the raw frame that made it, and tells the path behind each column. Rows " +
    "count from 0, as DuckDB's file_row_number does. A stream and a raw object with --offset lead the other way: from a raw " +
    "frame to its row, or to why there is none.\n\n" +
    "Nothing is stored for this: the rows of each raw object stand in _SUCCESS, and the same object gives the same rows in " +
    "the same order. So one raw object is read and derived again, and whatever is not as it was then is told: the object, " +
    "the stream, the row.\n\n" +
    "The values of one ping are shown: run it where you may see them.",
  positionals: {
    what: { description: "A part and a row, out/…/part-0-00000.zstd.parquet:1234; or a stream" },
    object: { description: "After a stream: a raw object, a file or an s3:// URL", optional: true },
  },
  flags: {
    offset: {
      kind: wholeNumber(),
      value: "N",
      description: "The byte of the object, after decompression, as reports tell it",
    },
    stream: { kind: text, value: "STREAM", description: "The stream that made the part; by its name where absent" },
    ...settingFlags(
      "metadata",
      "input",
      "output",
      "only",
      "max-part-bytes",
      ...S3_SETTINGS,
      "stream-timeout",
      "max-memory",
    ),
    json: { description: "One JSON object: where it is, what became of it, columns with their paths, the message" },
  },
  examples: [
    {
      does: "what made this row?",
      run: "derive why derived/…/part-0-00000.zstd.parquet:1234 --input raw",
    },
    { does: "and of a single file, from what it was converted", run: "derive why pings.parquet:7 --input downloads" },
    {
      does: "what became of the frame that a report names?",
      run: "derive why ExampleStream raw/object --offset 73214 -o out",
    },
  ],
  exitCodes: {
    [EXIT.input]: "the raw object is missing or cannot be read, or ends before that row or byte",
    [EXIT.verify]: "the raw object or the row is not what it was when the part was made",
  },
  async run({ args, flags, output, signal }) {
    const settings = resolveSettings(flags);
    const job: Job = { settings, limits: limitsOf(settings), stream: flags.stream, signal };
    const answer =
      args.object === undefined
        ? await whyRow(args.what, flags.offset, job)
        : await whyFrame(args.what, args.object, flags.offset, job);
    await tellAnswer(answer, flags.json, output);
    return isContradicted(answer.checks) ? EXIT.verify : EXIT.done;
  },
});

/** The row is another, or what it was made from; that the stream's file has changed does not say so. */
function isContradicted({ object, rows, row }: Checks): boolean {
  return object === false || rows === false || row === false;
}

async function whyRow(what: string, offset: number | undefined, job: Job): Promise<Answer> {
  const [, path, number] = /^(.+):(\d{1,15})$/s.exec(what) ?? [];
  if (path === undefined || offset !== undefined) {
    throw new UsageError(
      `Cannot tell what ${what} is: write PART:ROW, as in part-0-00000.zstd.parquet:1234, or a stream, a raw object and --offset N`,
    );
  }
  const { settings } = job;
  const row = Number(number);
  const [part, another] = await findParts(path, s3OptionsOf(settings, "output"));
  if (another) throw new UsageError(`Cannot tell which row is meant: ${path} is several files. Name one of them`);
  const { place, key } = splitPlace(placeOf(settings, "output", part!.url));
  const from = await originOfRow(place, key, part!.file, row);
  const ref = streamNamed(job.stream ?? from.stream);
  const facts = await describeStream(ref, job.limits);
  const { place: input, key: object, trace, rowOfObject } = await traceRow(from, ref, facts, job);
  const url = openSource(input).urlOf(object);
  const { found } = trace;
  if (found === undefined) {
    throw new InputError(
      `Cannot find row ${row} of ${part!.url}: ${url} gives ${trace.rows} rows now, so its row ${rowOfObject} is none of them. ` +
        `${from.kind === "batch" && from.input.etag !== trace.etag ? "It has changed since" : "The stream is another than made it: name that with --stream"}`,
    );
  }
  const now = await rowOfGroup(found.group!, facts);
  const then = await storedRow(part!.file, row);
  return {
    part: part!.url,
    row,
    object: url,
    found,
    stream: facts.name,
    values: then,
    checks: {
      object:
        from.kind === "batch"
          ? from.input.etag === trace.etag
          : from.kind === "event"
            ? from.origin.etag === trace.etag
            : undefined,
      rows: from.kind === "batch" ? from.input.rows === trace.rows : undefined,
      row: exactJson(now) === exactJson(then),
      stream: from.kind === "batch" ? await isSameStream(from.generation, ref, facts, settings) : undefined,
    },
  };
}

function streamNamed(name: string): StreamRef {
  try {
    return resolveStream(name);
  } catch (error) {
    if (error instanceof UsageError)
      throw new UsageError(`${error.message}. --stream names the stream that made the part`);
    throw error;
  }
}

/** Of a file without a manifest the objects are derived one after the other, until the row is found. */
async function traceRow(from: RowOrigin, stream: StreamRef, facts: StreamFacts, job: Job) {
  const { settings, limits, signal } = job;
  if (from.kind !== "file") {
    const { key } = from.kind === "batch" ? from.input : from.origin;
    const place = await rawPlace(from, facts, settings);
    const trace = await traceMessage({ stream, place, key, wanted: { row: from.row } }, limits, signal);
    return { place, key, trace, rowOfObject: from.row };
  }
  if (settings.input === undefined) {
    throw new UsageError(
      "Cannot tell what the row was made from: there is no _SUCCESS beside this file. Give what it was converted from as --input",
    );
  }
  const { place, objects } = await findNamed([settings.input], { s3: s3OptionsOf(settings, "input") });
  let row = from.row;
  for (const { key } of objects) {
    const trace = await traceMessage({ stream, place, key, wanted: { row } }, limits, signal);
    if (trace.found) return { place, key, trace, rowOfObject: row };
    row -= trace.rows;
  }
  throw new InputError(
    `Cannot find row ${from.row}: what --input names gives fewer rows. Give all that the file was converted from, and the stream as it was`,
  );
}

async function rawPlace(from: RowOrigin, facts: StreamFacts, settings: Settings): Promise<Place> {
  if (settings.input !== undefined) return placeOf(settings, "input", settings.input);
  if (from.kind === "event") return placeOf(settings, "input", `s3://${from.origin.bucket}`);
  return (await findDataset(settings, facts.streamName)).place;
}
