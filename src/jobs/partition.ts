// One partition's life: look at what is there, plan, derive what is missing, commit; from the start where another run was faster.

import type { AvroRecord } from "../avro/literal.ts";
import { ConflictError } from "../errors.ts";
import type { Books, ErrorBudget, ObjectBooks } from "../pipeline/books.ts";
import type { Source } from "../storage/ports.ts";
import { type Intended, type OnChange, outdated, planAnew, planChange } from "./change.ts";
import { type CommitPlan, claimedByAnother, isVoid, readClaim, removeClaim } from "./claim.ts";
import { type Commit, type CommitStore, commit, type Seen, surplusParts } from "./commit.ts";
import { DerivedGenerations, type ToDerive } from "./derived-generations.ts";
import { type Origin, removeCovered } from "./event-part.ts";
import type { GenerationWriter } from "./generation.ts";
import { listPartition, type Present } from "./layout.ts";
import { type Generation, type InputFacts, inputsOf, type Manifest, partsOf, readManifest } from "./manifest.ts";
import type { PartFormat } from "./part.ts";
import type { RawObject } from "./plan.ts";
import type { PartFacts, PartitionState } from "./result.ts";

/** All that a partition's life needs. The simulation in test/jobs gives a store and a `derive` of its own. */
export interface PartitionWork {
  readonly store: CommitStore;
  readonly source: Pick<Source, "head" | "etag">;
  /** The partition's folder below the store. */
  readonly prefix: string;
  /** The same, for people. */
  readonly url: string;
  /** The folder of the stream, which holds all its partitions. */
  readonly root: string;
  readonly stream: string;
  readonly streamVersion: number;
  /** Its Avro schema, for `_SUCCESS`; absent in a simulation. */
  readonly schema?: AvroRecord;
  /** As listed, in the order of keys. */
  readonly objects: readonly RawObject[];
  /** Whether these are all that a listing gave; else they were named one by one. */
  readonly listsAll: boolean;
  readonly onChange: OnChange;
  /** Set another run's claim aside, once. */
  readonly forceUnlock: boolean;
  readonly maxErrors: ErrorBudget;
  readonly format: PartFormat & { readonly maxPartBytes: number };
  readonly signal: AbortSignal;
  /** Small requests that may be under way at once. */
  readonly lanes: number;
  /** Which raw object an event part was made from; undefined where it does not say so as ours do. */
  originOf(key: string, size: number): Promise<Origin | undefined>;
  /** Over everything that bytes depend on, besides the inputs the same for all of this run. */
  fingerprint(inputs: readonly InputFacts[]): string;
  /** Makes rows of these objects, and gives the books of each, in their order. */
  derive(objects: readonly RawObject[], writer: Pick<GenerationWriter, "add" | "abort">): Promise<ObjectBooks[]>;
}

export interface PartitionEnd {
  readonly state: PartitionState;
  readonly parts: readonly PartFacts[];
  /**
   * Keys of raw objects that the partition does not hold as they are: listed and not in the claim which was finished, or
   * changed since, as their event parts told.
   */
  readonly late: readonly string[];
  /** Whether the store refuses writes whose condition does not hold; undefined where nothing was written. */
  readonly conditionalWrites?: boolean;
}

/** How often a run looks again because others were faster, before it gives up. */
const LOOKS = 10;

/**
 * Brings a partition to the state that its raw objects ask for.
 * @param books get the books of what was derived, also where this throws
 * @throws {ConflictError} where `onChange` or a claim forbids it; what the commit, the source or a worker throws.
 */
