// What a job gives back: each partition's books, what was written, and what went wrong, as plain data for reports.
import { addBooks, type Books, emptyBooks } from "../pipeline/books.ts";

/** One Parquet object, as `_SUCCESS` and the report name it. */
export interface PartFacts {
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  /** 8 and 64 hex digits, over the whole object. */
  readonly crc32: string;
  readonly sha256: string;
}

/**
 * `appended`: its new raw objects became a further generation of parts. `late`: what an earlier run had begun is finished, and
 * raw objects have arrived that it does not hold. `planned`: a dry run would write it.
 */
export type PartitionState =
  | "written"
  | "unchanged"
  | "appended"
  | "replaced"
  | "failed"
  | "empty"
  | "late"
  | "planned";

export interface PartitionResult {
  readonly url: string;
  readonly state: PartitionState;
  readonly books: Books;
  readonly parts: readonly PartFacts[];
  /** Keys of the raw objects that came too late for it. */
  readonly late?: readonly string[];
  /** Whether the store refuses a write whose condition does not hold; undefined where nothing was written. */
  readonly conditionalWrites?: boolean;
  /** URLs of the indexes of what was kept by --quarantine. */
  readonly quarantine?: readonly string[];
  /** Why it failed; its class gives the exit code. */
  readonly error: Error | undefined;
}

export interface JobResult {
  readonly stream: string;
  readonly version: number;
  readonly partitions: readonly PartitionResult[];
  /** Raw objects whose keys do not have the dataset's form: they were not read. */
  readonly strangers: readonly string[];
  readonly seconds: number;
}

export function totalBooks(partitions: readonly PartitionResult[]): Books {
  const total = emptyBooks();
  for (const { books } of partitions) addBooks(total, books);
  return total;
}
