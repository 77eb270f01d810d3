// `_SUCCESS`: what a committed partition was made from and consists of.

import type { AvroRecord } from "../avro/literal.ts";
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

/** The raw objects of one generation. The first is 0; later ones come with `--on-change append`. */
export interface PlannedGeneration {
  readonly generation: number;
  /** Over these inputs. */
  readonly fingerprint: string;
  readonly inputs: readonly InputFacts[];
}

/** The parts that one run added. */
export interface Generation extends PlannedGeneration {
  readonly inputs: readonly InputRows[];
  /** Their keys are relative to the partition. */
  readonly parts: readonly PartFacts[];
  /** The books of the generation. */
  readonly counts: Readonly<Record<string, number>>;
  /** Why messages were left out, and why they could not become rows; absent where an older derive wrote it. */
  readonly filteredBy?: Readonly<Record<string, number>>;
  readonly failures?: Readonly<Record<string, number>>;
}

export interface Manifest {
  readonly format: 1;
  readonly stream: string;
  readonly streamVersion: number;
  /** Over the inputs of all generations: what a plain run compares. */
  readonly fingerprint: string;
  /** The stream's Avro schema; absent where an older derive wrote it. */
  readonly schema?: AvroRecord;
  readonly generations: readonly Generation[];
}

/** A manifest as it was found, with the ETag to replace it under. */
export interface FoundManifest {
  readonly manifest: Manifest;
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/**
 * The manifest of a partition, undefined when it was never committed.
 * @param prefix the partition's folder below the sink
 * @throws {ConflictError} when what lies there was not written by this program, or by a newer one.
 */
export async function readManifest(
  sink: Pick<Sink, "read" | "urlOf">,
  prefix: string,
): Promise<FoundManifest | undefined> {
  const key = folderPrefix(prefix) + MANIFEST;
  const found = await sink.read(key);
  return found && { ...found, manifest: parseManifest(found.bytes, sink.urlOf(key)) };
}

export function parseManifest(bytes: Uint8Array, url: string): Manifest {
  const foreign = new ConflictError(
    `Cannot use ${url}: derive did not write it. Choose another output or move that folder away`,
  );
  let manifest: Partial<Omit<Manifest, "format">> & { format?: unknown };
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw foreign;
  }
  if (typeof manifest !== "object" || manifest === null) throw foreign;
  if (typeof manifest.format === "number" && manifest.format > 1) {
    throw new ConflictError(`Cannot use ${url}: a newer derive wrote it. Use that version, or another output`);
  }
  const { format, stream, streamVersion, fingerprint, schema, generations } = manifest;
  const known = format === 1 && typeof fingerprint === "string" && Array.isArray(generations);
  if (!known || !generations.every((one) => Array.isArray(one?.parts) && isGeneration(one))) throw foreign;
  return { format: 1, stream: String(stream), streamVersion: Number(streamVersion), fingerprint, schema, generations };
}

export function isGeneration(one: Partial<PlannedGeneration> | null | undefined): one is PlannedGeneration {
  return (
    typeof one?.generation === "number" &&
    typeof one.fingerprint === "string" &&
    Array.isArray(one.inputs) &&
    one.inputs.every((input) => typeof input?.key === "string")
  );
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
}

/** All parts, in the order of generations. */
export function partsOf({ generations }: Pick<Manifest, "generations">): PartFacts[] {
  return generations.flatMap(({ parts }) => parts);
}

/** All raw objects, in the order of generations. */
export function inputsOf({ generations }: { readonly generations: readonly PlannedGeneration[] }): InputFacts[] {
  return generations.flatMap(({ inputs }) => inputs.map(({ key, size, etag }) => ({ key, size, etag })));
}
