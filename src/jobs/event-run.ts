// One event's life: the part of a raw object is brought to the object's newest version, unless a batch run covers the object (P5).
// The order of its steps, and what they promise together with a batch run, is in docs/guarantees.md.

import { ConditionFailed, ConflictError, InputError, InterruptedError } from "../errors.ts";
import { type Books, type ErrorBudget, emptyBooks, type ObjectBooks } from "../pipeline/books.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Listed, Sink, Source } from "../storage/ports.ts";
import { weighBooks } from "./derived-generations.ts";
import type { Origin } from "./event-part.ts";
import { type InputFacts, inputsOf, MANIFEST, readManifest } from "./manifest.ts";
import { type PartFormat, PartWriter } from "./part.ts";
import type { PartFacts } from "./result.ts";

/** All that an event's life needs. The simulation in test/jobs gives a store and a `derive` of its own. */
export interface EventWork {
  readonly store: Pick<Sink, "read" | "head" | "create" | "remove" | "urlOf">;
  readonly source: Pick<Source, "head" | "etag">;
  /** The raw object: below its bucket, which is the source; and its URL. */
  readonly bucket: string;
  readonly key: string;
  readonly rawUrl: string;
  /** The partition's folder below the store, and the part's name in it. */
  readonly prefix: string;
  readonly name: string;
  readonly maxErrors: ErrorBudget;
  readonly signal: AbortSignal;
  /** How to have a batch run make the partition anew, for an error text. */
  readonly batch: string;
  format(origin: Origin): PartFormat;
  /** Makes rows of this version of the raw object. */
  derive(object: Required<Listed>, part: Pick<PartWriter, "add">): Promise<ObjectBooks>;
}

/**
 * `covered`: a committed partition holds this version of the object, so there is no event part. `gone`: there is no such
 * object any more; what was made from it stays.
 */
export interface EventEnd {
  readonly state: "written" | "unchanged" | "covered" | "gone";
  /** The event part that lies there now. */
  readonly part?: PartFacts;
}

/** How often an event looks again because something changed under it, before it gives up: whoever sent it sends it again. */
const LOOKS = 10;

/** An event part whose bytes are ready. */
interface Made {
  readonly etag: string;
  readonly part: PartWriter;
  readonly facts: PartFacts;
}

/**
 * Each turn looks at the part, the object and `_SUCCESS`, in this order, and then does one thing or finds all as it should be.
 * @param books get the books of the version that was derived last, also where this throws
 * @throws {ConflictError} {BudgetError} {InputError} {OutputError} {InterruptedError}
 */
export async function runEvent(work: EventWork, books: Books): Promise<EventEnd> {
  const { store, signal } = work;
  const key = folderPrefix(work.prefix) + work.name;
  let made: Made | undefined;
  const interrupt = (): void => void made?.part.abort().catch(() => {});
  signal.addEventListener("abort", interrupt);
  try {
    for (let looks = 0; looks < LOOKS; looks++) {
      // The part first: if it is still this one when ours is put under that condition, no newer version was put meanwhile.
      refuseInterrupted(work);
      const there = await store.head(key);
      const object = await newest(work);
      if (object === undefined) return made?.part.committed ? endOf(made) : { state: "gone" };
      const covering = await coveringInput(work);
      refuseInterrupted(work);
      if (covering !== undefined) {
        // After removing it looks again: `_SUCCESS` may have been replaced by one without this object.
        if (there !== undefined) await remove(store, key, there);
        else if (covering.etag === object.etag) return { state: "covered" };
        else throw coveredOtherwise(work, covering, object);
        continue;
      }
      if (made?.etag !== object.etag) {
        await made?.part.abort();
        made = undefined;
        made = await make(work, key, object, books);
        if (made === undefined) continue;
      }
      if (await isThere(store, key, there, made)) return endOf(made);
      refuseInterrupted(work);
      if (!made.part.committed) await put(made.part, there);
      else made = undefined; // removed or replaced since ours was put: bytes appear once, so they are made again
    }
  } catch (error) {
    refuseInterrupted(work); // it has ended what was under way
    throw error;
  } finally {
    signal.removeEventListener("abort", interrupt);
    await made?.part.abort();
  }
  throw new InputError(
    `Cannot derive ${work.rawUrl}: it, or ${store.urlOf(key)}, keeps changing. Send the event again`,
  );
}

function endOf({ part, facts }: Made): EventEnd {
  return { state: part.committed ? "written" : "unchanged", part: facts };
}

function refuseInterrupted({ signal, rawUrl }: EventWork): void {
  if (signal.aborted)
    throw new InterruptedError(`Cannot finish ${rawUrl}: the run was interrupted. Send the event again`);
}

/** The raw object as it is now, undefined where there is none. */
async function newest({ source, key }: EventWork): Promise<Required<Listed> | undefined> {
  const found = await source.head(key);
  if (found === undefined) return undefined;
  try {
    return { ...found, etag: await source.etag(found) };
  } catch (error) {
    if (error instanceof InputError && (await source.head(key)) === undefined) return undefined;
    throw error;
  }
}

/** What a committed partition says of the object. */
async function coveringInput({ store, prefix, key }: EventWork): Promise<InputFacts | undefined> {
  const found = await readManifest(store, prefix);
  return found && inputsOf(found.manifest).find((input) => input.key === key);
}

function coveredOtherwise(
  { store, prefix, rawUrl, batch }: EventWork,
  covering: InputFacts,
  now: Listed,
): ConflictError {
  return new ConflictError(
    `Cannot add ${rawUrl}: it is covered, run batch again: ${store.urlOf(folderPrefix(prefix) + MANIFEST)} was made from ` +
      `another version of it (ETag ${covering.etag} then, ${now.etag} now). ${batch}`,
  );
}

async function make(work: EventWork, key: string, object: Required<Listed>, books: Books): Promise<Made | undefined> {
  const { store, name, maxErrors, bucket } = work;
  const { etag } = object;
  const part = await PartWriter.create(store, key, work.format({ bucket, key: work.key, etag }), name);
  try {
    refuseInterrupted(work);
    const read = await work.derive(object, part);
    if (read.etag === etag) {
      Object.assign(books, emptyBooks());
      weighBooks(books, [read], { url: `${store.urlOf(key)} from ${work.rawUrl}`, maxErrors });
      const facts = await part.finish();
      return { etag, part, facts };
    }
  } catch (error) {
    await part.abort();
    // Replaced or removed while it was read, or between two questions about it: that is no fault of anyone.
    if (!(error instanceof InputError)) throw error;
    const now = await newest(work);
    if (now?.etag === etag && now.size === object.size) throw error;
  }
  await part.abort();
  return undefined;
}

async function isThere(
  store: EventWork["store"],
  key: string,
  there: Listed | undefined,
  { part, facts }: Made,
): Promise<boolean> {
  if (there?.size !== facts.bytes) return false;
  if (there.etag === part.etag) return true;
  const found = await store.read(key);
  if (found === undefined || found.etag !== there.etag) return false;
  return new Bun.CryptoHasher("sha256").update(found.bytes).digest("hex") === facts.sha256;
}

/** Where another event was faster the next look tells what is there now. */
async function put(part: PartWriter, there: Listed | undefined): Promise<void> {
  try {
    await part.commit(there === undefined ? "nothing" : { etag: there.etag! });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

async function remove(store: EventWork["store"], key: string, there: Listed): Promise<void> {
  try {
    await store.remove(key, { etag: there.etag! });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
