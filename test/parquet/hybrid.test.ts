// The RLE / bit-packing hybrid: bytes at the edges both ways, then anything back through hyparquet's decoder.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { ByteList } from "../../src/parquet/bytes.ts";
import { bitWidth, writeHybrid } from "../../src/parquet/hybrid.ts";

function write(values: number[], width: number, from = 0, to = values.length): Uint8Array {
  const out = new ByteList();
  writeHybrid(out, Uint32Array.from(values), from, to, width);
  return out.view().slice();
}

function read(bytes: Uint8Array, width: number, count: number): number[] {
  const values = new Array<number>(count).fill(0);
  readRleBitPackedHybrid(
    { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 },
    width,
    values,
    bytes.length,
  );
  return values;
}

const times = (count: number, value: number) => new Array<number>(count).fill(value);

test.each([
  ["nothing", [], 1, ""],
  ["one packed group, filled up", [1], 1, "0301"],
  ["the format's own example", [0, 1, 2, 3, 4, 5, 6, 7], 3, "0388c6fa"],
  ["seven of a kind are packed", times(7, 1), 1, "037f"],
  ["eight of a kind are a run", times(8, 1), 1, "1001"],
  ["a long run has a long count", times(200, 5), 3, "900305"],
  ["two-byte values", times(8, 300), 9, "102c01"],
  ["no bits at all", times(9, 0), 0, "12"],
  ["packed, then a run", [0, 1, 0, 1, 0, 1, 0, 1, ...times(8, 1)], 1, "03aa1201".slice(0, 4) + "1001"],
])("%s", (_name, values, width, bytes) => {
  expect(write(values, width).toHex()).toBe(bytes);
  if (width > 0) expect(read(Uint8Array.fromHex(bytes), width, values.length)).toEqual(values);
});

test("anything comes back", () => {
  const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 20 }), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 21 }), fc.nat(5), (pieces, width, skip) => {
      const values = pieces.flatMap(([value, count]) => times(count, value % 2 ** width));
      const from = Math.min(skip, values.length);
      expect(read(write(values, width, from), width, values.length - from)).toEqual(values.slice(from));
    }),
  );
});

test("bitWidth", () => {
  expect([0, 1, 2, 3, 4, 255, 256].map(bitWidth)).toEqual([0, 1, 2, 2, 3, 8, 9]);
});
