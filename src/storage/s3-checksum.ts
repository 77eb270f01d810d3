// What the bytes of an S3 object are checked against (P11).
import { type HashAlgorithm, HashBeside, hashOf } from "./hash-thread.ts";
import { CRC_NAMES, type CrcName, isCrc } from "./s3-crc.ts";
import { crcSum } from "./s3-crc-sum.ts";
import type { Facts } from "./s3-fetch.ts";

/** A check of all bytes of an object. */
export interface Checksum {
  /** "CRC32", "MD5", … */
  readonly name: string;
  /** Takes a chunk over, with its memory. */
  take(chunk: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** Whether the bytes were those that the store has. Ends the checking. */
  matches(): boolean | Promise<boolean>;
  /** Ends it all the same; to be called at the end. */
  close(): void;
}

/** Which checksum of the whole object the store has. */
export interface Expected {
  readonly name: CrcName | "SHA1" | "SHA256" | "MD5";
  readonly value: Uint8Array;
}

/** Base64 of a checksum over the whole object, undefined where the store has none of that kind. */
function stored(facts: Facts, name: Exclude<Expected["name"], "MD5">): string | undefined {
  const value = facts[`Checksum${name}`];
  // A checksum of the checksums of parts ends in "-N": without the sizes of the parts it says nothing about bytes.
  return facts.ChecksumType === "COMPOSITE" || value?.includes("-") ? undefined : value;
}

/** The checksum of the whole object as CRC-32, base64. */
export function storedCrc32(facts: Facts): string | undefined {
  return stored(facts, "CRC32");
}

/**
 * The MD5 of the object, where its ETag is that: uploaded in one piece, not encrypted with a key of KMS or of a customer.
 * Hexadecimal.
 */
export function storedMd5(facts: Facts): string | undefined {
  const etag = facts.ETag?.replaceAll('"', "");
  const keyed = facts.ServerSideEncryption?.startsWith("aws:kms") || facts.SSECustomerAlgorithm !== undefined;
  return etag !== undefined && !keyed && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined;
}

/** The quickest check that the facts allow, undefined when they allow none. */
export function expectedOf(facts: Facts): Expected | undefined {
  const crc = expectedCrc(facts);
  if (crc !== undefined) return crc;
  for (const name of ["SHA1", "SHA256"] as const) {
    const value = stored(facts, name);
    if (value !== undefined) return { name, value: Buffer.from(value, "base64") };
  }
  const md5 = storedMd5(facts);
  return md5 === undefined ? undefined : { name: "MD5", value: Buffer.from(md5, "hex") };
}

/** A CRC of all bytes, which can be put together from those of pieces; undefined where the store has none. */
export function expectedCrc(facts: Facts): (Expected & { readonly name: CrcName }) | undefined {
  for (const name of CRC_NAMES) {
    const value = stored(facts, name);
    if (value !== undefined) return { name, value: Buffer.from(value, "base64") };
  }
  return undefined;
}

const HASHES: Record<Exclude<Expected["name"], CrcName>, HashAlgorithm> = {
  MD5: "md5",
  SHA1: "sha1",
  SHA256: "sha256",
};

/** Checks what comes in chunks, the slow sums beside whatever is done with them. */
export async function checksumOf({ name, value }: Expected): Promise<Checksum> {
  if (!isCrc(name)) {
    const hash = new HashBeside(HASHES[name]);
    return {
      name,
      take: (chunk) => hash.take(chunk),
      matches: async () => Buffer.compare(await hash.digest(), value) === 0,
      close: () => hash.close(),
    };
  }
  const sum = await sumOf(name);
  return {
    name,
    take(chunk) {
      sum.update(chunk);
      release(chunk);
    },
    matches: async () => Buffer.compare(await sum.digest(), value) === 0,
    close() {},
  };
}

/** A thread takes a while to start: it is worth it once so many bytes were hashed without it. */
const INLINE_BYTES = 16 << 20;
let inline = 0;

/** Whether a whole small object is as it should be; gives its bytes back, for those given may be gone. */
export async function checked(
  { name, value }: Expected,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ matches: boolean; bytes: Uint8Array<ArrayBuffer> }> {
  if (!isCrc(name) && inline >= INLINE_BYTES) {
    const hashed = await hashOf(HASHES[name], bytes);
    return { matches: Buffer.compare(hashed.hash, value) === 0, bytes: hashed.bytes };
  }
  const sum = isCrc(name) ? await sumOf(name) : new Bun.CryptoHasher(HASHES[name]);
  if (!isCrc(name)) inline += bytes.length;
  sum.update(bytes);
  return { matches: Buffer.compare(await sum.digest(), value) === 0, bytes };
}

export interface Sum {
  update(chunk: Uint8Array): void;
  digest(): Uint8Array | Promise<Uint8Array>;
}

export async function sumOf(name: CrcName): Promise<Sum> {
  if (name === "CRC32") {
    let crc = 0;
    return {
      update(chunk) {
        crc = Bun.hash.crc32(chunk, crc);
      },
      digest: () => crc32Bytes(crc),
    };
  }
  const sum = await crcSum(name);
  if (sum !== undefined) return sum;
  const { Crc32c, Crc64NvmeJs } = await import("@aws-sdk/checksums/crc");
  return name === "CRC32C" ? new Crc32c() : new Crc64NvmeJs();
}

/** A CRC-32 as S3 writes it: base64 of its four bytes. */
export function crc32Text(crc: number): string {
  return crc32Bytes(crc).toString("base64");
}

function crc32Bytes(crc: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes;
}

/** Gives the memory of a chunk back at once: while rows are made the collector comes too late, and it would pile up. */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer).transfer(0);
}
