// Hashes of the thread beside are those of the bytes, however they are cut.
import { expect, test } from "bun:test";
import { type HashAlgorithm, HashBeside, hashOf } from "../../src/storage/hash-thread.ts";

const bytes = new Uint8Array(9 << 20).map((_, i) => (i * 31) ^ (i >> 9));
const expected = (algorithm: HashAlgorithm, bytes: Uint8Array<ArrayBuffer>) =>
  new Bun.CryptoHasher(algorithm).update(bytes).digest("hex");

for (const algorithm of ["md5", "sha1", "sha256"] as const) {
  test(`${algorithm} of chunks, several runs at once`, async () => {
    const read = async (size: number) => {
      const hash = new HashBeside(algorithm);
      for (let at = 0; at < bytes.length; at += size) await hash.take(bytes.slice(at, at + size));
      return Buffer.from(await hash.digest()).toString("hex");
    };
    const hashes = await Promise.all([read(1000), read(100_000), read(3 << 20), read(bytes.length)]);
    expect(new Set(hashes)).toEqual(new Set([expected(algorithm, bytes)]));
    expect(Buffer.from(await new HashBeside(algorithm).digest()).toString("hex")).toBe(
      expected(algorithm, new Uint8Array()),
    );
  });
}

test("a chunk is taken over with its memory; of a larger buffer only what the chunk has", async () => {
  const [one, buffer] = [bytes.slice(0, 2 << 20), bytes.slice(0, 5 << 20)];
  const part = buffer.subarray(2 << 20, 4 << 20);
  const hash = new HashBeside("md5");
  await hash.take(one);
  await hash.take(part);
  expect([one.length, part.length, buffer[0]]).toEqual([0, 2 << 20, bytes[0]!]);
  expect(Buffer.from(await hash.digest()).toString("hex")).toBe(expected("md5", bytes.slice(0, 4 << 20)));
});

test("lent bytes come back", async () => {
  const lent = bytes.slice();
  const { hash, bytes: back } = await hashOf("sha1", lent);
  expect(lent.length).toBe(0);
  expect(Buffer.compare(back, bytes)).toBe(0);
  expect(Buffer.from(hash).toString("hex")).toBe(expected("sha1", bytes));
});

test("one that was ended early disturbs no other", async () => {
  const [ended, other] = [new HashBeside("md5"), new HashBeside("md5")];
  await ended.take(bytes.slice(0, 3 << 20));
  await other.take(bytes.slice());
  ended.close();
  ended.close();
  expect(Buffer.from(await other.digest()).toString("hex")).toBe(expected("md5", bytes));
});

test("a program waits for its hashes, and for nothing else", async () => {
  const path = new URL("../../src/storage/hash-thread.ts", import.meta.url).pathname;
  const program = `
    const { hashOf } = await import(${JSON.stringify(path)});
    const { hash } = await hashOf("md5", new Uint8Array(50_000_000));
    console.log(Buffer.from(hash).toString("hex"));`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  expect((await child.stdout.text()).trim()).toBe(expected("md5", new Uint8Array(50_000_000)));
  expect(await child.exited).toBe(0);
});
