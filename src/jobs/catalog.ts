// What is committed below a derived place, as catalogues want to know it: datasets, their partitions and their parts.

import { parseSchema, type Schema } from "../avro/schema.ts";
import { InputError } from "../errors.ts";
import type { Source } from "../storage/ports.ts";
import { parseManifest, partsOf } from "./manifest.ts";
import { foldersOf } from "./verify-folders.ts";

/** One committed partition. */
export interface CatalogPartition {
  /** Its folder; it ends in "/". */
  readonly url: string;
  /** The dimensions in its path, from the top: `submission_date_s3` and the value, not escaped. None in a dataset of one folder. */
  readonly values: readonly (readonly [string, string])[];
  /** URLs of the parts that its `_SUCCESS` names. */
  readonly parts: readonly string[];
}

export interface CatalogDataset {
  /** The stream's folder and its version, as in "example_stream_v1". */
  readonly name: string;
  /** The folder of all its partitions; it ends in "/". */
  readonly url: string;
  /** Of the last partition. */
  readonly schema: Schema;
  readonly partitions: readonly CatalogPartition[];
}

const PARTITION = /^([a-z0-9_]+_s3)=(.*)$/;

/**
 * The datasets below a place, in the order of their names.
 * @throws {InputError} where nothing is committed, or a `_SUCCESS` does not tell its schema.
 */
export async function findDatasets(place: Source): Promise<CatalogDataset[]> {
  const found = new Map<string, { partitions: CatalogPartition[]; schema: Schema }>();
  for await (const folder of foldersOf(place)) {
    if (folder.manifest === undefined) continue;
    const url = plain(place.urlOf(folder.key));
    const { manifest, schema } = await readCommitted(place, folder.key + folder.manifest);
    const segments = url.replace(/\/$/, "").split("/");
    const depth = segments.findLastIndex((segment) => !PARTITION.test(segment)) + 1;
    const root = `${segments.slice(0, depth).join("/")}/`;
    const values = segments.slice(depth).map((segment) => dimensionOf(segment));
    const parts = partsOf(manifest).map(({ key }) => url + key);
    const dataset = found.get(root) ?? { partitions: [], schema };
    dataset.partitions.push({ url, values, parts });
    found.set(root, { ...dataset, schema });
  }
  if (found.size === 0) {
    throw new InputError(
      `Cannot find a dataset in ${place.url}: no _SUCCESS lies there or below. Name the --output of a batch; days that only events have served are not committed before one`,
    );
  }
  return [...found].map(([url, dataset]) => ({ name: nameOf(url), url, ...dataset }));
}

async function readCommitted(place: Source, key: string) {
  const bytes = Buffer.concat(await Array.fromAsync(place.open(key), (chunk) => chunk.slice()));
  const manifest = parseManifest(bytes, place.urlOf(key));
  if (manifest.schema !== undefined) return { manifest, schema: parseSchema(manifest.schema) };
  throw new InputError(
    `Cannot use ${place.urlOf(key)}: an older derive wrote it, without its schema. Make it anew: --on-change replace`,
  );
}

function dimensionOf(segment: string): [string, string] {
  const [, dimension = "", escaped = ""] = PARTITION.exec(segment) ?? [];
  const value = escaped === "__HIVE_DEFAULT_PARTITION__" ? "" : escaped;
  return [
    dimension,
    value.replace(/%([0-9A-F]{2})/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
  ];
}

/** Engines take a place as it is: of a file URL, too, nothing is escaped for them. */
function plain(url: string): string {
  return url.startsWith("file:") ? decodeURIComponent(url) : url;
}

/** ".../example_stream/v1/" is example_stream_v1. */
function nameOf(url: string): string {
  const [stream = "", version = ""] = url.replace(/\/$/, "").split("/").slice(-2);
  const name = /^v\d+$/.test(version) ? `${stream}_${version}` : version;
  return name.toLowerCase().replace(/[^a-z0-9_]+/g, "_");
}
