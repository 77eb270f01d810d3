// The fingerprint of a partition: everything its bytes depend on, so that a second run knows it has nothing to do (P2, P4).

import { dirname, relative, resolve, sep } from "node:path";
import { streamFiles } from "../pipeline/stream-files.ts";
import { compareKeys } from "../storage/keys.ts";
import type { Filter } from "./dimensions.ts";
import type { InputFacts } from "./manifest.ts";

/** One source file of a stream, its path relative to the folder of the stream's entry. */
export interface StreamSource {
  readonly path: string;
  readonly text: string;
}

/** All that bytes depend on; not the number of workers, the places, the machine or the build. */
export interface FingerprintFacts {
  readonly inputs: readonly InputFacts[];
  readonly stream: string;
  readonly streamVersion: number;
  readonly sources: readonly StreamSource[];
  /** The Avro schema as text, as the parts carry it. */
  readonly schema: string;
  /** What the stream asks for. */
  readonly dimensions: Filter;
  /** What `--only` asks for. */
  readonly only: readonly Filter[];
  readonly partitionBy: readonly string[];
  readonly codec: string;
  readonly maxPartBytes: number;
  readonly strict: boolean;
  readonly outputFormat: number;
}

/** SHA-256, in hexadecimal, over canonical JSON: the order of inputs, sources, filters and their values does not matter. */
export function fingerprint(facts: FingerprintFacts): string {
  const canonical = {
    codec: facts.codec,
    dimensions: canonicalFilter(facts.dimensions),
    inputs: facts.inputs
      .map(({ key, size, etag }) => [key, size, etag] as const)
      .sort((a, b) => compareKeys(a[0], b[0])),
    maxPartBytes: facts.maxPartBytes,
    only: facts.only.map((filter) => JSON.stringify(canonicalFilter(filter))).sort(),
    outputFormat: facts.outputFormat,
    partitionBy: facts.partitionBy,
    schema: facts.schema,
    sources: facts.sources.map(({ path, text }) => [path, text] as const).sort((a, b) => compareKeys(a[0], b[0])),
    stream: facts.stream,
    streamVersion: facts.streamVersion,
    strict: facts.strict,
  };
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(canonical)).digest("hex");
}

function canonicalFilter(filter: Filter): [string, string[]][] {
  return Object.entries(filter)
    .map(([name, values]): [string, string[]] => [name, [...new Set(values)].sort(compareKeys)])
    .sort((a, b) => compareKeys(a[0], b[0]));
}

/**
 * The stream's entry and everything it imports by relative paths, sorted by path.
 * @throws {UsageError} when a file is missing.
 */
export async function streamSources(entry: string): Promise<StreamSource[]> {
  const root = dirname(resolve(entry));
  return [...(await streamFiles(entry))]
    .map(([path, text]) => ({ path: relative(root, path).replaceAll(sep, "/"), text }))
    .sort((a, b) => compareKeys(a.path, b.path));
}
