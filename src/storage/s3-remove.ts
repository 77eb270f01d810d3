// One object removed from S3, or only the version of it that is expected there.
import { ConditionFailed } from "../errors.ts";
import type { Bucket } from "./s3-bucket.ts";
import type { Conditions } from "./s3-conditions.ts";
import { faultOf } from "./s3-fault.ts";

/**
 * S3 takes If-Match here as it does for writes. Stores that do not know it remove whatever lies there, so a look comes first
 * where they are known to ignore conditions. Throws ConditionFailed, OutputError.
 */
export async function removeObject(
  bucket: Bucket,
  conditions: Conditions,
  key: string,
  expected: { readonly etag: string } | undefined,
): Promise<void> {
  try {
    if (expected && conditions.areIgnored) {
      const there = await bucket.head(key);
      if (there === undefined) return;
      if (there.etag !== expected.etag) throw conditions.failed(key, expected);
    }
    const IfMatch = expected && !conditions.areIgnored ? `"${expected.etag}"` : undefined;
    const { sdk, client } = await bucket.connection();
    await client.send(new sdk.DeleteObjectCommand({ ...bucket.at(key), IfMatch }));
  } catch (error) {
    if (error instanceof ConditionFailed) throw error;
    const { status, code } = faultOf(error, "");
    if (status === 404 && code !== "NoSuchBucket") return; // removed already, by an attempt whose answer was lost or by others
    if (status === 412 && expected) {
      if ((await bucket.head(key)) === undefined) return;
      throw conditions.failed(key, expected);
    }
    if (status === 501 && expected && conditions.areUnknown()) return removeObject(bucket, conditions, key, expected);
    throw bucket.failed("remove", key, error, "s3:DeleteObject");
  }
}
