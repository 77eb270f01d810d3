// One object removed from S3, or only the version of it that is expected there.
import { ConditionFailed } from "../errors.ts";
import type { Bucket } from "./s3-bucket.ts";
import type { Conditions } from "./s3-conditions.ts";
import { faultOf } from "./s3-fault.ts";
import { unquoted } from "./s3-fetch.ts";

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
    if (!expected) return await bucket.remove(key);
    if (!(await isThere(bucket, conditions, key, expected))) return;
    await bucket.remove(key, `"${expected.etag}"`).catch(async (error) => {
      const { status } = faultOf(error, "");
      if (status !== 412 && status !== 501) throw error;
      // Changed in this moment; or the store refuses what it does not know, whatever lies there.
      if (await isThere(bucket, conditions, key, expected)) await bucket.remove(key);
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
