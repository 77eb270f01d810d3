// The CRC of bytes from those of the pieces they are cut into, for each kind, and for lengths that nobody would read.
import { expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { Crc32c, Crc64NvmeJs } from "@aws-sdk/checksums/crc";
import fc from "fast-check";
import { sumOf } from "../../src/storage/s3-checksum.ts";
import { CRC_NAMES, shifted } from "../../src/storage/s3-crc.ts";
import { crcSum } from "../../src/storage/s3-crc-sum.ts";

for (const name of CRC_NAMES) {
  const crcOf = async (bytes: Uint8Array): Promise<bigint> => {
    const sum = await sumOf(name);
    sum.update(bytes);
    return BigInt(`0x${(await sum.digest()).toHex()}`);
  };

  test(`${name} of pieces`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), async (pieces) => {
        const whole = Buffer.concat(pieces);
        let [total, left] = [0n, whole.length];
        for (const piece of pieces) {
          left -= piece.length;
          total ^= shifted(name, await crcOf(piece), left);
        }
        expect(total).toBe(await crcOf(whole));
      }),
    );
  });

  test(`${name}: by any number of bytes at once or in steps`, async () => {
    const crc = await crcOf(Buffer.from("a"));
    expect(shifted(name, crc, 0)).toBe(crc);
    expect(shifted(name, shifted(name, crc, 5e12 - 1), 1)).toBe(shifted(name, crc, 5e12));
  });
}

test("against the checksum of 123456789, and of zlib", async () => {
  for (const [name, value] of [
    ["CRC32", 0xcbf43926n],
    ["CRC32C", 0xe3069283n],
    ["CRC64NVME", 0xae8b14860a799888n],
  ] as const) {
    const sum = await sumOf(name);
    sum.update(Buffer.from("1234"));
    sum.update(Buffer.from("56789"));
    expect(BigInt(`0x${(await sum.digest()).toHex()}`)).toBe(value);
  }
  const [a, b] = [Buffer.from("one"), Buffer.from("another")];
  expect(shifted("CRC32", BigInt(crc32(a)), b.length) ^ BigInt(crc32(b))).toBe(BigInt(crc32(Buffer.concat([a, b]))));
});

for (const [name, Theirs] of [
  ["CRC32C", Crc32c],
  ["CRC64NVME", Crc64NvmeJs],
] as const) {
  const SIZE = 700_000;
  const random = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 65_536) crypto.getRandomValues(random.subarray(at, at + 65_536));
  const theirs = async (bytes: Uint8Array): Promise<string> => {
    const sum = new Theirs();
    sum.update(bytes);
    return (await sum.digest()).toHex();
  };

  test(`${name}: what the SDK computes, of every length up to where vectors are used, and around what is done at once`, async () => {
    const lengths = [
      ...Array(5200).keys(),
      ...[1, 2, 3].flatMap((n) => [-17, -16, -1, 0, 1, 16, 17].map((d) => (n << 17) + d)),
    ];
    for (const length of lengths) {
      const bytes = random.subarray(length % 13, (length % 13) + length);
      const sum = (await crcSum(name))!;
      sum.update(bytes);
      if (sum.digest().toHex() !== (await theirs(bytes))) throw new Error(`It differs for ${length} bytes`);
    }
  });

  test(`${name}: in pieces of any length, of several sums in turns`, async () => {
    const whole = await theirs(random);
    const piece = fc.oneof(fc.nat(40), fc.nat(9000), fc.nat(300_000));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.array(piece, { maxLength: 20 }), async (...cuts) => {
        const sums = [(await crcSum(name))!, (await crcSum(name))!];
        const at = [0, 0];
        for (let n = 0; at.some((one) => one < SIZE); n++) {
          for (const i of [0, 1]) {
            const end = at[i]! + (cuts[i]![n] ?? SIZE);
            sums[i]!.update(random.subarray(at[i], end));
            at[i] = Math.min(SIZE, end);
          }
        }
        for (const sum of sums) expect(sum.digest().toHex()).toBe(whole);
      }),
      { numRuns: 30 },
    );
  });

  test(`${name}: each flipped bit of a larger run is seen`, async () => {
    const bytes = random.slice(0, 200_000);
    const whole = await theirs(bytes);
    for (let bit = 3; bit < 8 * bytes.length; bit += 7919) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const sum = (await crcSum(name))!;
      sum.update(bytes);
      expect(sum.digest().toHex()).not.toBe(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
}
