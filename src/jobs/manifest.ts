// `_SUCCESS`: what a committed partition was made from and consists of, and whether a run has anything to do.

import { ConflictError } from "../errors.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Sink } from "../storage/ports.ts";
import type { PartFacts } from "./result.ts";

export const MANIFEST = "_SUCCESS";

/** One raw object that rows were made from. */
export interface InputFacts {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

export interface InputRows extends InputFacts {
  readonly rows: number;
}

/** The parts that one run added. The first is 0; later ones come with `--on-change append`. */
export interface Generation {
  readonly generation: number;
  readonly fingerprint: string;
  readonly inputs: readonly InputRows[];
  /** Their keys are relative to the partition. */
  readonly parts: readonly PartFacts[];
  /** The books of the partition. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Manifest {
  readonly format: 1;
  readonly stream: string;
  readonly streamVersion: number;
  /** Over the inputs of all generations: what a plain run compares. */
  readonly fingerprint: string;
  readonly generations: readonly Generation[];
}

/** What a run would commit, as far as it is known before any row is made. */
export interface Intended {
  readonly stream: string;
  readonly streamVersion: number;
  readonly fingerprint: string;
  readonly inputs: readonly InputFacts[];
}

/**
 * The manifest of a partition, undefined when it was never committed.
 * @param prefix the partition's folder below the sink
 * @throws {ConflictError} when what lies there was not written by this program, or by a newer one.
 */
export async function readManifest(sink: Sink, prefix: string): Promise<Manifest | undefined> {
  const key = folderPrefix(prefix) + MANIFEST;
  const bytes = await sink.read(key);
  if (bytes === undefined) return undefined;
  const foreign = new ConflictError(
    `Cannot use ${sink.urlOf(key)}: derive did not write it. Choose another output or move that folder away`,
  );
  let manifest: Partial<Omit<Manifest, "format">> & { format?: unknown };
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw foreign;
  }
  if (typeof manifest !== "object" || manifest === null) throw foreign;
  if (typeof manifest.format === "number" && manifest.format > 1) {
    throw new ConflictError(
      `Cannot use ${sink.urlOf(key)}: a newer derive wrote it. Use that version, or another output`,
    );
  }
  const { format, stream, streamVersion, fingerprint, generations } = manifest;
  const known = format === 1 && typeof fingerprint === "string" && Array.isArray(generations);
  if (!known || !generations.every((one) => Array.isArray(one?.inputs) && Array.isArray(one?.parts))) throw foreign;
  return { format: 1, stream: String(stream), streamVersion: Number(streamVersion), fingerprint, generations };
}

/** Keys of parts that a manifest lists and that are gone or have another size: someone changed the folder by hand. */
export async function missingParts(sink: Sink, prefix: string, manifest: Manifest): Promise<string[]> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of sink.list(prefix)) sizes.set(key, size);
  const parts = manifest.generations.flatMap((generation) => generation.parts);
  return parts
    .map((part) => ({ ...part, key: folderPrefix(prefix) + part.key }))
    .filter((part) => sizes.get(part.key) !== part.bytes)
    .map((part) => part.key);
}

export type Decision = "write" | "unchanged" | "replace";

/**
 * What to do about a partition (P2). One that has parts but no manifest is what a killed run left: it is written over.
 * @param url the partition, for the error text
 * @throws {ConflictError} when it was made from something else and `onChange` is "fail"; the text says what differs.
 */
export function decide(
  manifest: Manifest | undefined,
  intended: Intended,
  onChange: "fail" | "replace",
  url: string,
): Decision {
  if (manifest === undefined) return "write";
  if (manifest.fingerprint === intended.fingerprint) return "unchanged";
  if (onChange === "replace") return "replace";
  throw new ConflictError(
    `Cannot write ${url}: it was committed from something else: ${differences(manifest, intended).join("; ")}. ` +
      "Nothing was written. To make it anew: --on-change replace; to keep both: another --output",
  );
}

/** What changed between a commit and a run, for people. At least one entry. */
export function differences(manifest: Manifest, intended: Intended): string[] {
  const found: string[] = [];
  if (manifest.stream !== intended.stream) {
    found.push(`stream ${manifest.stream} then, ${intended.stream} now`);
  } else if (manifest.streamVersion !== intended.streamVersion) {
    found.push(`version ${manifest.streamVersion} of the stream then, ${intended.streamVersion} now`);
  }
  const then = byKey(manifest.generations.flatMap((generation) => generation.inputs));
  const now = byKey(intended.inputs);
  const added = [...now.keys()].filter((key) => !then.has(key));
  const removed = [...then.keys()].filter((key) => !now.has(key));
  const changed = [...now.values()].filter((input) => {
    const old = then.get(input.key);
    return old !== undefined && (old.size !== input.size || old.etag !== input.etag);
  });
  const tell = (keys: readonly string[], what: string) => {
    if (keys.length > 0)
      found.push(`${keys.length} raw ${keys.length === 1 ? "object" : "objects"} ${what} (${some(keys)})`);
  };
  tell(added, "added");
  tell(removed, "removed");
  tell(
    changed.map(({ key }) => key),
    "changed",
  );
  if (found.length === 0) found.push("the same raw objects, but the stream's file, its schema or an option is another");
  return found;
}

function byKey(inputs: readonly InputFacts[]): Map<string, InputFacts> {
  return new Map(inputs.map((input) => [input.key, input]));
}

function some(keys: readonly string[]): string {
  return keys.length > 2 ? `${keys.slice(0, 2).join(", ")}, …` : keys.join(", ");
}
