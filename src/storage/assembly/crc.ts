// CRCs that S3 has and Bun has no function for: CRC-32C and CRC-64/NVME, of bytes that the driver (../crc.ts) puts at `input`.
//
// A CRC is the remainder of the bytes, taken as one long polynomial, by that of the CRC. Long runs are shortened first, with nothing
// but exclusive or of vectors: where 1 + x^a + … + x^n has no remainder, neither has 1 + x^128a + … + x^128n (to square such a
// polynomial is to double its exponents), so a vector of 128 bits may be added to those n - a, …, n vectors behind it in place of
// itself. Few terms are few additions, a small n leaves little to the table; a search found these two.

/** Tables for eight bytes at a time: those of CRC-32C, of CRC-64/NVME. */
const TABLES: usize = 0;
const TABLE_BYTES: usize = 8 * 256 * 8;

/** The most bytes at once. */
const WINDOW: usize = 128 << 10;

/** So many vectors, at the most, behind a vector is the farthest that it is added to. */
const FARTHEST: usize = 305;

/** Before what is shortened there is nothing: zeros. */
const FOLDED: usize = TABLES + 2 * TABLE_BYTES + (FARTHEST << 4);
const INPUT: usize = FOLDED + WINDOW + 16;

export const input: usize = INPUT;
export const inputBytes: usize = WINDOW;

/** Makes both tables; once, before anything else. */
export function initTables(): void {
  fillTable(0, 0x82f63b78);
  fillTable(1, 0x9a6c9329ac4bc9b5);
}

/** The polynomials are written with the highest power in the lowest bit, as in all reflected CRCs. */
function fillTable(which: usize, polynomial: u64): void {
  const table = TABLES + which * TABLE_BYTES;
  for (let byte: usize = 0; byte < 256; byte++) {
    let rest: u64 = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >> 1) ^ (rest & 1 ? polynomial : 0);
    store<u64>(table + (byte << 3), rest);
  }
  for (let at = table; at < table + 7 * 2048; at += 8) {
    const rest = load<u64>(at);
    store<u64>(at, load<u64>(table + ((<usize>(rest & 255)) << 3)) ^ (rest >> 8), 2048);
  }
}

/** The CRC-32C of bytes that follow others of CRC `before` (0 where there are none). */
export function crc32c(before: u64, length: usize): u64 {
  const state = before ^ 0xffffffff;
  const folded = vectorsToFold(length, 209) << 4;
  if (folded === 0) return rest(0, state, 0, length) ^ 0xffffffff;
  begin(state, folded, length);
  for (let at: usize = 0; at < folded; at += 16) v128.store(at, sum32c(at), FOLDED);
  for (let at = folded; at < length; at += 16) v128.store(at, sum32c(at), INPUT);
  return rest(0, 0, folded, length) ^ 0xffffffff;
}

/** The CRC-64/NVME, as `crc32c`. */
export function crc64nvme(before: u64, length: usize): u64 {
  const folded = vectorsToFold(length, 305) << 4;
  if (folded === 0) return ~rest(1, ~before, 0, length);
  begin(~before, folded, length);
  for (let at: usize = 0; at < folded; at += 16) v128.store(at, sum64nvme(at), FOLDED);
  for (let at = folded; at < length; at += 16) v128.store(at, sum64nvme(at), INPUT);
  return ~rest(1, 0, folded, length);
}

/** Those that may be taken away, as all that they are added to is there. */
function vectorsToFold(length: usize, farthest: usize): usize {
  const vectors = length >> 4;
  return vectors > farthest ? vectors - farthest : 0;
}

/** The state of a CRC is added to the first bytes that follow. Of what is not taken away nothing is added to others. */
function begin(state: u64, folded: usize, length: usize): void {
  store<u64>(INPUT, load<u64>(INPUT) ^ state);
  memory.fill(FOLDED + folded, 0, length - folded);
}

/** 1 + x^14 + x^39 + x^54 + x^144 + x^209. */
function sum32c(at: usize): v128 {
  let sum = v128.load(at, INPUT);
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 65));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 155));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 170));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 195));
  return v128.xor(sum, v128.load(at, FOLDED - 16 * 209));
}

/** 1 + x^18 + x^21 + x^78 + x^82 + x^90 + x^106 + x^159 + x^213 + x^233 + x^291 + x^296 + x^305. */
function sum64nvme(at: usize): v128 {
  let sum = v128.load(at, INPUT);
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 9));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 14));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 72));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 92));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 146));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 199));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 215));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 223));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 227));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 284));
  sum = v128.xor(sum, v128.load(at, FOLDED - 16 * 287));
  return v128.xor(sum, v128.load(at, FOLDED - 16 * 305));
}

/** The state after the bytes from `at` to `end`, by the table. */
function rest(which: usize, state: u64, at: usize, end: usize): u64 {
  const table = TABLES + which * TABLE_BYTES;
  for (; at + 8 <= end; at += 8) {
    const word = state ^ load<u64>(at, INPUT);
    state =
      load<u64>(table + ((<usize>(word & 255)) << 3), 7 * 2048) ^
      load<u64>(table + ((<usize>((word >> 8) & 255)) << 3), 6 * 2048) ^
      load<u64>(table + ((<usize>((word >> 16) & 255)) << 3), 5 * 2048) ^
      load<u64>(table + ((<usize>((word >> 24) & 255)) << 3), 4 * 2048) ^
      load<u64>(table + ((<usize>((word >> 32) & 255)) << 3), 3 * 2048) ^
      load<u64>(table + ((<usize>((word >> 40) & 255)) << 3), 2 * 2048) ^
      load<u64>(table + ((<usize>((word >> 48) & 255)) << 3), 2048) ^
      load<u64>(table + ((<usize>(word >> 56)) << 3));
  }
  for (; at < end; at++)
    state = load<u64>(table + ((<usize>((state ^ load<u8>(at, INPUT)) & 255)) << 3)) ^ (state >> 8);
  return state;
}
