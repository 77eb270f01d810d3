// A manifest under suspicion: whether it has the form of one, and whether what it says agrees with itself (P7).

import { InputError } from "../errors.ts";
import { COUNTS, type Counts, imbalances } from "../pipeline/books.ts";
import type { Source } from "../storage/ports.ts";
import type { Generation, Manifest } from "./manifest.ts";

/**
 * The manifest at `key`, undefined when it cannot be used; `faults` say why. Unlike `readManifest` nothing in it is taken on
 * trust: someone may have edited it.
 */
export async function readVerifiedManifest(
  place: Source,
  key: string,
): Promise<{ manifest: Manifest | undefined; faults: string[] }> {
  let text = "";
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for await (const chunk of place.open(key)) text += decoder.decode(chunk, { stream: true });
    text += decoder.decode();
  } catch (error) {
    if (error instanceof InputError) return { manifest: undefined, faults: [error.message] };
    return { manifest: undefined, faults: ["it is not UTF-8: derive did not write it"] };
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return { manifest: undefined, faults: ["it is not JSON: derive did not write it, or it was cut off"] };
  }
  const faults = [...formFaults(manifest)];
  return faults.length > 0 ? { manifest: undefined, faults } : { manifest: manifest as Manifest, faults };
}

type Check = (value: unknown) => string | undefined;

const isText: Check = (value) => (typeof value === "string" && value !== "" ? undefined : "a text");
const isCount: Check = (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : "a whole number");
const hexadecimal =
  (digits: number): Check =>
  (value) =>
    typeof value === "string" && value.length === digits && /^[0-9a-f]*$/.test(value)
      ? undefined
      : `${digits} hexadecimal digits`;
const isPartName: Check = (value) =>
  typeof value === "string" && /^part-[^/]+$/.test(value) ? undefined : "the name of a part";

/** What a Manifest must look like before anything in it is used, `path: what is expected` each. */
function* formFaults(manifest: unknown): Iterable<string> {
  if (!isObject(manifest)) return yield "it is not a JSON object: derive did not write it";
  if (typeof manifest.format === "number" && manifest.format > 1) {
    return yield `its format is ${manifest.format}, and this derive knows format 1. Verify it with a newer derive`;
  }
  if (manifest.format !== 1) return yield "its format is not 1: derive did not write it";
  yield* membersFaults("", manifest, { stream: isText, streamVersion: isCount, fingerprint: isText });
  yield* listFaults("generations", manifest.generations, function* (path, generation) {
    yield* membersFaults(path, generation, { generation: isCount, fingerprint: isText });
    yield* listFaults(`${path}inputs`, generation.inputs, (at, input) =>
      membersFaults(at, input, { key: isText, size: isCount, etag: isText, rows: isCount }),
    );
    yield* listFaults(`${path}parts`, generation.parts, (at, part) =>
      membersFaults(at, part, {
        key: isPartName,
        rows: isCount,
        bytes: isCount,
        crc32: hexadecimal(8),
        sha256: hexadecimal(64),
      }),
    );
    if (!isObject(generation.counts)) yield `${path}counts is not an object`;
    else {
      const counts = Object.fromEntries(COUNTS.map((name) => [name, isCount]));
      yield* membersFaults(`${path}counts.`, generation.counts, counts);
    }
  });
}

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function* membersFaults(path: string, members: Members, checks: Readonly<Record<string, Check>>): Iterable<string> {
  for (const [name, check] of Object.entries(checks)) {
    const expected = check(members[name]);
    if (expected !== undefined) yield `${path}${name} is not ${expected}`;
  }
}

function* listFaults(
  path: string,
  list: unknown,
  faultsOf: (path: string, one: Members) => Iterable<string>,
): Iterable<string> {
  if (!Array.isArray(list)) return yield `${path} is not a list`;
  for (const [index, one] of list.entries()) {
    if (isObject(one)) yield* faultsOf(`${path}[${index}].`, one);
    else yield `${path}[${index}] is not an object`;
  }
}

/** Where a manifest of the right form contradicts itself. What only the raw objects or the stream can tell is not seen. */
export function manifestFaults({ generations }: Manifest): string[] {
  const faults: string[] = [];
  if (generations.length === 0) faults.push("it lists no generation");
  for (const names of [
    generations.map(({ generation }) => `generation ${generation}`),
    generations.flatMap(({ parts }) => parts.map(({ key }) => `part ${key}`)),
    generations.flatMap(({ inputs }) => inputs.map(({ key }) => `input ${key}`)),
  ]) {
    const seen = new Set<string>();
    const twice = names.find((name) => seen.size === seen.add(name).size);
    if (twice !== undefined) faults.push(`${twice} is listed twice`);
  }
  for (const generation of generations) faults.push(...generationFaults(generation));
  return faults;
}

function generationFaults({ generation, inputs, parts, counts }: Generation): string[] {
  const sum = <T>(list: readonly T[], of: (one: T) => number) => list.reduce((total, one) => total + of(one), 0);
  const books = counts as unknown as Counts;
  const rows = sum(parts, (part) => part.rows);
  const sides: (readonly [string, number, number])[] = [
    ["rows: its inputs gave and its parts hold", sum(inputs, (input) => input.rows), rows],
    ["rows: counts.written and its parts hold", books.written, rows],
    ["objects: counts.objects and its inputs are", books.objects, inputs.length],
    ["stored bytes: counts.storedBytes and its inputs have", books.storedBytes, sum(inputs, (input) => input.size)],
    ...imbalances(books).map(
      ({ what, read, accounted }) => [`${what}: read and accounted for`, read, accounted] as const,
    ),
  ];
  return sides
    .filter(([, left, right]) => left !== right)
    .map(([what, left, right]) => `generation ${generation} does not balance in ${what} ${left} and ${right}`);
}
