// How a partition appears (P1, P3): under a claim, part by part, each under a condition; `_SUCCESS` is written last. What keeps
// two runs apart, and a run that is killed from leaving a lie, is in the order of these steps; docs/guarantees.md tells why.

import { ConditionFailed, ConflictError, InterruptedError, OutputError } from "../errors.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Expected, Sink } from "../storage/ports.ts";
import { CLAIM, type FoundClaim, newClaim, readClaim, removeClaim } from "./claim.ts";
import type { GenerationWriter } from "./generation.ts";
import { type Present, presentParts } from "./layout.ts";
import {
  encodeManifest,
  type FoundManifest,
  type Generation,
  MANIFEST,
  type Manifest,
  partsOf,
  readManifest,
} from "./manifest.ts";

/** What a commit needs of a sink. */
export type CommitStore = Omit<Sink, "url" | "head">;

/** The state of a partition that a run's plan is made for. */
export interface Seen {
  readonly manifest: FoundManifest | undefined;
  readonly claim: FoundClaim | undefined;
}

export interface Commit {
  readonly store: CommitStore;
  /** The partition's folder below the store, and the folder of its stream. */
  readonly prefix: string;
  readonly root: string;
  /** What `_SUCCESS` is to say. */
  readonly manifest: Manifest;
  /** The generations that are not there yet, finished; the manifest names their parts. */
  readonly writers: readonly GenerationWriter[];
  readonly seen: Seen;
  /** `new`: there was none. `adopted`: it is for this very manifest. `set aside`: it is another's, and ours takes its place. */
  readonly claim: "new" | "adopted" | "set aside";
  /** Once aborted nothing more is begun. */
  readonly signal: AbortSignal;
  /** What is to be done while `_SUCCESS` lies there and the claim still does: a run that is killed meanwhile leaves it to the next. */
  afterManifest(): Promise<void>;
}

/** `overtaken`: another run was faster. What is there has to be looked at again. */
export type CommitEnd = "committed" | "overtaken";

/** How often, and once more for each part, a commit goes on where something under its claim is not what it was a moment ago. */
const PASSES = 5;

/**
 * Commits. A partition that gets other parts has no `_SUCCESS` meanwhile; one that only gets more parts keeps it until it
 * is replaced. A failure before anything was changed leaves nothing; a later one leaves the claim, so that the next run of
 * the same stream and options finishes what it says.
 * @throws {OutputError} {ConflictError} {InterruptedError}
 */
export async function commit(work: Commit): Promise<CommitEnd> {
  refuseInterrupted(work);
  const held = await claim(work);
  if (held === undefined) return "overtaken";
  const progress: Progress = { changed: false };
  try {
    for (let pass = 1; ; pass++) {
      try {
        const end = await write(work, held, pass, progress);
        if (end === "overtaken" && !progress.changed) await release(work, held);
        return end;
      } catch (error) {
        refuseInterrupted(work);
        if (error instanceof OutputError && (await isDone(work))) return await finish(work, held);
        if (!(error instanceof ConditionFailed)) throw error;
        if (!(await holds(work, held))) return "overtaken";
        if (pass === PASSES + partsOf(work.manifest).length)
          throw new ConflictError(`${error.message}. Another run keeps writing there; wait for its end`);
      }
    }
  } catch (error) {
    if (!progress.changed) await release(work, held).catch(() => {}); // what went wrong before is the one to tell
    throw error;
  }
}

interface Progress {
  /** Whether anything that readers see may be another than before. */
  changed: boolean;
}

/** A claim that lies there. */
interface Held {
  readonly etag: string;
  /** Whether this run put it there, and so may take it back. */
  readonly own: boolean;
}

function keyOf({ prefix }: Commit, name: string): string {
  return folderPrefix(prefix) + name;
}

function refuseInterrupted({ signal }: Commit): void {
  if (signal.aborted) throw new InterruptedError("Cannot finish: the run was interrupted. Run the command again");
}

/** Puts the claim; undefined where another run was faster. */
async function claim(work: Commit): Promise<Held | undefined> {
  const { store, prefix, seen } = work;
  await store.honoursConditions(work.root); // it tells the store how to write from here on
  if (work.claim === "adopted") return { etag: seen.claim!.etag, own: false };
  const ours = newClaim(work.manifest, seen.manifest?.manifest.fingerprint ?? null);
  const bytes = new TextEncoder().encode(`${JSON.stringify(ours, null, 1)}\n`);
  try {
    return { etag: await store.put(keyOf(work, CLAIM), bytes, seen.claim ?? "nothing"), own: true };
  } catch (error) {
    if (error instanceof ConditionFailed) return undefined;
    // It may lie there all the same, and would keep other runs off.
    const found = await readClaim(store, prefix).catch(() => undefined);
    if (found?.claim?.run === ours.run) await release(work, { etag: found.etag, own: true }).catch(() => {});
    throw error;
  }
}

