// The ports between the program and the places it reads and writes: folders, S3, and memory in tests.

/** How to reach one place on S3; what is absent comes from the standard AWS_* variables and files. */
export interface S3Options {
  readonly endpointUrl?: string;
  readonly region?: string;
  readonly profile?: string;
  /** The bucket in the path, not in the host name. Default: where an endpoint is given. */
  readonly pathStyle?: boolean;
  /** Reads public buckets without credentials. */
  readonly noSignRequest?: boolean;
  /** Reads buckets whose reader pays. */
  readonly requestPayer?: boolean;
  /** An object with nothing to check its bytes against is an InputError (P11). */
  readonly requireChecksum?: boolean;
}

/** A place as plain data, which crosses to worker threads. */
export interface Place {
  /** As written: a path, file:///folder or s3://bucket/prefix. */
  readonly url: string;
  readonly s3?: S3Options;
}

/** One object as a listing tells of it. */
export interface Listed {
  /** Relative to the place, "/" between segments, never escaped. */
  readonly key: string;
  /** Bytes as stored, compression included. */
  readonly size: number;
  /**
   * What identifies the stored bytes, where the listing already knows it: S3's ETag without its quotes. Folders as a Source
   * do not know it. A Sink always gives one, to write under: of files their inode, time of change and size.
   */
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
  /** Begins to read before the first chunk is asked for: a few MiB are kept at most. */
  prefetch?(): void;
  /** From the next chunk on it is read into what `lend` gives, `bytes` large; where that is undefined into memory of its own. */
  readInto?(lend: Lend): void;
}

/** Memory for one chunk, which its reader fills from the start before it asks again. */
export type Lend = (bytes: number) => Uint8Array | undefined;

/** How several readers read one object together. */
export interface Ranges {
  /** What is known of all of an object, without reading it; to be asked for before the first range is read. */
  whole(object: Listed): Promise<Whole>;
  /** The bytes from `start` on, in chunks as an ObjectReader's. */
  open(object: Listed, start: number, how?: RangeReading): RangeReader;
}

/** An object that is read in ranges. */
export interface Whole {
  /** What its bytes are checked against cannot be put together from ranges: one `ObjectReader` has to read it all (P11). */
  readonly isIndivisible?: boolean;
  /** The sum whose shares `confirm` wants; absent where there is none to check the bytes against. */
  readonly sum?: string;
  /**
   * To be called after the last range was read, with the shares of ranges that make up the object.
   * @throws {InputError} where it is not what it was, {DamagedInputError} where the bytes do not match the sum
   */
  confirm(shares: readonly Share[]): Promise<void>;
}

export interface RangeReading {
  /** How far it will be read, most likely: no more is asked for at first. Default: to the end. */
  readonly until?: number;
  /** Chunks are read into what it gives, where there is some. */
  readonly lend?: Lend;
  /** As a `Whole` has it. */
  readonly sum?: string;
}

export interface RangeReader extends AsyncIterable<Uint8Array> {
  /** What the bytes from the start to the offset `until`, which were given out, add to the sum; absent where there are none. */
  share?(until: number): Promise<Share | undefined>;
}

/** A part of an object's sum: plain data, for the place it comes from. */
export interface Share {
  readonly to: number;
  readonly value: bigint;
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
  /**
   * `etag` and `size`, as a listing gave them: bytes of another version of the object are an InputError. An object whose size
   * is known may be read in several requests at once.
   */
  open(key: string, etag?: string, size?: number): ObjectReader;
  readonly ranges: Ranges;
  /** What identifies the bytes of an object: the listing's ETag, or else a hash of the content, which has to be read for it. */
  etag(listed: Listed): Promise<string>;
  urlOf(key: string): string;
  /** Loads what reading will take, for who knows sooner where than what. Sends nothing. Absent where that is little. */
  prepare?(): Promise<unknown>;
}

/** What must lie at a key for a write to take place; `etag` as the same sink's `read`, `head`, `list` or a write gave it. */
export type Expected = "anything" | "nothing" | { readonly etag: string };

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
   * Makes the object appear at its key, whole and at one instant, durable when this resolves. Default: "anything".
   * @returns the ETag of the new object
   * @throws {ConditionFailed} when something else lies there; the upload is still to be aborted.
   */
  commit(expected?: Expected): Promise<string>;
  /** Leaves no trace. Does nothing after a commit. */
  abort(): Promise<void>;
}

/** A place that derived objects are written to. Every failure is an OutputError naming the URL. */
export interface Sink {
  /** "file:///abs/folder/" or "s3://bucket/prefix/", for people; it ends in "/". */
  readonly url: string;
  /**
   * The whole content of a small object, or the `last` bytes of any (all of one that has fewer), with the ETag to replace it
   * under; undefined when there is none.
   */
  read(key: string, last?: number): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined>;
  /** The object at exactly this key, undefined when there is none (a folder is none). */
  head(key: string): Promise<Listed | undefined>;
  /** As `Source.list`, without uploads that are not committed. */
  list(prefix: string): AsyncIterable<Listed>;
  create(key: string): Promise<Upload>;
  /**
   * A small object at one instant: `create`, `write` and `commit`. After a lost answer the bytes tell whether the write took
   * place, so what has to be told from another's write (a claim) has to hold something of its own.
   */
  put(key: string, bytes: Uint8Array, expected?: Expected): Promise<string>;
  /**
   * Removes an object; one that is not there is removed already. With `expected` only that version of it: where the store
   * knows no such condition (S3 does, some of its likes ignore it), the sink looks before it removes.
   * @throws {ConditionFailed} when another version lies there.
   */
  remove(key: string, expected?: { readonly etag: string }): Promise<void>;
  /**
   * Whether writes are refused when their condition does not hold: S3 is asked with a small object below the folder `prefix`,
   * once for each sink. Where they are not, this sink looks before it writes, which two writers at once can get past.
   */
  honoursConditions(prefix: string): Promise<boolean>;
  /**
   * Ends uploads below the folder `prefix` that killed runs left behind: S3's multipart uploads, hidden temporaries of
   * processes that run no more. Gives their number.
   */
  abortPending(prefix: string): Promise<number>;
  urlOf(key: string): string;
}
