// CRCs of S3 as numbers: that of bytes that follow each other can be told from those of the pieces.
import { InternalError } from "../errors.ts";

/** Their widths, and their polynomials with the highest power in the lowest bit, as all of them are computed. */
const CRCS = {
  CRC32: { bits: 32, polynomial: 0xedb88320n },
  CRC32C: { bits: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const;

export type CrcName = keyof typeof CRCS;

/** As they are preferred: CRC-32 takes next to no time; the others take much the same, and one of them is wider. */
export const CRC_NAMES = ["CRC32", "CRC64NVME", "CRC32C"] as const satisfies readonly CrcName[];

export function isCrc(name: string): name is CrcName {
  return name in CRCS;
}

/** What a piece with this CRC adds (by exclusive or) to that of a whole in which so many bytes follow it: crc · x^(8 · bytes). */
export function shifted(name: CrcName, crc: bigint, bytes: number): bigint {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new InternalError(`Cannot shift a CRC by ${bytes} bytes`);
  const { bits, polynomial } = CRCS[name];
  const one = 1n << BigInt(bits - 1);
  const times = (a: bigint, b: bigint): bigint => {
    let product = 0n;
    for (let bit = one; bit > 0n; bit >>= 1n) {
      if (a & bit) product ^= b;
      b = b & 1n ? (b >> 1n) ^ polynomial : b >> 1n;
    }
    return product;
  };
  let power = one >> 8n; // x^8, then its squares
  let shifted = crc;
  for (let left = BigInt(bytes); left > 0n; left >>= 1n) {
    if (left & 1n) shifted = times(power, shifted);
    power = times(power, power);
  }
  return shifted;
}
