// `derive verify`: every committed partition below a place, against its manifest. Only looks; knows nothing of how it was made.

import { InputError } from "../errors.ts";
import { addBooks, COUNTS, type Counts, emptyBooks } from "../pipeline/books.ts";
import type { Source } from "../storage/ports.ts";
import type { Origin } from "./event-part.ts";
import { eventName } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { type FolderFound, foldersOf } from "./verify-folders.ts";
import { manifestFaults, readVerifiedManifest } from "./verify-manifest.ts";
import { examinePart, type PartFound, type PartLayout } from "./verify-part.ts";
import { type RawVerified, verifyRaw } from "./verify-raw.ts";

/** `incomplete`: it has parts or a claim and no `_SUCCESS`. */
export type VerifiedState = "ok" | "differs" | "incomplete";

/** One thing that is not as it should be: what it is about, what was expected, what was found. */
export interface Problem {
  readonly url: string;
  readonly cause: string;
}

/** One folder with derived Parquet, or one file that was named itself. Bytes and rows are those found in its parts. */
export interface VerifiedPartition {
  readonly url: string;
  readonly state: VerifiedState;
  readonly parts: number;
  readonly rows: number;
  readonly bytes: number;
  readonly problems: readonly Problem[];
  /** URLs of event parts, which no manifest covers. They were read and checked too. */
  readonly events: readonly string[];
  /** URLs of the first objects that are none of ours, and how many there are. */
  readonly strangers: readonly string[];
  readonly strangerCount: number;
  /** Whether a claim lies there: a run is under way, or one was killed. */
  readonly claimed: boolean;
  /** What its raw objects hold, where they were read. */
  readonly raw?: Omit<RawVerified, "problems">;
  /** The stream that made it, and its books, as `_SUCCESS` has them; absent without one. */
  readonly committed?: Committed;
  /** Where the bytes of its parts are, event parts included. */
  readonly layout: PartLayout;
}

/** What `_SUCCESS` says of how a partition came to be, over all its generations. */
export interface Committed {
  readonly stream: string;
  readonly streamVersion: number;
  readonly generations: number;
  readonly counts: Counts;
  readonly filteredBy: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
}

/** Where the raw objects of a manifest are; its keys are below that place. */
export type RawPlaceOf = (manifest: Manifest) => Promise<Source>;

/** Partitions looked at side by side: on S3 most of the time is spent waiting. */
const AT_A_TIME = 4;

/**
 * Verifies all partitions at and below `place`, in the order in which their folders end in the listing. Memory does not
 * depend on their number or size, but for the listing of one folder.
 * @param rawPlaceOf where it is given, raw objects are read too, and every byte of them is accounted for
 * @throws {InputError} when a listing fails, or nothing of ours lies there. What goes wrong with one object is a problem.
 */
export async function* verifyPlace(
  place: Source,
  signal: AbortSignal,
  rawPlaceOf?: RawPlaceOf,
): AsyncGenerator<VerifiedPartition> {
  const underWay: Promise<VerifiedPartition>[] = [];
  let found = false;
  for await (const folder of foldersOf(place)) {
    signal.throwIfAborted();
    found = true;
    const one = verifyFolder(place, folder, signal, rawPlaceOf);
    one.catch(() => {}); // seen when its turn comes
    underWay.push(one);
    if (underWay.length >= AT_A_TIME) yield await underWay.shift()!;
  }
  while (underWay.length > 0) yield await underWay.shift()!;
  if (found) return;
  throw new InputError(
    `Cannot verify ${place.url}: no _SUCCESS and no part lies there or below. ` +
      "Name the --output of a batch, one of its folders, or a .parquet file",
  );
}

/** Verifies one Parquet file by itself: without a manifest, only what the file says of itself can be checked. */
export async function verifyFile(place: Source, key: string, signal: AbortSignal): Promise<VerifiedPartition> {
  const found = await examinePart(place, key, undefined, signal);
  return summary(place.urlOf(key), [found], { problems: problemsOf(place.urlOf(key), found) });
}

