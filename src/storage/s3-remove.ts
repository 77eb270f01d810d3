// One object removed from S3, or only the version of it that is expected there.
import { ConditionFailed } from "../errors.ts";
import { type Bucket, unquoted } from "./s3-bucket.ts";
import { send } from "./s3-client.ts";
import type { Conditions } from "./s3-conditions.ts";
import { faultOf, UnreadableAnswer } from "./s3-fault.ts";

/**
 * S3 takes If-Match here as it does for writes; some of its likes that know it for writes remove whatever lies there. So a look
 * comes first, and only a moment is left between the two. Throws ConditionFailed, OutputError.
 */
export async function removeObject(
  bucket: Bucket,
  conditions: Conditions,
  key: string,
  expected: { readonly etag: string } | undefined,
): Promise<void> {
  try {
    if (!expected) return await remove(bucket, key);
    if (!(await isThere(bucket, conditions, key, expected))) return;
    await remove(bucket, key, `"${expected.etag}"`).catch(async (error) => {
      const { status } = faultOf(error, "");
      if (status !== 412 && status !== 501) throw error;
      // Changed in this moment; or the store refuses what it does not know, whatever lies there.
      if (await isThere(bucket, conditions, key, expected)) await remove(bucket, key);
    });
  } catch (error) {
    if (error instanceof ConditionFailed) throw error;
    throw bucket.failed("remove", key, error, "s3:DeleteObject");
  }
}

/** Whether the expected version lies there; throws ConditionFailed where another one does. */
async function isThere(bucket: Bucket, conditions: Conditions, key: string, expected: { readonly etag: string }) {
  const there = await bucket.ask(key);
  if (there !== undefined && unquoted(there.ETag) !== expected.etag) throw conditions.failed(key, expected);
  return there !== undefined;
}

async function remove(bucket: Bucket, key: string, IfMatch?: string): Promise<void> {
  const { sdk, client } = await bucket.connection();
  try {
    await send(async () => {
      const answer = await client.send(new sdk.DeleteObjectCommand({ ...bucket.at(key), IfMatch }));
      // Any other success may be the page of something in between.
      if (answer.$metadata.httpStatusCode !== 204 && (await bucket.ask(key))) throw new UnreadableAnswer();
    });
  } catch (error) {
    const { status, code } = faultOf(error, "");
    // Removed already, by an attempt whose answer was lost or by others.
    if (status !== 404 || code === "NoSuchBucket") throw error;
  }
}
