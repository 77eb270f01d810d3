// Large objects go to S3 in parts, few at a time; uploads that came to no end are ended.
import type { CompletedPart } from "@aws-sdk/client-s3";
import { folderPrefix } from "./keys.ts";
import type { Bucket } from "./s3-bucket.ts";
import { crc32Text } from "./s3-checksum.ts";
import { send } from "./s3-client.ts";
import type { ConditionHeaders } from "./s3-conditions.ts";
import { faultOf, isUnreadable, UnreadableAnswer } from "./s3-fault.ts";
import { unquoted } from "./s3-fetch.ts";
import { bodies, settle, type Write, WriteAgain } from "./s3-settle.ts";

const PART_BYTES = 8 << 20;
const MOST_PARTS = 10_000;

/** Parts of one upload in flight at once. */
const LANES = 4;

/** An interrupted run has five seconds to leave no upload behind. */
const ABORT_MS = 4_000;

/** Gives the ETag; no upload is left pending, however it ends. */
export async function putInParts(write: Write, headers: ConditionHeaders): Promise<string> {
  const { bucket, key } = write;
  let upload: string | undefined;
  try {
    upload = await begin(write);
    const parts = await sendParts(write, upload);
    const etag = await complete(write, upload, parts, headers);
    upload = undefined;
    return etag;
  } finally {
    if (upload !== undefined) await end(bucket, key, upload);
    if (write.strays) await endAll(bucket, key);
  }
}

async function begin(write: Write): Promise<string> {
  const { bucket, key, signal } = write;
  const { sdk, client } = await bucket.connection();
  const input = { ...bucket.at(key), ChecksumAlgorithm: "CRC32" as const };
  let attempts = 0;
  const command = async () => {
    attempts++;
    const answer = await client.send(new sdk.CreateMultipartUploadCommand(input), { abortSignal: signal });
    attempts += (answer.$metadata.attempts ?? 1) - 1;
    return answer;
  };
  try {
    const { UploadId } = await send(command, ({ UploadId }) => UploadId !== undefined);
    write.strays ||= attempts > 1;
    return UploadId!;
  } catch (error) {
    write.strays ||= faultOf(error, "").inDoubt;
    throw error;
  }
}

interface Part extends CompletedPart {
  readonly md5: Uint8Array;
}

async function sendParts(write: Write, UploadId: string): Promise<Part[]> {
  const { bucket, key, content, signal } = write;
  const { sdk, client } = await bucket.connection();
  const partBytes = Math.max(PART_BYTES, Math.ceil(content.byteLength / MOST_PARTS));
  const count = Math.ceil(content.byteLength / partBytes);
  const parts: Part[] = new Array(count);
  let next = 0;
  let failed = false;

  const sendPart = (index: number) =>
    bodies.pass(async () => {
      const start = index * partBytes;
      const Body = content.read(start, Math.min(partBytes, content.byteLength - start));
      const ChecksumCRC32 = crc32Text(Bun.hash.crc32(Body));
      const PartNumber = index + 1;
      const command = () =>
        client.send(new sdk.UploadPartCommand({ ...bucket.at(key), UploadId, PartNumber, Body, ChecksumCRC32 }), {
          abortSignal: signal,
        });
      const { ETag } = await send(command, ({ ETag }) => ETag !== undefined);
      parts[index] = { PartNumber, ETag, ChecksumCRC32, md5: new Bun.CryptoHasher("md5").update(Body).digest() };
    });
  const lane = async (): Promise<void> => {
    while (next < count && !failed) await sendPart(next++);
  };
  // All lanes end before the upload does: a part that arrives after its end would stay for ever.
  const ends = await Promise.allSettled(
    Array.from({ length: LANES }, () =>
      lane().catch((error) => {
        failed = true;
        throw error;
      }),
    ),
  );
  const failure = ends.find((end) => end.status === "rejected");
  if (failure === undefined) return parts;
  if (faultOf(failure.reason, "").code !== "NoSuchUpload") throw failure.reason;
  // Ended by another run; or its name was damaged on its way to us.
  write.strays = true;
  throw new WriteAgain("", { cause: failure.reason });
}