async function holds({ store, prefix }: Commit, held: Held): Promise<boolean> {
  return (await readClaim(store, prefix))?.etag === held.etag;
}

/** Takes back a claim that changed nothing. One that was adopted stays: its run may be at work. */
async function release(work: Commit, held: Held): Promise<void> {
  if (held.own) await removeClaim(work.store, work.prefix, held.etag);
}

async function write(work: Commit, held: Held, pass: number, progress: Progress): Promise<CommitEnd> {
  const { store, prefix, manifest, seen, writers } = work;
  const there = await readManifest(store, prefix);
  // The plan was made for what was seen before the claim. Under the claim only those change it who have adopted it: they may
  // have removed it already, and whatever later passes find is theirs.
  const keepsSome = writers.length < manifest.generations.length;
  if (pass === 1 && there?.etag !== seen.manifest?.etag && (there || keepsSome)) return "overtaken";
  let before = await presentParts(store, prefix);
  // Held after the listing: then no part in it is another run's that has set this claim aside meanwhile, or, where the store
  // knows no conditions, has put its own over it.
  if (!(await holds(work, held))) return "overtaken";
  let expected: Expected = there ?? "nothing";
  if (there && !keeps(there.manifest, manifest)) {
    refuseInterrupted(work);
    progress.changed = true;
    await store.remove(keyOf(work, MANIFEST), there);
    expected = "nothing";
  }
  for (const part of writers.flatMap(({ parts }) => parts)) {
    if (part.committed) continue;
    refuseInterrupted(work);
    progress.changed = true;
    await part.commit(before.get(part.key) ?? "nothing");
  }
  if (progress.changed) before = await presentParts(store, prefix);
  refuseMissing(work, before);
  const surplus = surplusParts(manifest, before);
  // Removing has no way back, and a claim that was lost since means that another run may want these parts.
  if (surplus.length > 0 && !(await holds(work, held))) return "overtaken";
  for (const [name, present] of surplus) {
    refuseInterrupted(work);
    progress.changed = true;
    await store.remove(keyOf(work, name), present);
  }
  if (!(await holds(work, held))) return "overtaken";
  const bytes = encodeManifest(manifest);
  if (!there || expected === "nothing" || !Buffer.from(there.bytes).equals(bytes)) {
    progress.changed = true;
    await store.put(keyOf(work, MANIFEST), bytes, expected);
  }
  return finish(work, held);
}

/**
 * Whether all that one manifest lists stays, and is whole: a generation that only gets further parts is not, for who lists
 * the folder while they appear.
 */
function keeps(old: Manifest, next: Manifest): boolean {
  const text = ({ parts }: Generation) => JSON.stringify(parts.map(({ key, sha256 }) => [key, sha256]));
  const kept = new Map(next.generations.map((one) => [one.generation, text(one)]));
  return old.generations.every((one) => kept.get(one.generation) === text(one));
}

export function surplusParts(manifest: Manifest, present: ReadonlyMap<string, Present>): [string, Present][] {
  const listed = new Set(partsOf(manifest).map(({ key }) => key));
  return [...present].filter(([name]) => !listed.has(name));
}

function refuseMissing(work: Commit, present: ReadonlyMap<string, Present>): void {
  const missing = partsOf(work.manifest).find(({ key, bytes }) => present.get(key)?.size !== bytes);
  if (missing === undefined) return;
  throw new ConflictError(
    `Cannot commit ${work.store.urlOf(keyOf(work, missing.key))}: it is not there as it was written. ` +
      "Someone else writes to this folder; run the command again",
  );
}

/** Whether what the manifest says lies there already: another run of the same claim was faster, or our own answer was lost. */
async function isDone({ store, prefix, manifest }: Commit): Promise<boolean> {
  try {
    const there = await readManifest(store, prefix);
    if (!there || !Buffer.from(there.bytes).equals(encodeManifest(manifest))) return false;
    const present = await presentParts(store, prefix);
    return (
      partsOf(manifest).every(({ key, bytes }) => present.get(key)?.size === bytes) &&
      surplusParts(manifest, present).length === 0
    );
  } catch {
    return false; // the failure that brought us here is the one to tell
  }
}

/** After `_SUCCESS`. The claim goes last, so that a run killed here leaves nothing that no other looks after. */
async function finish(work: Commit, held: Held): Promise<CommitEnd> {
  await work.afterManifest();
  if (work.claim !== "new") {
    await work.store.abortPending(work.prefix).catch((error) => {
      if (!(error instanceof OutputError)) throw error; // uploads left by another run are no reason to fail
    });
  }
  await removeClaim(work.store, work.prefix, held.etag);
  return "committed";
}
