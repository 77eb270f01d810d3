// One S3 object on its way in: its body, taken up again where it breaks off, checked against what the store knows of it.
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { DamagedInputError, InputError, InternalError } from "../errors.ts";
import type { ObjectReader } from "./ports.ts";
import { type Bucket, discard, unquoted } from "./s3-bucket.ts";
import { checksumOf } from "./s3-checksum.ts";
import { PATIENCE, type Patience, pause, SILENT_ATTEMPTS } from "./s3-client.ts";
import { faultOf } from "./s3-fault.ts";

/**
 * Objects of up to so many bytes are read whole and checked before any of it is given out: a damaged body is read again, and
 * nobody has seen it. Of larger ones the damage is known when their rows are made: a DamagedInputError.
 */
export const SMALL_BYTES = 4 << 20;

/** A body that brings bytes each time before it breaks may do so this often. */
const MOST_BREAKS = 1000;

/** One that falls silent has to bring so many, or that time counts as futile: else a store could hold us for hours. */
const PROGRESS_BYTES = 1 << 20;

/** Reads an object, again from the start for each iteration. `etag`: the version that was listed. */
export function openObject(bucket: Bucket, key: string, etag?: string): ObjectReader {
  const object = new S3Object(bucket, key, etag);
  let ahead: Promise<Whole | Opened | undefined> | undefined;
  let read: string | undefined;
  return {
    prefetch() {
      ahead ??= object.begin();
      ahead.catch(() => {}); // told when it is read
    },
    async *[Symbol.asyncIterator]() {
      read = undefined;
      const begun = await (ahead ?? object.begin());
      ahead = undefined;
      if (begun === undefined) throw object.cannot("it does not exist");
      if ("bytes" in begun) {
        if (begun.bytes.length > 0) yield begun.bytes;
        release(begun.bytes);
      } else {
        for await (const chunk of object.stream(begun)) {
          yield chunk;
          release(chunk);
        }
      }
      read = begun.etag;
    },
    etag() {
      if (read === undefined) {
        throw new InternalError(`Cannot tell the ETag of ${bucket.urlOf(key)}: it was not read to its end`);
      }
      return read;
    },
  };
}

/** The object whole, undefined where there is none. */
export async function readWhole(bucket: Bucket, key: string): Promise<Whole | undefined> {
  const object = new S3Object(bucket, key, undefined);
  const begun = await object.begin();
  if (begun === undefined || "bytes" in begun) return begun;
  const { buffer } = Buffer.concat(await Array.fromAsync(object.stream(begun)));
  return { bytes: new Uint8Array(buffer), etag: begun.etag };
}

/** An answer whose body is still to come. */
interface Opened {
  readonly answer: GetObjectCommandOutput;
  readonly etag: string;
  /** Bytes, where the answer says so. */
  readonly length: number | undefined;
}

interface Whole {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

class S3Object {
  readonly #patience: Patience;

  constructor(
    private readonly bucket: Bucket,
    private readonly key: string,
    private readonly listedEtag: string | undefined,
  ) {
    this.#patience = bucket.patience ?? PATIENCE;
  }

  /** A small object whole, of a larger one the answer; undefined where there is none. */
  async begin(): Promise<Whole | Opened | undefined> {
    for (let attempt = 1; ; attempt++) {
      const opened = await this.#open();
      if (opened?.length === undefined || opened.length > SMALL_BYTES) return opened;
      const bytes = new Uint8Array(opened.length);
      let at = 0;
      for await (const chunk of this.#body(opened)) {
        bytes.set(chunk, at);
        at += chunk.length;
        release(chunk);
      }
      const checksum = await checksumOf(opened.answer);
      checksum?.update(bytes);
      if (!checksum || (await checksum.matches())) return { bytes, etag: opened.etag };
      if (attempt === this.#patience.attempts) throw this.#damaged(checksum.name);
      await pause(attempt);
    }
  }

  async *stream(opened: Opened): AsyncGenerator<Uint8Array> {
    const checksum = await checksumOf(opened.answer);
    for await (const chunk of this.#body(opened)) {
      checksum?.update(chunk);
      yield chunk;
    }
    if (checksum && !(await checksum.matches())) throw this.#damaged(checksum.name);
  }

  async #open(): Promise<Opened | undefined> {
    const answer = await this.#get(this.listedEtag, 0);
    if (answer === undefined) return undefined;
    const etag = unquoted(answer.ETag)!;
    if (this.bucket.options.requireChecksum && !(await checksumOf(answer))) {
      discard(answer);
      throw this.cannot(
        "there is nothing to check its bytes against: no checksum over the whole object, and its ETag is no MD5. " +
          "Without --require-checksum it is read all the same",
      );
    }
    return { answer, etag, length: answer.ContentLength };
  }

