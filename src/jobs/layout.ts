// The keys in a derived stream's folder: what parts are called, and that no partition lies inside another.

import { ConflictError } from "../errors.ts";
import type { Codec } from "../parquet/rowgroup.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Sink } from "../storage/ports.ts";
import { snakeCase } from "./hive.ts";
import { MANIFEST } from "./manifest.ts";

const EXTENSIONS: Record<Codec, string> = {
  zstd: ".zstd.parquet",
  snappy: ".snappy.parquet",
  gzip: ".gz.parquet",
  none: ".parquet",
};

const OUR_PART = /^part-\d+-\d{5,}(\.zstd|\.snappy|\.gz)?\.parquet$/;
const EVENT_PART = /^event-[0-9a-f]{16}(\.zstd|\.snappy|\.gz)?\.parquet$/;

/** The folder of a stream's partitions below the output place: "example_stream/v1". */
export function datasetRoot({ name, version }: { readonly name: string; readonly version: number }): string {
  return `${snakeCase(name)}/v${version}`;
}

/** "part-0-00000.zstd.parquet" */
export function partName(generation: number, index: number, codec: Codec): string {
  return `part-${generation}-${String(index).padStart(5, "0")}${EXTENSIONS[codec]}`;
}

/** "event-9f86d081884c7d65.zstd.parquet": the part of one raw object, the same for all of its versions. */
export function eventName(bucket: string, key: string, codec: Codec): string {
  const hash = new Bun.CryptoHasher("sha256").update(`${bucket}/${key}`).digest("hex");
  return `event-${hash.slice(0, 16)}${EXTENSIONS[codec]}`;
}

export function isEventName(name: string): boolean {
  return EVENT_PART.test(name);
}

/** Something that lies in a partition's folder. */
export interface Present {
  readonly size: number;
  readonly etag: string;
}

/** What lies in a partition's folder by the names of our parts, whoever made them: those of batch runs and those of events. */
export async function listPartition(
  sink: Pick<Sink, "list">,
  prefix: string,
): Promise<{ readonly parts: Map<string, Present>; readonly events: Map<string, Present> }> {
  const start = folderPrefix(prefix);
  const found = { parts: new Map<string, Present>(), events: new Map<string, Present>() };
  for await (const { key, size, etag = "" } of sink.list(start)) {
    const name = key.slice(start.length);
    if (OUR_PART.test(name)) found.parts.set(name, { size, etag });
    else if (EVENT_PART.test(name)) found.events.set(name, { size, etag });
  }
  return found;
}

/** The parts of batch runs. */
export async function presentParts(sink: Pick<Sink, "list">, prefix: string): Promise<Map<string, Present>> {
  return (await listPartition(sink, prefix)).parts;
}

/**
 * Refuses a partition above or below one that is committed already (another `partitionBy` made it): readers of the upper
 * folder would see its rows twice.
 * @param root the folder of the derived stream, above which nothing is looked at
 * @throws {ConflictError}
 */
export async function refuseMixedLayouts(sink: Sink, root: string, prefix: string): Promise<void> {
  const own = folderPrefix(prefix) + MANIFEST;
  const others: string[] = [];
  for await (const { key } of sink.list(prefix)) if (key.endsWith(`/${MANIFEST}`) && key !== own) others.push(key);
  const base = folderPrefix(root);
  const segments = folderPrefix(prefix).slice(base.length).split("/").slice(0, -2);
  for (let depth = 0; depth <= segments.length; depth++) {
    const above = [...segments.slice(0, depth), MANIFEST].join("/");
    if (base + above !== own && (await sink.head(base + above))) others.push(base + above);
  }
  if (others.length === 0) return;
  throw new ConflictError(
    `Cannot write ${sink.urlOf(folderPrefix(prefix))}: ${sink.urlOf(others[0]!)} commits the same days partitioned otherwise. ` +
      "Choose another output, or remove that folder",
  );
}