export async function runPartition(work: PartitionWork, books: Books): Promise<PartitionEnd> {
  const derived = new DerivedGenerations(work, books);
  const interrupt = (): void => void derived.abort().catch(() => {});
  work.signal.addEventListener("abort", interrupt);
  try {
    let target: Target | undefined;
    for (let looks = 0; looks < LOOKS; looks++) {
      const seen = await look(work);
      if (hasVoidClaim(seen)) {
        await removeClaim(work.store, work.prefix, seen.claim!.etag);
        continue;
      }
      target =
        target && isOrphaned(seen, target)
          ? { ...target, seen, claim: "new" }
          : await plan(work, seen, derived.inputs, target?.forced);
      const end = await carryOut(work, target, derived);
      if (end !== undefined) return end;
    }
  } finally {
    work.signal.removeEventListener("abort", interrupt);
    await derived.abort();
  }
  throw new ConflictError(
    `Cannot write ${work.url}: other runs keep changing it. Run the command again when they are done`,
  );
}

/**
 * The parts of a partition that a run would leave alone; undefined where it would write.
 * @throws {ConflictError} as a run would.
 */
export async function committedParts(work: PartitionWork): Promise<PartFacts[] | undefined> {
  const found = await look(work);
  const seen = hasVoidClaim(found) ? { manifest: found.manifest, claim: undefined } : found;
  const { claim, plan: target } = await plan(work, seen, undefined, undefined);
  const there = seen.manifest?.manifest;
  return claim === "new" && there && there.fingerprint === target?.fingerprint ? partsOf(there) : undefined;
}

/**
 * Whether what this run was finishing for another one has lost its claim, and its `_SUCCESS` is removed: the other gave up
 * before it knew that anything had changed. What has begun is finished all the same.
 */
function isOrphaned(seen: Seen, target: Target): boolean {
  return target.claim === "adopted" && target.seen.manifest !== undefined && !seen.claim && !seen.manifest;
}

/** What is to be there, over what was seen there. */
interface Target {
  readonly seen: Seen;
  readonly claim: Commit["claim"];
  /** Undefined: a first write, whose objects are identified while they are read. */
  readonly plan: CommitPlan | undefined;
  readonly late: readonly string[];
  /** As the parameter of `plan`, for the next look. */
  readonly forced: string | undefined;
}

async function look({ store, prefix }: PartitionWork): Promise<Seen> {
  // In this order: a claim is gone only when its `_SUCCESS` is there.
  const claim = await readClaim(store, prefix);
  return { claim, manifest: await readManifest(store, prefix) };
}

/** A run that was killed right after its claim left it, and would not have gone on: another one had been faster. */
function hasVoidClaim({ claim, manifest }: Seen): boolean {
  return claim?.claim !== undefined && isVoid(claim.claim, manifest?.manifest.fingerprint);
}

/**
 * @param known the listed objects, where a look before has identified them
 * @param forced the ETag of the claim that this run has set aside: it does not set aside a second one
 */
async function plan(
  work: PartitionWork,
  seen: Seen,
  known: readonly InputFacts[] | undefined,
  forced: string | undefined,
): Promise<Target> {
  const { claim, manifest } = seen;
  if (claim !== undefined) {
    const refusal = claim.claim ? await refuseAdoption(work, claim.claim) : "this build cannot read what for";
    if (refusal === undefined) {
      const claimed = new Set(inputsOf(claim.claim!).map(({ key }) => key));
      const late = work.objects.filter(({ key }) => !claimed.has(key)).map(({ key }) => key);
      return { seen, claim: "adopted", plan: claim.claim, late, forced };
    }
    if (!work.forceUnlock || (forced !== undefined && forced !== claim.etag)) {
      throw claimedByAnother(work.url, claim.claim, refusal, Date.now());
    }
    forced = claim.etag;
  }
  const inputs = known ?? (manifest && (await identify(work)));
  const intended: Intended | undefined = inputs && { ...work, inputs, fingerprint: work.fingerprint };
  return {
    seen,
    claim: claim === undefined ? "new" : "set aside",
    plan:
      intended && (manifest ? planChange(manifest.manifest, intended, work.onChange, work.url) : planAnew(intended)),
    late: [],
    forced,
  };
}

