// Which datasets there are: sources.json and schema.json of a metadata place, or the same facts from configuration.

import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import type { Source } from "../storage/ports.ts";

/** What a dimension may hold; other values stand as "OTHER" in keys. */
export type Allowed = "*" | readonly string[] | { readonly min?: string; readonly max?: string };

export interface Dimension {
  readonly name: string;
  readonly allowed: Allowed;
}

/** A raw dataset: objects lie at `<prefix>/<dimension 1>/…/<dimension N>/<object>`; the first dimension is the day. */
export interface Dataset {
  readonly name: string;
  readonly bucket?: string;
  /** Without a "/" at its end; "" when the days lie at the top of the place. */
  readonly prefix: string;
  readonly dimensions: readonly Dimension[];
  readonly description?: string;
}

/** One entry of sources.json. */
export interface DatasetEntry {
  readonly name: string;
  readonly prefix: string;
  /** The folder of schema.json below the metadata place. */
  readonly metadataPrefix: string;
  readonly bucket?: string;
  readonly description?: string;
  readonly doclink?: string;
}

const SOURCES = "sources.json";

/**
 * The datasets that sources.json names, in its order.
 * @throws {UsageError} naming URL and JSON path of what is malformed.
 * @throws {InputError} when it cannot be read.
 */
export async function readDatasets(metadata: Source): Promise<Map<string, DatasetEntry>> {
  const root = await readJson(metadata, SOURCES);
  const entries = new Map<string, DatasetEntry>();
  for (const [name, value] of Object.entries(root.object())) {
    const entry = root.child(name, value);
    const prefix = trimSlashes(entry.text("prefix"));
    entries.set(name, {
      name,
      prefix,
      metadataPrefix: trimSlashes(entry.optionalText("metadata_prefix") ?? prefix),
      bucket: entry.optionalText("bucket"),
      description: entry.optionalText("description"),
      doclink: entry.optionalText("doclink"),
    });
  }
  return entries;
}

/**
 * One dataset with its dimensions, which its schema.json lists.
 * @param named what `readDatasets` gives, where it was begun before
 * @throws {UsageError} as `readDatasets`, and for an unknown name, with the nearest one.
 */
export async function readDataset(metadata: Source, name: string, named = readDatasets(metadata)): Promise<Dataset> {
  const entries = await named;
  const entry = entries.get(name);
  if (entry === undefined) {
    const names = [...entries.keys()];
    throw new UsageError(
      `Cannot find dataset ${JSON.stringify(name)}: ${metadata.urlOf(SOURCES)} does not name it.` +
        `${didYouMean(name, names)} It names ${names.join(", ") || "none"}`,
    );
  }
  const key = entry.metadataPrefix === "" ? "schema.json" : `${entry.metadataPrefix}/schema.json`;
  const schema = await readJson(metadata, key);
  // Both versions list their dimensions alike; the readers of the original framework never looked at the version.
  const version = schema.object().version;
  if (version !== undefined && version !== 1 && version !== 2)
    schema.child("version", version).fail("is neither 1 nor 2");
  const dimensions = readDimensions(schema.child("dimensions", schema.object().dimensions));
  return { name, bucket: entry.bucket, prefix: entry.prefix, dimensions, description: entry.description };
}

/**
 * A dataset from configuration: `[sources.telemetry]` with `prefix`, `dimensions` (names, or objects as in schema.json),
 * and `bucket` where objects are read from S3.
 * @param at what to call the table in errors: "derive.toml: sources.telemetry"
 * @throws {UsageError}
 */
export function datasetFromTable(name: string, table: unknown, at: string): Dataset {
  const root = new JsonPlace(at, "", table);
  const known = ["bucket", "prefix", "dimensions", "description"];
  for (const key of Object.keys(root.object())) {
    if (!known.includes(key))
      root.fail(`has a key ${JSON.stringify(key)}.${didYouMean(key, known)} It may have ${known.join(", ")}`);
  }
  return {
    name,
    bucket: root.optionalText("bucket"),
    prefix: trimSlashes(root.optionalText("prefix") ?? ""),
    dimensions: readDimensions(root.child("dimensions", root.object().dimensions)),
    description: root.optionalText("description"),
  };
}

function readDimensions(list: JsonPlace): Dimension[] {
  const dimensions = list.array().map((value, index): Dimension => {
    const dimension = list.child(index, value);
    if (typeof value === "string" && value !== "") return { name: value, allowed: "*" };
    return { name: dimension.text("field_name"), allowed: readAllowed(dimension) };
  });
  if (dimensions.length === 0) list.fail("is empty: the day, at least, is a dimension");
  const names = dimensions.map(({ name }) => name);
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice >= 0) list.child(twice, undefined).fail("names the same dimension as one before it");
  return dimensions;
}

function readAllowed(dimension: JsonPlace): Allowed {
  const value = dimension.object().allowed_values ?? "*";
  const allowed = dimension.child("allowed_values", value);
  if (value === "*") return "*";
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.map((one, index) => allowed.child(index, one).scalar());
  const { min, max } = allowed.object();
  const bound = (name: string, limit: unknown) =>
    limit === undefined ? {} : { [name]: allowed.child(name, limit).scalar() };
  return { ...bound("min", min), ...bound("max", max) };
}

function trimSlashes(prefix: string): string {
  return prefix.replace(/\/+$/, "");
}

async function readJson(source: Source, key: string): Promise<JsonPlace> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open(key)) chunks.push(chunk.slice());
  const url = source.urlOf(key);
  try {
    return new JsonPlace(
      url,
      "",
      JSON.parse(
        Buffer.concat(chunks)
          .toString("utf8")
          .replace(/^\ufeff/, ""),
      ),
    );
  } catch {
    throw new UsageError(`Cannot read ${url}: it is not JSON`);
  }
}

/** A value inside metadata and where it stands, for error texts. */
class JsonPlace {
  constructor(
    private readonly url: string,
    private readonly path: string,
    private readonly value: unknown,
  ) {}

  child(key: string | number, value: unknown): JsonPlace {
    const step = typeof key === "number" ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    return new JsonPlace(this.url, this.path + step, value);
  }

  object(): Record<string, unknown> {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value))
      this.fail("is not an object");
    return this.value as Record<string, unknown>;
  }

  array(): unknown[] {
    if (!Array.isArray(this.value)) this.fail(this.value === undefined ? "is missing" : "is not a list");
    return this.value as unknown[];
  }

  /** A text, or a number as its text. */
  scalar(): string {
    if (typeof this.value !== "string" && typeof this.value !== "number") this.fail("is neither text nor a number");
    return String(this.value);
  }

  optionalText(key: string): string | undefined {
    const value = this.object()[key];
    if (value !== undefined && value !== null && typeof value !== "string") this.child(key, value).fail("is not text");
    return (value as string | null) ?? undefined;
  }

  text(key: string): string {
    return this.optionalText(key) ?? this.child(key, undefined).fail("is missing");
  }

  fail(state: string): never {
    throw new UsageError(`Cannot use ${this.url}: ${this.path.replace(/^\./, "") || "it"} ${state}`);
  }
}
