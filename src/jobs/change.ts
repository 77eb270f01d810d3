// What a run does about a partition that is committed already (P2), by --on-change.

import { ConflictError } from "../errors.ts";
import type { Source } from "../storage/ports.ts";
import type { CommitPlan } from "./claim.ts";
import { inParallel } from "./in-parallel.ts";
import { type InputFacts, inputsOf, type Manifest } from "./manifest.ts";

export type OnChange = "fail" | "append" | "replace";

/** What a run would make, were there no partition yet. */
export interface Intended {
  readonly stream: string;
  readonly streamVersion: number;
  readonly inputs: readonly InputFacts[];
  /** Of any inputs, under this run's stream and options. */
  fingerprint(inputs: readonly InputFacts[]): string;
}

/** The plan of a partition that begins anew: all objects in generation 0. */
export function planAnew({ stream, streamVersion, inputs, fingerprint }: Intended): CommitPlan {
  const whole = fingerprint(inputs);
  const generations = [{ generation: 0, fingerprint: whole, inputs }];
  return { stream, streamVersion, fingerprint: whole, generations };
}

/**
 * The plan over a committed partition; the one it was committed by, if that fits.
 * @param url the partition, for the error text
 * @throws {ConflictError} when it was made from something else and `onChange` does not allow that; the text says what differs.
 */
export function planChange(manifest: Manifest, intended: Intended, onChange: OnChange, url: string): CommitPlan {
  if (manifest.fingerprint === intended.fingerprint(intended.inputs)) return manifest;
  if (onChange === "replace") return planAnew(intended);
  if (onChange === "append") return planAppend(manifest, intended, url);
  throw new ConflictError(
    `Cannot write ${url}: it was committed from something else: ${tell(manifest, intended)}. Nothing was written. ` +
      `${onlyAdded(manifest, intended) ? "To add a generation of parts: --on-change append; to" : "To"} make it anew: --on-change replace; ` +
      "to keep both: another --output",
  );
}

function planAppend(manifest: Manifest, intended: Intended, url: string): CommitPlan {
  if (!onlyAdded(manifest, intended)) {
    throw new ConflictError(
      `Cannot add to ${url}: it was committed from something else: ${tell(manifest, intended)}. Nothing was written. ` +
        "To make it anew: --on-change replace; to keep both: another --output",
    );
  }
  const known = byKey(inputsOf(manifest));
  const inputs = intended.inputs.filter(({ key }) => !known.has(key));
  const generation = 1 + Math.max(...manifest.generations.map((one) => one.generation));
  return {
    stream: intended.stream,
    streamVersion: intended.streamVersion,
    fingerprint: intended.fingerprint(intended.inputs),
    generations: [...manifest.generations, { generation, fingerprint: intended.fingerprint(inputs), inputs }],
  };
}

/** Whether the same stream and options made it, from some of these objects as they are now. */
function onlyAdded(manifest: Manifest, intended: Intended): boolean {
  const { added, removed, changed } = compare(manifest, intended);
  const sameStream = intended.fingerprint(inputsOf(manifest)) === manifest.fingerprint;
  return sameStream && added.length > 0 && removed.length === 0 && changed.length === 0;
}

/** Whether a raw object is there, and is not what it was. */
export async function hasChanged(source: Pick<Source, "head" | "etag">, input: InputFacts): Promise<boolean> {
  const now = await source.head(input.key);
  return now !== undefined && (now.size !== input.size || (await source.etag(now)) !== input.etag);
}

/**
 * Keys of raw objects that the manifest which is replaced holds, and the next one does not hold as they are: those came or
 * changed after the listing that the next one was made from, so another run was faster and knew more.
 */
export async function outdated(
  old: Manifest,
  next: Manifest,
  {
    source,
    listsAll,
    lanes,
    fingerprint,
  }: Pick<Intended, "fingerprint"> & {
    readonly source: Pick<Source, "head" | "etag">;
    readonly listsAll: boolean;
    readonly lanes: number;
  },
): Promise<string[]> {
  if (old.fingerprint === next.fingerprint) return [];
  // Other options may ask for other objects.
  const asksForAll = listsAll && fingerprint(inputsOf(old)) === old.fingerprint;
  const held = byKey(inputsOf(next));
  const differing = inputsOf(old).filter(({ key, size, etag }) => {
    const mine = held.get(key);
    return mine ? mine.size !== size || mine.etag !== etag : asksForAll;
  });
  const isOutdated = await inParallel(differing, lanes, async ({ key }) => {
    const mine = held.get(key);
    return mine ? hasChanged(source, mine) : (await source.head(key)) !== undefined;
  });
  return differing.flatMap(({ key }, index) => (isOutdated[index] ? [key] : []));
}

function compare(manifest: Manifest, intended: Intended) {
  const then = byKey(inputsOf(manifest));
  const now = byKey(intended.inputs);
  const differs = ({ key, size, etag }: InputFacts): boolean => {
    const old = then.get(key);
    return old !== undefined && (old.size !== size || old.etag !== etag);
  };
  return {
    added: [...now.keys()].filter((key) => !then.has(key)),
    removed: [...then.keys()].filter((key) => !now.has(key)),
    changed: [...now.values()].filter(differs).map(({ key }) => key),
  };
}

function tell(manifest: Manifest, intended: Intended): string {
  return differences(manifest, intended).join("; ");
}

/** What changed between a commit and a run, for people. At least one entry. */
export function differences(manifest: Manifest, intended: Intended): string[] {
  const found: string[] = [];
  const { added, removed, changed } = compare(manifest, intended);
  if (manifest.stream !== intended.stream) {
    found.push(`stream ${manifest.stream} then, ${intended.stream} now`);
  } else if (manifest.streamVersion !== intended.streamVersion) {
    found.push(`version ${manifest.streamVersion} of the stream then, ${intended.streamVersion} now`);
  } else if (intended.fingerprint(inputsOf(manifest)) !== manifest.fingerprint) {
    found.push("the stream's file, its schema or an option is another");
  }
  for (const [keys, what] of [
    [added, "added"],
    [removed, "removed"],
    [changed, "changed"],
  ] as const) {
    if (keys.length === 0) continue;
    found.push(`${keys.length} raw ${keys.length === 1 ? "object" : "objects"} ${what} (${some(keys)})`);
  }
  return found;
}

function byKey(inputs: readonly InputFacts[]): Map<string, InputFacts> {
  return new Map(inputs.map((input) => [input.key, input]));
}

function some(keys: readonly string[]): string {
  return keys.length > 2 ? `${keys.slice(0, 2).join(", ")}, …` : keys.join(", ");
}
