// `derive why`: from a row back to the raw bytes that made it, and from raw bytes to what became of them. One raw object is
// read, and derived once more.

import { toParquetSchema } from "../avro/columns.ts";
import { footerMetadata } from "../avro/metadata.ts";
import { parseSchema } from "../avro/schema.ts";
import { InputError, InterruptedError, UsageError } from "../errors.ts";
import { OUTPUT_FORMAT, PartAssembler } from "../parquet/file.ts";
import { type ByteSource, readFooter, readRows } from "../parquet/read.ts";
import type { Codec, EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { StreamFacts } from "../pipeline/protocol.ts";
import type { Trace, TraceSpec } from "../pipeline/trace.ts";
import { openSink, openSource } from "../storage/place.ts";
import type { Place } from "../storage/ports.ts";
import type { Filter } from "./dimensions.ts";
import { type Origin, originIn, readOrigin } from "./event-part.ts";
import { fingerprint, type StreamSource } from "./fingerprint.ts";
import { eventName, isEventName } from "./layout.ts";
import { type Generation, type InputRows, MANIFEST, type Manifest, readManifest } from "./manifest.ts";
import { WorkerPool } from "./pool.ts";
import { inputOfRow } from "./rows.ts";
import type { Limits } from "./watch.ts";

/** Where a row is from. `row` counts from 0 among the rows of the raw object; of a file without a manifest among its own. */
export type RowOrigin =
  | {
      readonly kind: "batch";
      readonly stream: string;
      readonly input: InputRows;
      readonly generation: Generation;
      readonly row: number;
    }
  | { readonly kind: "event"; readonly stream: string; readonly origin: Origin; readonly row: number }
  | { readonly kind: "file"; readonly stream: string; readonly row: number };

/**
 * @param file the part, of which the footer is read
 * @param key its key below `place`
 * @throws {UsageError} for a row that it does not have
 * @throws {FormatError} {ConflictError}
 */
export async function originOfRow(place: Place, key: string, file: ByteSource, row: number): Promise<RowOrigin> {
  const { key_value_metadata = [], num_rows } = await readFooter(file);
  const rows = Number(num_rows);
  const url = openSource(place).urlOf(key);
  if (row >= rows) {
    const has = rows === 0 ? "it has no row" : `its rows are 0 to ${rows - 1}`;
    throw new UsageError(
      `Cannot find row ${row} of ${url}: ${has}. Rows count from 0, as DuckDB's file_row_number does`,
    );
  }
  const at = key.lastIndexOf("/") + 1;
  const found = await readManifest(openSink(place), key.slice(0, at));
  const ofBatch = found && inputOfRow(found.manifest, key.slice(at), row);
  if (ofBatch) return { kind: "batch", stream: found.manifest.stream, ...ofBatch };
  const stream = key_value_metadata.find((entry) => entry?.key === "derive.stream")?.value;
  if (!stream) throw new UsageError(`Cannot tell what made ${url}: derive did not write it`);
  const origin = originIn(key_value_metadata as { key: string; value?: string }[]);
  return origin ? { kind: "event", stream, origin, row } : { kind: "file", stream, row };
}

/** Derives an object again. Rejects with an InterruptedError when `signal` is aborted. */
export async function traceMessage(trace: TraceSpec, limits: Limits, signal: AbortSignal): Promise<Trace> {
  const source = openSource(trace.place);
  if ((await source.head(trace.key)) === undefined) {
    throw new InputError(
      `Cannot find raw object ${source.urlOf(trace.key)}: it does not exist. --input names the place that the keys in _SUCCESS ` +
        "are below: that of the batch, or the folder that convert has read",
    );
  }
  const pool = new WorkerPool(1, limits);
  try {
    return (await pool.ask<"traced">({ kind: "trace", trace }, undefined, signal)).trace;
  } finally {
    pool.close();
  }
}

/** The row of a part as it is stored. */
export async function storedRow(file: ByteSource, row: number): Promise<Record<string, unknown>> {
  const [found] = await Array.fromAsync(readRows(file, { rowStart: row, rowEnd: row + 1 }));
  return found!;
}

/** The one row of a group, as it would be stored. */
export async function rowOfGroup(group: EncodedRowGroup, { schema }: StreamFacts): Promise<Record<string, unknown>> {
  const parsed = parseSchema(schema);
  const assembler = new PartAssembler(toParquetSchema(parsed), footerMetadata(parsed));
  const file = Buffer.concat([assembler.header(), assembler.place(group), assembler.finish()]);
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
  return storedRow(bytes, 0);
}

/** The options that a manifest does not tell: whether these made it shows in its fingerprint. */
export interface MadeWith {
  readonly facts: StreamFacts;
  readonly sources: readonly StreamSource[];
  readonly only: readonly Filter[];
  /** The first dimension of its dataset. */
  readonly day: string;
  readonly maxPartBytes: number;
}

/** Whether this stream, as it is now, made a generation with these options; --strict may have been given or not. */
export function isMadeBy(
  { fingerprint: made, inputs, parts }: Generation,
  { facts, day, ...options }: MadeWith,
): boolean {
  const extension = /(\.zstd|\.snappy|\.gz)?\.parquet$/.exec(parts[0]?.key ?? "")?.[1] ?? "";
  const codec = ({ ".zstd": "zstd", ".snappy": "snappy", ".gz": "gzip", "": "none" } as Record<string, Codec>)[
    extension
  ]!;
  const same = {
    ...options,
    codec,
    inputs,
    stream: facts.name,
    streamVersion: facts.version,
    schema: JSON.stringify(facts.schema),
    dimensions: facts.dimensions,
    outputFormat: OUTPUT_FORMAT,
  };
  // Of a batch the dimensions of its partitions, the day alone unless the stream says more; of convert none.
  const ways = [facts.partitionBy ?? [day], []];
  return ways.some((partitionBy) =>
    [false, true].some((strict) => fingerprint({ ...same, partitionBy, strict }) === made),
  );
}

/** A partition that was made from an object, or its event part. */
export interface Committed {
  /** The folder below the output, ending in "/"; of an event part its key. */
  readonly key: string;
  readonly made?: { readonly manifest: Manifest; readonly input: InputRows };
}

/**
 * The partitions below `root` that were made from an object, likely ones first.
 * @param url of the object
 * @param object its bucket and key, where it is on S3
 */
export async function* partitionsOf(
  output: Place,
  root: string,
  url: string,
  object: { readonly bucket: string; readonly key: string } | undefined,
  signal: AbortSignal,
): AsyncGenerator<Committed> {
  const sink = openSink(output);
  const text = object ? url : decoded(url);
  const events = new Set(
    object && (["zstd", "snappy", "gzip", "none"] as const).map((codec) => eventName(object.bucket, object.key, codec)),
  );
  const folders: string[] = [];
  for await (const { key, size } of sink.list(root)) {
    if (signal.aborted) throw new InterruptedError("Cannot finish: the run was interrupted");
    const at = key.lastIndexOf("/") + 1;
    if (key.slice(at) === MANIFEST) folders.push(key.slice(0, at));
    else if (events.has(key.slice(at))) yield { key };
    // A downloaded object has no bucket by which its part is called.
    else if (!object && isEventName(key.slice(at)) && isOf(text, (await readOrigin(sink, key, size))?.key))
      yield { key };
  }
  // A batch's folders are named after segments of its objects' keys: those with the object's own are read first.
  const segments = new Set(text.split("/"));
  const isLikely = (folder: string) =>
    [...folder.matchAll(/_s3=([^/]*)\//g)].every(([, value]) => segments.has(decoded(value!)));
  for (const folder of [...folders.filter(isLikely), ...folders.filter((one) => !isLikely(one))]) {
    if (signal.aborted) throw new InterruptedError("Cannot finish: the run was interrupted");
    const found = await readManifest(sink, folder);
    const inputs = found?.manifest.generations.flatMap((generation) => generation.inputs) ?? [];
    for (const input of inputs) {
      if (isOf(text, input.key)) yield { key: folder, made: { manifest: found!.manifest, input } };
    }
  }
}

/** Whether an object's URL is that of a key, below whatever place. */
function isOf(url: string, key: string | undefined): boolean {
  return key !== undefined && (url === key || url.endsWith(`/${key}`));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
