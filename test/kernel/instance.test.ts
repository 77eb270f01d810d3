import { expect, test } from "bun:test";
import { createKernel } from "../../src/kernel/instance.ts";
import { kernelModule } from "../../src/kernel/module.ts";

test("blocks do not overlap, and come back when they are given back", async () => {
  const { memory } = createKernel((await kernelModule())!);
  const sizes = [1, 64, 65, 1000, 5 << 20, 0, 200_000];
  const blocks = sizes.map((size) => memory.allocate(size));
  for (const [i, size] of sizes.entries()) memory.bytes.fill(i + 1, blocks[i], blocks[i]! + size);
  for (const [i, size] of sizes.entries()) {
    const block = memory.bytes.subarray(blocks[i], blocks[i]! + size);
    expect(block.every((byte) => byte === i + 1)).toBe(true);
  }
  memory.release(blocks[4]!, 5 << 20);
  expect(memory.allocate(5 << 20)).toBe(blocks[4]!);
});

test("what there is no memory for is an error, and the kernel goes on", async () => {
  const { memory } = createKernel((await kernelModule())!);
  for (const bytes of [2 ** 30, 2 ** 32 - 1]) expect(() => memory.allocate(bytes)).toThrow("Cannot get");
  expect(memory.allocate(100)).toBeGreaterThan(0);
});
