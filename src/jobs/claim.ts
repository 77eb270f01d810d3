// `_derive.json`: what a run is about to write into a partition. While it lies there, other runs finish just that, or keep off.

import { ConditionFailed, ConflictError } from "../errors.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Sink } from "../storage/ports.ts";
import { version } from "../version.ts";
import { isGeneration, type PlannedGeneration } from "./manifest.ts";

export const CLAIM = "_derive.json";

/** What a partition is to consist of: as much of its next `_SUCCESS` as is known before any row is made. */
export interface CommitPlan {
  readonly stream: string;
  readonly streamVersion: number;
  /** Over the inputs of all generations. */
  readonly fingerprint: string;
  readonly generations: readonly PlannedGeneration[];
}

export interface Claim extends CommitPlan {
  readonly format: 1;
  /** Random: two claims are never the same bytes, so a run knows its own after a lost answer. */
  readonly run: string;
  readonly build: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** The fingerprint of the `_SUCCESS` that the plan was made for, null where there was none. */
  readonly base: string | null;
}

/** A claim as it was found; without `claim` where another program or a newer build wrote it. */
export interface FoundClaim {
  readonly claim: Claim | undefined;
  readonly etag: string;
}

export function newClaim({ stream, streamVersion, fingerprint, generations }: CommitPlan, base: string | null): Claim {
  const plan = generations.map(({ generation, fingerprint, inputs }) => ({
    generation,
    fingerprint,
    inputs: inputs.map(({ key, size, etag }) => ({ key, size, etag })),
  }));
  const time = new Date().toISOString();
  return {
    format: 1,
    run: crypto.randomUUID(),
    build: version,
    time,
    base,
    stream,
    streamVersion,
    fingerprint,
    generations: plan,
  };
}

export async function readClaim(sink: Pick<Sink, "read">, prefix: string): Promise<FoundClaim | undefined> {
  const found = await sink.read(folderPrefix(prefix) + CLAIM);
  return found && { claim: parseClaim(found.bytes), etag: found.etag };
}

/** Removes a claim, unless another one lies there by now. */
export async function removeClaim(sink: Pick<Sink, "remove">, prefix: string, etag: string): Promise<void> {
  try {
    await sink.remove(folderPrefix(prefix) + CLAIM, { etag });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

function parseClaim(bytes: Uint8Array): Claim | undefined {
  let claim: Partial<Claim> | null;
  try {
    claim = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const known =
    claim?.format === 1 &&
    [claim.run, claim.build, claim.time, claim.stream, claim.fingerprint].every((text) => typeof text === "string") &&
    /^[\w.+-]+$/.test(claim.build!) && // told to people, so nothing that could command a terminal
    !Number.isNaN(Date.parse(claim.time!)) &&
    /^[\w:.+-]+$/.test(claim.time!) &&
    Array.isArray(claim.generations) &&
    claim.generations.every(isGeneration);
  return known ? (claim as Claim) : undefined;
}

/**
 * Whether a claim was put too late: `_SUCCESS` is neither what its plan was made for nor what it says, so its run has changed
 * nothing, and will not.
 */
export function isVoid({ base, fingerprint }: Claim, committed: string | undefined): boolean {
  return committed !== undefined && committed !== base && committed !== fingerprint;
}

/** What keeps this run off a partition that another one has claimed. */
export function claimedByAnother(url: string, claim: Claim | undefined, why: string, now: number): ConflictError {
  const when = claim && `${ageText(now - Date.parse(claim.time))} ago (${claim.time}, derive ${claim.build})`;
  return new ConflictError(
    `Cannot write ${url}: another run claimed it ${when ?? "at a time that its claim does not tell"}, and ${why}. ` +
      `Nothing was written. If that run is not at work any more, --force-unlock sets its claim (${CLAIM}) aside`,
  );
}

function ageText(milliseconds: number): string {
  const minutes = Math.max(0, milliseconds) / 60_000;
  if (!(minutes >= 1)) return "less than a minute";
  const [amount, unit] =
    minutes < 60 ? [minutes, "minute"] : minutes < 2880 ? [minutes / 60, "hour"] : [minutes / 1440, "day"];
  return `${Math.floor(amount)} ${unit}${amount >= 2 ? "s" : ""}`;
}
