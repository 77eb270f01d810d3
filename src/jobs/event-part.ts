// An event part: the rows of one raw object, which its footer names; and which of them a `_SUCCESS` has made needless.

import { ConditionFailed, FormatError, InterruptedError } from "../errors.ts";
import { readFooterAtEnd } from "../parquet/read.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Sink, Source } from "../storage/ports.ts";
import { hasChanged } from "./change.ts";
import { inParallel } from "./in-parallel.ts";
import { listPartition } from "./layout.ts";
import { inputsOf, type Manifest } from "./manifest.ts";

/** The raw object that an event part was made from. */
export interface Origin {
  readonly bucket: string;
  /** Below the bucket, as the manifest of a batch run names it too. */
  readonly key: string;
  /** Of the version that was read. */
  readonly etag: string;
}

const KEYS = { bucket: "derive.raw.bucket", key: "derive.raw.key", etag: "derive.raw.etag" } as const;

/** What the footer of an event part says besides. */
export function originKeyValues(origin: Origin): { key: string; value: string }[] {
  return (["bucket", "key", "etag"] as const).map((name) => ({ key: KEYS[name], value: origin[name] }));
}

export function originIn(entries: readonly { readonly key: string; readonly value?: string }[]): Origin | undefined {
  const [bucket, key, etag] = (["bucket", "key", "etag"] as const).map(
    (name) => entries.find((entry) => entry?.key === KEYS[name])?.value,
  );
  return bucket && key && etag ? { bucket, key, etag } : undefined;
}

/** Enough for most footers; a longer one is asked for again. */
const END_BYTES = 64 << 10;

/** The origin of the event part at `key`; undefined where it is gone, or no event part as ours are. */
export async function readOrigin(sink: Pick<Sink, "read">, key: string, size: number): Promise<Origin | undefined> {
  for (let length = END_BYTES; ; length = size) {
    const end = (await sink.read(key, length))?.bytes;
    if (end === undefined || end.length < 8 || end.length !== Math.min(length, size)) return undefined;
    const footerLength = new DataView(end.buffer, end.byteOffset).getUint32(end.length - 8, true) + 8;
    if (new TextDecoder().decode(end.subarray(-4)) !== "PAR1" || footerLength > size - 4) return undefined;
    if (footerLength > end.length) continue;
    try {
      const { key_value_metadata = [] } = await readFooterAtEnd({
        byteLength: end.length,
        slice: (start, stop) => end.slice(start, stop).buffer,
      });
      return originIn(key_value_metadata);
    } catch (error) {
      if (error instanceof FormatError) return undefined;
      throw error;
    }
  }
}

/** What it takes to find the event parts that a manifest covers. */
export interface Covering {
  readonly store: Pick<Sink, "list" | "remove">;
  readonly source: Pick<Source, "head" | "etag">;
  readonly prefix: string;
  readonly lanes: number;
  readonly signal: AbortSignal;
  originOf(key: string, size: number): Promise<Origin | undefined>;
}

/**
 * Removes the event parts of raw objects that the manifest covers, whichever version of them: its rows come from these
 * objects too. An event part that appears later is removed by its own event, which reads `_SUCCESS` after its put.
 * @param changed gets the keys of raw objects that are not any more what the manifest was made from
 * @throws {OutputError} {InputError} {InterruptedError}
 */
export async function removeCovered(work: Covering, manifest: Manifest, changed: Set<string>): Promise<void> {
  const { store, source, prefix, lanes, signal } = work;
  const inputs = new Map(inputsOf(manifest).map((input) => [input.key, input]));
  const known = new Map<string, Origin | undefined>();
  for (let listing = 1; listing <= 2; listing++) {
    const { events } = await listPartition(store, prefix);
    const removed = await inParallel([...events], lanes, async ([name, present]) => {
      const key = folderPrefix(prefix) + name;
      const version = `${name} ${present.etag}`;
      if (!known.has(version)) known.set(version, await work.originOf(key, present.size));
      const origin = known.get(version);
      const input = origin && inputs.get(origin.key);
      if (input === undefined) return false;
      if (origin!.etag !== input.etag && (await hasChanged(source, input))) changed.add(input.key);
      if (signal.aborted) throw new InterruptedError("Cannot finish: the run was interrupted. Run the command again");
      try {
        await store.remove(key, present);
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error; // written anew meanwhile
      }
      return true;
    });
    if (!removed.includes(true)) return;
  }
}
