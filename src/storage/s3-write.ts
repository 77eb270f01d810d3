// One object written to S3 at one instant, begun again where the store asks for that.
import { ConditionFailed, OutputError } from "../errors.ts";
import { crc32Text } from "./s3-checksum.ts";
import { send } from "./s3-client.ts";
import type { ConditionHeaders } from "./s3-conditions.ts";
import { faultOf } from "./s3-fault.ts";
import { unquoted } from "./s3-fetch.ts";
import { putInParts } from "./s3-multipart.ts";
import { pause } from "./s3-patience.ts";
import { bodies, settle, type Write, WriteAgain } from "./s3-settle.ts";

/** Larger objects go up in parts. */
const WHOLE_BYTES = 16 << 20;

/** How often a write is begun. */
const BEGINNINGS = 6;

/** Codes for bytes that did not arrive as they were sent. */
const DAMAGED_ON_THE_WAY = new Set(["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"]);

/** Writes an object and gives its ETag. Throws ConditionFailed, OutputError. */
export async function writeObject(write: Write): Promise<string> {
  const { bucket, conditions, key, content, expected, signal } = write;
  for (let beginning = 1; ; beginning++) {
    try {
      const headers = await conditions.headersFor(key, expected, signal);
      return await (content.byteLength > WHOLE_BYTES ? putInParts(write, headers) : putWhole(write, headers));
    } catch (error) {
      if (error instanceof ConditionFailed || error instanceof OutputError) throw error;
      const { status, code } = faultOf(error, "");
      const again =
        error instanceof WriteAgain ||
        DAMAGED_ON_THE_WAY.has(code) ||
        (status === 501 && expected !== "anything" && conditions.areUnknown());
      if (!again || beginning === BEGINNINGS || signal.aborted) {
        throw bucket.failed("write", key, (error as Error).cause ?? error, "s3:PutObject");
      }
    }
    await pause(beginning);
  }
}

function putWhole(write: Write, headers: ConditionHeaders): Promise<string> {
  const { bucket, key, content, signal } = write;
  return bodies.pass(async () => {
    const Body = content.read(0, content.byteLength);
    const ChecksumCRC32 = crc32Text(Bun.hash.crc32(Body));
    const { sdk, client } = await bucket.connection();
    try {
      const command = () =>
        client.send(new sdk.PutObjectCommand({ ...bucket.at(key), Body, ChecksumCRC32, ...headers }), {
          abortSignal: signal,
        });
      const { ETag } = await send(command, ({ ETag }) => ETag !== undefined);
      return unquoted(ETag)!;
    } catch (error) {
      return settle(write, error, new Bun.CryptoHasher("md5").update(Body).digest("hex"));
    }
  });
}
