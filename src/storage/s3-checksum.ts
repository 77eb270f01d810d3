// What the bytes of an S3 object are checked against while they pass (P11).
import type { GetObjectCommandOutput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";

export interface Checksum {
  /** "CRC32", "MD5", … */
  readonly name: string;
  update(chunk: Uint8Array): void;
  /** Whether the bytes were those that the store has. Ends the checking. */
  matches(): Promise<boolean>;
}

type Answer = GetObjectCommandOutput | HeadObjectCommandOutput;

/** Base64 of a checksum over the whole object, undefined where the store has none of that kind. */
function stored(answer: Answer, name: "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256"): string | undefined {
  const value = answer[`Checksum${name}`];
  // A checksum of the checksums of parts ends in "-N": without the sizes of the parts it says nothing about bytes.
  return answer.ChecksumType === "COMPOSITE" || value?.includes("-") ? undefined : value;
}

/** The checksum of the whole object as CRC-32, base64. */
export function storedCrc32(answer: Answer): string | undefined {
  return stored(answer, "CRC32");
}

/**
 * The MD5 of the object, where its ETag is that: uploaded in one piece, not encrypted with a key of KMS or of a customer.
 * Hexadecimal.
 */
export function storedMd5(answer: Answer): string | undefined {
  const etag = answer.ETag?.replaceAll('"', "");
  const keyed = answer.ServerSideEncryption?.startsWith("aws:kms") || answer.SSECustomerAlgorithm !== undefined;
  return etag !== undefined && !keyed && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined;
}

/** The quickest check that the answer allows, undefined when it allows none. */
export async function checksumOf(answer: Answer): Promise<Checksum | undefined> {
  const crc32 = stored(answer, "CRC32");
  if (crc32 !== undefined) return crc32Of(crc32);
  const sha1 = stored(answer, "SHA1");
  if (sha1 !== undefined) return hashOf("SHA1", "sha1", "base64", sha1);
  const sha256 = stored(answer, "SHA256");
  if (sha256 !== undefined) return hashOf("SHA256", "sha256", "base64", sha256);
  for (const name of ["CRC64NVME", "CRC32C"] as const) {
    const value = stored(answer, name);
    if (value !== undefined) return crcOf(name, value);
  }
  const md5 = storedMd5(answer);
  return md5 === undefined ? undefined : hashOf("MD5", "md5", "hex", md5);
}

function crc32Of(expected: string): Checksum {
  let crc = 0;
  return {
    name: "CRC32",
    update(chunk) {
      crc = Bun.hash.crc32(chunk, crc);
    },
    matches: async () => crc32Text(crc) === expected,
  };
}

/** A CRC-32 as S3 writes it: base64 of its four bytes. */
export function crc32Text(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc >>> 0);
  return bytes.toString("base64");
}

function hashOf(
  name: string,
  algorithm: "md5" | "sha1" | "sha256",
  form: "hex" | "base64",
  expected: string,
): Checksum {
  const hash = new Bun.CryptoHasher(algorithm);
  return {
    name,
    update: (chunk) => void hash.update(chunk),
    matches: async () => hash.digest(form) === expected,
  };
}

async function crcOf(name: "CRC32C" | "CRC64NVME", expected: string): Promise<Checksum> {
  const { Crc32c, Crc64NvmeJs } = await import("@aws-sdk/checksums/crc");
  const crc = name === "CRC32C" ? new Crc32c() : new Crc64NvmeJs();
  return {
    name,
    update: (chunk) => void crc.update(chunk),
    matches: async () => Buffer.from(await crc.digest()).toString("base64") === expected,
  };
}