async function identify({ objects, source }: PartitionWork): Promise<InputFacts[]> {
  const inputs: InputFacts[] = [];
  for (const object of objects) inputs.push({ key: object.key, size: object.size, etag: await source.etag(object) });
  return inputs;
}

/** Why this run cannot finish what a claim says; undefined if it can: the same stream and options, objects that are unchanged. */
async function refuseAdoption(work: PartitionWork, claim: CommitPlan): Promise<string | undefined> {
  const inputs = inputsOf(claim);
  if (work.fingerprint(inputs) !== claim.fingerprint) return "its stream or options are others";
  const listed = new Map(work.objects.map((object) => [object.key, object]));
  for (const input of inputs) {
    const object = listed.get(input.key) ?? (await work.source.head(input.key));
    if (object === undefined) return `raw object ${input.key}, which it names, is gone`;
    if (object.size !== input.size || (await work.source.etag(object)) !== input.etag) {
      return `raw object ${input.key}, which it names, has changed since`;
    }
  }
  return undefined;
}

/** Undefined where another run was faster. */
async function carryOut(
  work: PartitionWork,
  { seen, claim, plan, late }: Target,
  derived: DerivedGenerations,
): Promise<PartitionEnd | undefined> {
  const { store, prefix } = work;
  const old = seen.manifest?.manifest;
  const there = old && (await listPartition(store, prefix));
  const present: ReadonlyMap<string, Present> = there?.parts ?? new Map();
  const kept = (planned: ToDerive): Generation | undefined =>
    old?.generations.find(
      ({ generation, fingerprint, parts }) =>
        generation === planned.generation &&
        fingerprint === planned.fingerprint &&
        // Parts that were removed by hand are made again: their bytes will be the same.
        parts.every(({ key, bytes }) => present.get(key)?.size === bytes),
    );

  const planned: readonly ToDerive[] = plan?.generations ?? [{ generation: 0, inputs: work.objects }];
  await derived.keepOnly(planned);
  const generations: Generation[] = [];
  const writers: GenerationWriter[] = [];
  for (const one of planned) {
    const same = kept(one);
    const made = same ? undefined : await derived.make(one);
    if (made) writers.push(made.writer);
    generations.push(same ?? made!.facts);
  }
  const { stream, streamVersion, schema } = work;
  const fingerprint = plan?.fingerprint ?? work.fingerprint(inputsOf({ generations }));
  const manifest: Manifest = { format: 1, stream, streamVersion, fingerprint, schema, generations };
  const parts = partsOf(manifest);
  const isThere =
    writers.length === 0 && old?.fingerprint === fingerprint && surplusParts(manifest, present).length === 0;
  const changed = new Set(old && (await outdated(old, manifest, work)));
  if (isThere && claim === "new") {
    // Those of events that were killed before they looked for this `_SUCCESS`, and were not retried.
    if (there && there.events.size > 0) await removeCovered(work, manifest, changed);
    return { state: changed.size > 0 ? "late" : "unchanged", parts, late: [...changed] };
  }
  const { root, signal } = work;
  const afterManifest = () => removeCovered(work, manifest, changed);
  const end = await commit({ store, prefix, root, manifest, writers, seen, claim, signal, afterManifest });
  if (end === "overtaken") return undefined;
  const conditionalWrites = await store.honoursConditions(work.root);
  const all = [...late, ...changed];
  return { state: stateOf(old, manifest, writers.length > 0, all), parts, late: all, conditionalWrites };
}

function stateOf(
  old: Manifest | undefined,
  manifest: Manifest,
  written: boolean,
  late: readonly string[],
): PartitionState {
  if (late.length > 0) return "late";
  if (!written && old?.fingerprint === manifest.fingerprint) return "unchanged";
  if (old === undefined) return "written";
  return old.generations.length < manifest.generations.length ? "appended" : "replaced";
}