async function complete(
  write: Write,
  UploadId: string,
  parts: readonly Part[],
  headers: ConditionHeaders,
): Promise<string> {
  const { bucket, key, conditions, expected, signal } = write;
  const { sdk, client } = await bucket.connection();
  const Parts = parts.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({ PartNumber, ETag, ChecksumCRC32 }));
  const md5 = new Bun.CryptoHasher("md5");
  for (const part of parts) md5.update(part.md5);
  const likely = `${md5.digest("hex")}-${parts.length}`;
  try {
    // Ceph, for one, knows conditions but not for the end of an upload in parts.
    if (expected !== "anything") await conditions.look(key, expected, signal);
    const { ETag } = await client.send(
      new sdk.CompleteMultipartUploadCommand({ ...bucket.at(key), UploadId, MultipartUpload: { Parts }, ...headers }),
      { abortSignal: signal },
    );
    // Written under later on: one that is not what it should be is asked for again.
    if (unquoted(ETag) !== likely) throw new UnreadableAnswer();
    return likely;
  } catch (error) {
    // An answer that is none may be anyone's: where nothing came of it, all is begun again.
    return settle(write, isUnreadable(error) ? new WriteAgain("", { cause: error }) : error, likely);
  }
}

/** Ends one upload; what cannot be ended now is what `abortUploads` is for. */
async function end(bucket: Bucket, key: string, UploadId: string): Promise<void> {
  try {
    const { sdk, client } = await bucket.connection();
    await client.send(new sdk.AbortMultipartUploadCommand({ ...bucket.at(key), UploadId }), {
      abortSignal: AbortSignal.timeout(ABORT_MS),
    });
  } catch {
    // It is gone already, or the failure that brought us here stands in the way of this too.
  }
}

async function endAll(bucket: Bucket, key: string): Promise<void> {
  try {
    for (const { Key, UploadId } of await pendingUploads(bucket, key, AbortSignal.timeout(ABORT_MS))) {
      if (Key === bucket.root + key) await end(bucket, key, UploadId);
    }
  } catch {
    // As above.
  }
}

/** Ends the uploads of Parquet objects below the folder `prefix` and gives their number. */
export async function abortUploads(bucket: Bucket, prefix: string): Promise<number> {
  try {
    const uploads = await pendingUploads(bucket, folderPrefix(prefix));
    const ours = uploads.filter(({ Key }) => Key.endsWith(".parquet"));
    for (const { Key, UploadId } of ours) await end(bucket, Key.slice(bucket.root.length), UploadId);
    return ours.length;
  } catch (error) {
    // Credentials that may not list uploads, and stores that cannot, are no reason to fail what is committed already.
    const { status } = faultOf(error, "");
    if (status === 403 || status === 405 || status === 501) return 0;
    throw bucket.failed("list the uploads below", folderPrefix(prefix), error, "s3:ListBucketMultipartUploads");
  }
}

async function pendingUploads(
  bucket: Bucket,
  prefix: string,
  signal?: AbortSignal,
): Promise<{ Key: string; UploadId: string }[]> {
  const { sdk, client } = await bucket.connection();
  const found: { Key: string; UploadId: string }[] = [];
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const input = { Bucket: bucket.name, Prefix: bucket.root + prefix, ...marker, ...bucket.payer };
    const answer = await send(
      () => client.send(new sdk.ListMultipartUploadsCommand(input), { abortSignal: signal }),
      ({ IsTruncated }) => IsTruncated !== undefined,
    );
    for (const { Key, UploadId } of answer.Uploads ?? []) if (Key && UploadId) found.push({ Key, UploadId });
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = answer;
    if (!IsTruncated || !NextKeyMarker) return found;
    marker = { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker };
  }
}
