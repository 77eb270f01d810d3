// One S3 object on its way in, checked against what the store knows of it.
import { InternalError } from "../errors.ts";
import type { ObjectReader } from "./ports.ts";
import type { Bucket } from "./s3-bucket.ts";
import { checked, checksumOf, expectedOf, release } from "./s3-checksum.ts";
import { unquoted } from "./s3-fetch.ts";
import { S3Object } from "./s3-object.ts";
import { pause } from "./s3-patience.ts";
import { type Begun, beginInRanges, whileQuick } from "./s3-ranges.ts";

/**
 * Objects of up to so many bytes are read whole and checked before any of it is given out: a damaged body is read again, and
 * nobody has seen it. Of larger ones the damage is known when their rows are made: a DamagedInputError.
 */
export const SMALL_BYTES = 4 << 20;

/** Reads an object, again from the start for each iteration. `etag`: the version that was listed, `size`: its bytes. */
export function openObject(bucket: Bucket, key: string, etag?: string, size?: number): ObjectReader {
  const object = new S3Object(bucket, key, etag);
  let ahead: Promise<Whole | Begun | undefined> | undefined;
  let read: string | undefined;
  return {
    prefetch() {
      // One that comes as fast as it is read would only take memory.
      if (isLarge(size) && !bucket.line.isFar) return;
      ahead ??= begin(object, size);
      ahead.catch(() => {}); // told when it is read
    },
    async *[Symbol.asyncIterator]() {
      read = undefined;
      const begun = await (ahead ?? begin(object, size));
      ahead = undefined;
      if (begun === undefined) throw object.cannot("it does not exist");
      if ("bytes" in begun) {
        if (begun.bytes.length > 0) yield begun.bytes;
        release(begun.bytes);
      } else yield* checkedChunks(object, begun);
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
  const begun = await begin(object, undefined);
  if (begun === undefined || "bytes" in begun) return begun;
  const chunks = await Array.fromAsync(checkedChunks(object, begun), (chunk) => chunk.slice());
  return { bytes: new Uint8Array(Buffer.concat(chunks).buffer), etag: begun.etag };
}

interface Whole {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

function isLarge(size: number | undefined): size is number {
  return size !== undefined && size > SMALL_BYTES;
}

/** A small object whole, of a larger one its beginning; undefined where there is none. */
async function begin(object: S3Object, size: number | undefined): Promise<Whole | Begun | undefined> {
  const { line } = object.bucket;
  if (isLarge(size) && line.isFar) {
    const begun = await beginInRanges(object, size);
    if (begun) refuseUnchecked(object, begun);
    return begun;
  }
  for (let attempt = 1; ; attempt++) {
    const began = performance.now();
    const answer = await object.open({ start: 0 });
    if (answer === undefined) return undefined;
    const { facts, body } = answer;
    const etag = unquoted(facts.ETag)!;
    const length = facts.ContentLength;
    const chunks = isLarge(length)
      ? whileQuick(object, etag, { start: 0, end: length }, answer, began)
      : object.chunks(etag, { start: 0, end: length }, answer);
    const begun: Begun = { etag, length, facts, chunks, end: () => body.discard() };
    refuseUnchecked(object, begun);
    if (length === undefined || isLarge(length)) return begun;
    const bytes = await object.piece(etag, { start: 0, end: length }, answer);
    const expected = expectedOf(facts);
    const found = expected && (await checked(expected, bytes));
    if (found === undefined || found.matches) return { bytes: found?.bytes ?? bytes, etag };
    if (attempt === object.patience.attempts) throw object.damaged(expected!.name);
    await pause(attempt);
  }
}

function refuseUnchecked(object: S3Object, begun: Begun): void {
  try {
    object.requireChecksum(expectedOf(begun.facts));
  } catch (error) {
    begun.end();
    throw error;
  }
}

async function* checkedChunks(object: S3Object, { facts, chunks }: Begun): AsyncGenerator<Uint8Array> {
  const expected = expectedOf(facts);
  const checksum = expected && (await checksumOf(expected));
  try {
    for await (const chunk of chunks) {
      yield chunk;
      if (checksum) await checksum.take(chunk);
      else release(chunk);
    }
    if (checksum && !(await checksum.matches())) throw object.damaged(checksum.name);
  } finally {
    checksum?.close();
  }
}
