// The books: what became of every byte, frame and message of an object. They must balance before anything is committed.
import { InternalError } from "../errors.ts";

/**
 * Counts of one object, partition or run. Bytes are those after object-level decompression, but `storedBytes`, which are
 * as listed and read. P7: bytes = bytesInFrames + bytesDamaged + bytesBlank; frames = decoded + undecodable;
 * decoded = written + filtered + failed.
 */
export interface Counts {
  objects: number;
  storedBytes: number;
  bytes: number;
  bytesInFrames: number;
  bytesDamaged: number;
  bytesBlank: number;
  frames: number;
  undecodable: number;
  /** Frames whose header holds an HMAC; it is not verified. */
  signed: number;
  decoded: number;
  written: number;
  filtered: number;
  failed: number;
  /** Ranges of bytes that are no frame. */
  damagedRanges: number;
  /** Messages in which a value that was asked for held invalid UTF-8 or half a surrogate pair, read as U+FFFD. */
  invalidUtf8: number;
}

/** A place in the raw data where something was wrong, `offset` bytes into the decompressed object. */
export interface Place {
  object: string;
  offset: number;
  bytes: number;
  cause: string;
}

/** A place with what it was: bytes that are no frame, a frame that holds no message, a message that became no record. */
export interface Fault extends Place {
  /** The number of the object among its task's inputs. */
  readonly input: number;
  readonly kind: "damaged" | "undecodable" | "failed";
  /** The column or the message path that was at fault, where there is one. */
  readonly path?: string;
}

/** What a report says of an object, a partition or a run: counts, causes, and the first places. */
export interface Books extends Counts {
  filteredBy: Record<string, number>;
  failures: Record<string, number>;
  /** The first 100 damaged ranges and undecodable frames. */
  damage: Place[];
  /** The first 100 messages that could not become a record. */
  failedAt: Place[];
}

/** The books of one object, with what identifies the bytes that were read. */
export interface ObjectBooks extends Books {
  key: string;
  size: number;
  etag: string;
}

const PLACES_KEPT = 100;
/** More causes than this and the rest are counted together: causes come from streams, so their number has no bound. */
const CAUSES_KEPT = 1000;
export const OTHER_CAUSES = "other causes";

/** Every count, in the order reports show them. */
export const COUNTS = [
  "objects",
  "storedBytes",
  "bytes",
  "bytesInFrames",
  "bytesDamaged",
  "bytesBlank",
  "frames",
  "undecodable",
  "signed",
  "decoded",
  "written",
  "filtered",
  "failed",
  "damagedRanges",
  "invalidUtf8",
] as const satisfies readonly (keyof Counts)[];

export function emptyBooks(): Books {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as unknown as Counts;
  return { ...counts, filteredBy: causes(), failures: causes(), damage: [], failedAt: [] };
}

// No prototype: a cause named "constructor" is a cause like any other.
function causes(): Record<string, number> {
  return Object.create(null) as Record<string, number>;
}

export function countCause(counts: Record<string, number>, cause: string, times = 1): void {
  const known = cause in counts || Object.keys(counts).length < CAUSES_KEPT;
  const name = known ? cause : OTHER_CAUSES;
  counts[name] = (counts[name] ?? 0) + times;
}

export function addPlace(places: Place[], place: Place): void {
  if (places.length < PLACES_KEPT) places.push(place);
}

/** Adds `more` to `sum`. Called in the order of the plan, so that the first places are the same for any number of workers. */
export function addBooks(sum: Books, more: Books): void {
  for (const name of COUNTS) sum[name] += more[name];
  for (const cause in more.filteredBy) countCause(sum.filteredBy, cause, more.filteredBy[cause]);
  for (const cause in more.failures) countCause(sum.failures, cause, more.failures[cause]);
  for (const place of more.damage) addPlace(sum.damage, place);
  for (const place of more.failedAt) addPlace(sum.failedAt, place);
}

/** Where books do not balance (P7): nothing, or what is counted, how much of it was read and how much is accounted for. */
export function imbalances(books: Counts): { what: string; read: number; accounted: number }[] {
  return [
    { what: "bytes", read: books.bytes, accounted: books.bytesInFrames + books.bytesDamaged + books.bytesBlank },
    { what: "frames", read: books.frames, accounted: books.decoded + books.undecodable },
    { what: "decoded messages", read: books.decoded, accounted: books.written + books.filtered + books.failed },
  ].filter(({ read, accounted }) => read !== accounted);
}

/** Throws where books do not balance (P7): then nothing may be committed. */
export function checkBalance(url: string, books: Counts): void {
  for (const { what, read, accounted } of imbalances(books)) {
    throw new InternalError(
      `Cannot account for all ${what} of ${url}: ${read} were read, ${accounted} are accounted for`,
    );
  }
}

/** How many errors a partition may have: of a number and a share of its frames and damaged ranges the larger counts. */
export interface ErrorBudget {
  readonly count: number;
  /** 0.01 for 1 %. */
  readonly fraction: number;
}

/** The number of errors, and whether the budget allows it (P8). */
export function weighErrors(books: Counts, budget: ErrorBudget): { errors: number; within: boolean } {
  const errors = books.undecodable + books.failed + books.damagedRanges;
  const chances = books.frames + books.damagedRanges;
  // 0.29 × 100 is a little less than 29 in binary: an error in the last digits must not decide.
  const share = budget.fraction * chances * (1 + Number.EPSILON * 4);
  return { errors, within: errors <= Math.max(budget.count, share) };
}
