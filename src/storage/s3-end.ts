// The last bytes of an object: where a Parquet file says what it holds.
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Bucket } from "./s3-bucket.ts";
import { faultOf, UnreadableAnswer } from "./s3-fault.ts";
import { unquoted } from "./s3-fetch.ts";
import { pause } from "./s3-patience.ts";

const ATTEMPTS = 4;

/** At most `length` bytes, undefined where there is no object, or an empty one. No checksum covers a part of an object. */
export async function readEnd(
  bucket: Bucket,
  key: string,
  length: number,
): Promise<{ bytes: Uint8Array; etag: string } | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { sdk, client } = await bucket.connection();
      const answer = await client.send(new sdk.GetObjectCommand({ ...bucket.at(key), Range: `bytes=-${length}` }));
      const bytes = await bodyOf(answer);
      const etag = unquoted(answer.ETag);
      // A store that knows no ranges sends all of it.
      if (bytes !== undefined && etag) return { bytes: bytes.subarray(Math.max(0, bytes.length - length)), etag };
      if (attempt === ATTEMPTS) throw new UnreadableAnswer();
    } catch (error) {
      const { status, code } = faultOf(error, "");
      if (status === 416 || (status === 404 && code !== "NoSuchBucket")) return undefined;
      throw bucket.failed("read", key, error, "s3:GetObject");
    }
    await pause(attempt);
  }
}

/** The whole body, undefined where it was cut off. */
async function bodyOf({ Body, ContentLength }: GetObjectCommandOutput): Promise<Uint8Array | undefined> {
  try {
    const bytes = Buffer.concat(await Array.fromAsync(Body as unknown as AsyncIterable<Uint8Array>));
    return ContentLength === undefined || bytes.length === ContentLength ? new Uint8Array(bytes) : undefined;
  } catch {
    return undefined;
  }
}