  /** All bytes of one version of the object. */
  async *#body({ answer, etag, length }: Opened): AsyncGenerator<Uint8Array> {
    let at = 0;
    let body = answer;
    let surplus = 0; // bytes before `at`, of a store that does not know ranges
    let futile = 0;
    for (let breaks = 0; ; breaks++) {
      const before = at;
      let ended = false;
      let waitsSince = performance.now();
      try {
        for await (const chunk of body.Body as unknown as AsyncIterable<Buffer>) {
          // No Buffer: its slice() does not copy, and the memory of this chunk is given back.
          const skipped = Math.min(surplus, chunk.length);
          const fresh = new Uint8Array(chunk.buffer, chunk.byteOffset + skipped, chunk.length - skipped);
          surplus -= chunk.length - fresh.length;
          at += fresh.length;
          if (length !== undefined && at > length) break; // told below
          if (fresh.length > 0) yield fresh;
          waitsSince = performance.now(); // what took so long until here was not the store
        }
        ended = true;
      } catch {
        // Cut off, or no byte for too long: taken up again below.
      }
      if (length === undefined ? ended : at >= length) break;
      const silent = performance.now() - waitsSince >= this.#patience.stallMs / 2;
      futile = at - before >= (silent ? PROGRESS_BYTES : 1) ? 0 : futile + 1;
      const most = Math.min(this.#patience.attempts, silent ? SILENT_ATTEMPTS : Number.POSITIVE_INFINITY);
      if (futile >= most || breaks >= MOST_BREAKS) {
        throw this.cannot(`its body breaks off at byte ${at}, again and again`);
      }
      await pause(futile);
      const next = await this.#get(etag, at);
      if (next === undefined) throw this.cannot("it was removed while it was read");
      body = next;
      surplus = body.ContentRange?.startsWith(`bytes ${at}-`) ? 0 : at;
    }
    if (length !== undefined && at > length)
      throw this.cannot(`it has more than the ${length} bytes it is said to have`);
  }

  /** One request from byte `start` on; undefined where there is no object. */
  async #get(etag: string | undefined, start: number): Promise<GetObjectCommandOutput | undefined> {
    try {
      const answer = await this.bucket.get(this.key, etag, start);
      // An error between two chunks would otherwise end the program: it is met again when the next one is asked for.
      (answer.Body as unknown as NodeJS.ReadableStream).on("error", () => {});
      if (etag === undefined || etag === unquoted(answer.ETag)) return answer;
      discard(answer); // the store does not know conditions
    } catch (error) {
      const { status, code, state } = faultOf(error, "s3:GetObject");
      if (status === 404 && code !== "NoSuchBucket") return undefined;
      if (status !== 412 && status !== 416) throw this.cannot(state);
    }
    throw this.cannot(`it changed ${start > 0 ? "while it was read" : "since it was listed"}. Run the command again`);
  }

  #damaged(name: string): Error {
    const { message } = this.cannot(
      `its bytes do not match its ${name} checksum. Run the command again, or upload the object again`,
    );
    return this.bucket.PlaceError === InputError ? new DamagedInputError(message) : new this.bucket.PlaceError(message);
  }

  cannot(state: string): Error {
    return new this.bucket.PlaceError(`Cannot read ${this.bucket.urlOf(this.key)}: ${state}`);
  }
}

/** Gives the memory of a chunk back at once: while rows are made the collector comes too late, and it would pile up. */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
}