async function verifyFolder(
  place: Source,
  folder: FolderFound,
  signal: AbortSignal,
  rawPlaceOf: RawPlaceOf | undefined,
): Promise<VerifiedPartition> {
  const urlOf = (name: string) => place.urlOf(folder.key + name);
  const found: PartFound[] = [];
  const problems: Problem[] = [];
  const examine = async (name: string, expected: Parameters<typeof examinePart>[2]): Promise<PartFound> => {
    const one = await examinePart(place, folder.key + name, expected, signal);
    problems.push(...problemsOf(urlOf(name), one));
    return one;
  };

  const listed = new Set<string>();
  let committed: Committed | undefined;
  let covered: ReadonlySet<string> = new Set();
  let raw: RawVerified | undefined;
  if (folder.manifest !== undefined) {
    const { manifest, faults } = await readVerifiedManifest(place, folder.key + folder.manifest);
    for (const cause of [...faults, ...(manifest ? manifestFaults(manifest) : [])]) {
      problems.push({ url: urlOf(folder.manifest), cause });
    }
    const { stream, streamVersion, generations = [] } = manifest ?? {};
    committed = manifest && committedOf(manifest);
    for (const part of generations.flatMap(({ parts }) => parts)) {
      listed.add(part.key);
      if (folder.parts.has(part.key)) found.push(await examine(part.key, { ...part, stream, streamVersion }));
      else problems.push({ url: urlOf(part.key), cause: "missing: _SUCCESS lists it, and it is not there" });
    }
    covered = new Set(generations.flatMap(({ inputs }) => inputs.map(({ key }) => key)));
    for (const name of manifest ? folder.parts : []) {
      if (!listed.has(name)) problems.push({ url: urlOf(name), cause: "surplus: _SUCCESS does not list this part" });
    }
    if (manifest && rawPlaceOf) {
      raw = await verifyRaw(await rawPlaceOf(manifest), manifest, urlOf(folder.manifest), signal);
      problems.push(...raw.problems);
    }
  } else if (folder.parts.size > 0 || folder.claimed) {
    problems.push({ url: urlOf(""), cause: "incomplete: there is no _SUCCESS. Run the same derive command again" });
  }
  const events: string[] = [];
  const inEvents: PartFound[] = [];
  const origins = new Set<string>();
  for (const name of folder.events) {
    const one = await examine(name, undefined);
    const { origin } = one;
    inEvents.push(one);
    const cause = origin && misplaced(name, origin, covered, origins);
    if (cause === undefined) events.push(urlOf(name));
    else problems.push({ url: urlOf(name), cause });
  }
  return summary(urlOf(""), found, {
    layout: layoutOfAll([...found, ...inEvents]),
    problems,
    incomplete: folder.manifest === undefined && (folder.parts.size > 0 || folder.claimed),
    events,
    strangers: folder.strangers.map(urlOf),
    strangerCount: folder.strangerCount,
    claimed: folder.claimed,
    ...(raw && { raw: { account: raw.account, later: raw.later } }),
    committed,
  });
}

function committedOf({ stream, streamVersion, generations }: Manifest): Committed {
  const books = emptyBooks();
  for (const { counts, filteredBy = {}, failures = {} } of generations) {
    addBooks(books, { ...emptyBooks(), ...counts, filteredBy, failures });
  }
  const counts = Object.fromEntries(COUNTS.map((name) => [name, books[name]])) as unknown as Counts;
  const { filteredBy, failures } = books;
  return { stream, streamVersion, generations: generations.length, counts, filteredBy, failures };
}

/** Why an event part must not lie where it does: a reader of the folder would see rows twice. */
function misplaced(
  name: string,
  { bucket, key }: Origin,
  covered: ReadonlySet<string>,
  others: Set<string>,
): string | undefined {
  if (covered.has(key)) {
    return `covered: _SUCCESS holds the rows of raw object ${key} too. Its event is under way, or was killed: running the same derive command again removes it`;
  }
  const raw = `${bucket}/${key}`;
  if (!name.startsWith(eventName(bucket, key, "none").replace(/parquet$/, ""))) {
    return `its name is not that of raw object ${raw}, which it says it was made from: it was renamed or copied`;
  }
  if (others.has(raw)) return `twice: an event part of another codec is of raw object ${raw} too. Remove one of them`;
  others.add(raw);
  return undefined;
}

function problemsOf(url: string, { problems }: PartFound): Problem[] {
  return problems.map((cause) => ({ url, cause }));
}

function layoutOfAll(parts: readonly PartFound[]): PartLayout {
  const columns: Record<string, { compressed: number; uncompressed: number }> = Object.create(null);
  for (const { layout } of parts) {
    for (const [path, { compressed, uncompressed }] of Object.entries(layout?.columns ?? {})) {
      columns[path] ??= { compressed: 0, uncompressed: 0 };
      columns[path].compressed += compressed;
      columns[path].uncompressed += uncompressed;
    }
  }
  return { columns, rowGroups: parts.flatMap(({ layout }) => layout?.rowGroups ?? []) };
}

function summary(
  url: string,
  parts: readonly PartFound[],
  { incomplete, ...more }: Partial<VerifiedPartition> & { incomplete?: boolean },
): VerifiedPartition {
  const sum = (name: "rows" | "bytes") => parts.reduce((total, part) => total + part[name], 0);
  const problems = more.problems ?? [];
  return {
    url,
    state: incomplete ? "incomplete" : problems.length > 0 ? "differs" : "ok",
    parts: parts.length,
    rows: sum("rows"),
    bytes: sum("bytes"),
    events: [],
    strangers: [],
    strangerCount: 0,
    claimed: false,
    layout: layoutOfAll(parts),
    ...more,
    problems,
  };
}
