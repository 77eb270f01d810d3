// The ports between the program and the places it reads and writes: folders now, S3 through the same members, memory in tests.

/** One object as a listing tells of it. */
export interface Listed {
  /** Relative to the place, "/" between segments, never escaped. */
  readonly key: string;
  /** Bytes as stored, compression included. */
  readonly size: number;
  /** What identifies the stored bytes, where the listing already knows it (S3 does, folders do not). */
  readonly etag?: string;
}

/**
 * The bytes of one object in chunks of at most a few MiB. A chunk is valid until the next one is asked for. Failing to
 * read throws an InputError naming the URL, on the first pull at the earliest.
 */
export interface ObjectReader extends AsyncIterable<Uint8Array> {
  /**
   * Identifies the bytes that were read, in the same form as `Source.etag`.
   * @throws {InternalError} before the last chunk was read.
   */
  etag(): string;
}

/** A place that raw objects and metadata are read from. Every failure is an InputError naming the URL. */
export interface Source {
  /** "file:///abs/folder/" or "s3://bucket/prefix/", for people; it ends in "/". */
  readonly url: string;
  /** Every object below the folder `prefix` ("" for all), in the order of keys (bytes of UTF-8). A missing folder is empty. */
  list(prefix: string): AsyncIterable<Listed>;
  /** One level below the folder `prefix`: the names of its folders and its own objects, both in the order of keys. */
  folders(prefix: string): Promise<{ readonly folders: string[]; readonly objects: Listed[] }>;
  /** The object at exactly this key, undefined when there is none (a folder is none). */
  head(key: string): Promise<Listed | undefined>;
  open(key: string): ObjectReader;
  /** What identifies the bytes of an object: the listing's ETag, or else a hash of the content, which has to be read for it. */
  etag(listed: Listed): Promise<string>;
  urlOf(key: string): string;
}

/** What must lie at a key for a write to take place: S3 adds the ETag of the object to be replaced. */
export type Expected = "anything" | "nothing";

/**
 * One object on its way out, invisible to readers until `commit`. It can be read back before that (`byteLength` and `slice`
 * are what the Parquet reader asks of a file); the first `slice` ends the writing. Every failure is an OutputError naming the URL.
 */
export interface Upload {
  /** Bytes written so far. */
  readonly byteLength: number;
  /** Takes the bytes over before it resolves: the caller may reuse the buffer. */
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes `start` to `end` (exclusive, default: all that follow). */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
  /**
   * Makes the object appear at its key, whole and at one instant, durable when this resolves. Under "nothing" a key that is
   * taken is a ConflictError and the upload is still to be aborted. Default: "anything".
   */
  commit(expected?: Expected): Promise<void>;
  /** Leaves no trace. Does nothing after a commit. */
  abort(): Promise<void>;
}

/** A place that derived objects are written to. Every failure is an OutputError naming the URL. */
export interface Sink {
  /** "file:///abs/folder/" or "s3://bucket/prefix/", for people; it ends in "/". */
  readonly url: string;
  /** The whole content of a small object, undefined when there is none. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** The object at exactly this key, undefined when there is none (a folder is none). */
  head(key: string): Promise<Listed | undefined>;
  /** As `Source.list`, without uploads that are not committed. */
  list(prefix: string): AsyncIterable<Listed>;
  create(key: string): Promise<Upload>;
  /** A small object at one instant: `create`, `write` and `commit`. */
  put(key: string, bytes: Uint8Array, expected?: Expected): Promise<void>;
  /** Removes an object; one that is not there is removed already. */
  remove(key: string): Promise<void>;
  urlOf(key: string): string;
}
