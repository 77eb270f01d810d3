// Whole-object compression: every format, several members, what follows them, and broken streams.
import { describe, expect, test } from "bun:test";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { FormatError } from "../../src/errors.ts";
import { inflate } from "../../src/heka/inflate.ts";
import { inflateAll, reusedChunks, utf8 } from "./objects.ts";

const words = utf8(Array.from({ length: 40_000 }, (_, i) => `word ${(i * 7919) % 10_007} `).join(""));
const other = utf8("something else, ".repeat(3000));
const zstdChecked = (bytes: Uint8Array): Buffer =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
const formats: [string, (bytes: Uint8Array) => Uint8Array][] = [
  ["gzip", gzipSync],
  ["zstd", (bytes) => Bun.zstdCompressSync(bytes)],
  ["zstd with checksum", zstdChecked],
];
const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = new Uint8Array(bytes);
  copy[at < 0 ? copy.length + at : at] ^= 1;
  return copy;
};
const same = (got: { bytes: Uint8Array; error?: unknown }, wanted: Uint8Array): void => {
  expect(got.error).toBeUndefined();
  expect(Buffer.compare(got.bytes, wanted)).toBe(0);
};

describe.each(formats)("%s", (name, compress) => {
  test("one, several and empty members, in chunks of any size", async () => {
    const one = compress(words);
    const several = concat(compress(other), compress(new Uint8Array(0)), one, compress(other));
    for (const size of [7, 1000, 1 << 20]) {
      same(await inflateAll(one, size), words);
      same(await inflateAll(several, size), concat(other, words, other));
    }
    same(await inflateAll(compress(other), 1), other);
  });

  test("what follows the last member passes through", async () => {
    for (const tail of ["\n", "no compressed bytes", "\x1f"]) {
      same(await inflateAll(concat(compress(other), utf8(tail)), 100), concat(other, utf8(tail)));
    }
  });

  test("truncated: what was decoded, then an error with its offset", async () => {
    const whole = concat(compress(other), compress(words));
    for (const cut of [1, 3, 4, 5, 9, 1000]) {
      const { bytes, error } = await inflateAll(whole.subarray(0, -cut), 500);
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toContain("truncated");
      expect((error as FormatError).offset).toBe(bytes.length);
      expect(bytes.length).toBeGreaterThanOrEqual(other.length);
      expect(Buffer.compare(bytes, concat(other, words).subarray(0, bytes.length))).toBe(0);
    }
  });

  test("a corrupt stream gives the same bytes whatever the chunks", async () => {
    // Two members, so that some bytes come out before the fault.
    const broken = flipped(concat(compress(other), compress(words)), 9000);
    const outcomes = await Promise.all([100, 1000, 1 << 20].map((size) => inflateAll(broken, size)));
    for (const { bytes, error } of outcomes) {
      expect(bytes.length).toBeGreaterThanOrEqual(other.length);
      expect(Buffer.compare(bytes, outcomes[0].bytes)).toBe(0);
      expect(String(error)).toBe(String(outcomes[0].error));
      // Only zstd without a checksum may not notice.
      if (name !== "zstd") expect(error).toBeInstanceOf(FormatError);
    }
  });
});

test("checksums are checked (P11)", async () => {
  for (const at of [-1, -5, -8]) {
    expect((await inflateAll(flipped(gzipSync(words), at))).error).toBeInstanceOf(FormatError);
  }
  expect((await inflateAll(flipped(zstdChecked(words), -1))).error).toBeInstanceOf(FormatError);
});

test("a gzip header with every optional part", async () => {
  const plain = gzipSync(other);
  const header = new Uint8Array([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 0x6e, 0, 0x63, 0, 0x11, 0x22]);
  for (const size of [1, 4, 1000]) same(await inflateAll(concat(header, plain.subarray(10)), size), other);
});

test("a skippable zstd frame is skipped", async () => {
  const skippable = new Uint8Array([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const zstd = Bun.zstdCompressSync(other);
  same(await inflateAll(concat(skippable, zstd, skippable, zstd), 10), concat(other, other));
});

test("formats may follow one another; anything else passes through", async () => {
  same(await inflateAll(concat(gzipSync(other), Bun.zstdCompressSync(words))), concat(other, words));
  for (const plain of ["", "\x1f", "\x1e\x02", "plain bytes"]) same(await inflateAll(utf8(plain), 1), utf8(plain));
});

test("a bomb only streams (P9)", async () => {
  const zeros = new Uint8Array(200 * 1024 * 1024);
  for (const bomb of [gzipSync(zeros), Bun.zstdCompressSync(zeros)]) {
    let total = 0;
    let largest = 0;
    for await (const chunk of inflate(reusedChunks(bomb, 1 << 20))) {
      total += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    expect(total).toBe(zeros.length);
    expect(largest).toBeLessThanOrEqual(1 << 20);
  }
});

test("a source that fails is not taken for a broken stream, and one no longer wanted is closed", async () => {
  let closed = 0;
  async function* source(): AsyncIterable<Uint8Array> {
    try {
      yield gzipSync(words);
      throw new Error("cannot read");
    } finally {
      closed++;
    }
  }
  const read = async (): Promise<void> => {
    for await (const _chunk of inflate(source()));
  };
  await expect(read()).rejects.toThrow("cannot read");
  for await (const _chunk of inflate(source())) break;
  expect(closed).toBe(2);
});
