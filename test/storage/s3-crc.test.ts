// The CRC of bytes from those of the pieces they are cut into, for each kind, and for lengths that nobody would read.
import { expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { sumOf } from "../../src/storage/s3-checksum.ts";
import { CRC_NAMES, shifted } from "../../src/storage/s3-crc.ts";

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
