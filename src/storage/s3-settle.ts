// What became of a write to S3 that failed: refused for its condition, refused for the moment, or done although its answer
// was lost.
import { ConditionFailed } from "../errors.ts";
import { Gate } from "./gate.ts";
import type { Expected } from "./ports.ts";
import type { Bucket } from "./s3-bucket.ts";
import { crc32Text, storedCrc32, storedMd5 } from "./s3-checksum.ts";
import type { Conditions } from "./s3-conditions.ts";
import { faultOf } from "./s3-fault.ts";
import { unquoted } from "./s3-fetch.ts";
import { openObject } from "./s3-reader.ts";

/** What is to be written, readable as often as it takes. */
export interface Content {
  readonly byteLength: number;
  read(start: number, length: number): Uint8Array;
}

export interface Write {
  readonly bucket: Bucket;
  readonly conditions: Conditions;
  readonly key: string;
  readonly content: Content;
  readonly expected: Expected;
  readonly signal: AbortSignal;
  /** Whether an attempt so far may have taken place although no answer said so: then what lies there may be our own. */
  doubtful: boolean;
  /** Whether an upload in parts may be pending whose name was lost with an answer. */
  strays: boolean;
}

/** The store says no for the moment, or lost an upload in parts: all of it is to be done again. */
export class WriteAgain extends Error {}

/** Bodies that are in memory at once, over all uploads of this thread: each is a whole small object or one part. */
export const bodies = new Gate(4);

/**
 * What the failure of a write's last request means. `etag`: what the store would call our object, if it goes by MD5.
 * @returns the ETag of our object, where it lies there all the same: its answer was lost.
 */
export async function settle(write: Write, error: unknown, etag: string): Promise<string> {
  const { conditions, key, expected, signal } = write;
  const { status, code, inDoubt } = faultOf(error, "");
  write.doubtful ||= inDoubt && !(error instanceof ConditionFailed);
  if (write.doubtful && !signal.aborted) {
    const found = await etagIfOurs(write, etag).catch(() => undefined);
    if (found !== undefined) return found;
  }
  if (error instanceof ConditionFailed) throw error;
  const vanished = status === 404 && code !== "NoSuchBucket" && code !== "NoSuchUpload";
  if (status === 412 || (vanished && typeof expected === "object")) throw conditions.failed(key, expected);
  if (status === 409 || code === "NoSuchUpload") throw new WriteAgain("", { cause: error });
  throw error;
}

async function etagIfOurs({ bucket, key, content, signal }: Write, etag: string): Promise<string | undefined> {
  const found = await bucket.ask(key, signal);
  if (found?.ContentLength !== content.byteLength) return undefined;
  const there = unquoted(found.ETag)!;
  if (there === etag) return there;
  const crc32 = storedCrc32(found);
  if (crc32 !== undefined) return crc32 === crc32Text(await crc32Of(chunksOf(content))) ? there : undefined;
  if (storedMd5(found) !== undefined || /^[0-9a-f]{32}-\d+$/.test(there)) return undefined;
  // Encrypted with a key: the ETag is no MD5, so the bytes themselves have to tell.
  const same = (await crc32Of(openObject(bucket, key, there))) === (await crc32Of(chunksOf(content)));
  return same ? there : undefined;
}

const CHUNK_BYTES = 1 << 20;

function* chunksOf({ byteLength, read }: Content): Iterable<Uint8Array> {
  for (let at = 0; at < byteLength; at += CHUNK_BYTES) yield read(at, Math.min(CHUNK_BYTES, byteLength - at));
}

async function crc32Of(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<number> {
  let crc = 0;
  for await (const chunk of chunks) crc = Bun.hash.crc32(chunk, crc);
  return crc;
}
