// Parquet's RLE / bit-packing hybrid, for levels and dictionary indices.

import type { ByteList } from "./bytes.ts";

/** Shorter runs cost more as a run than packed. */
const SHORTEST_RUN = 8;

/** Bits that hold every number from 0 to `largest`. */
export function bitWidth(largest: number): number {
  return 32 - Math.clz32(largest);
}

/** Appends `values[from]` to `values[to - 1]`, each below 2 ** width; width at most 24. */
export function writeHybrid(
  out: ByteList,
  values: Uint8Array | Uint32Array,
  from: number,
  to: number,
  width: number,
): void {
  let packedFrom = from;
  let at = from;
  while (at < to) {
    const value = values[at];
    let end = at + 1;
    while (end < to && values[end] === value) end++;
    if (end - at >= SHORTEST_RUN) {
      writePacked(out, values, packedFrom, at, width);
      writeRun(out, value!, end - at, width);
      at = end;
      packedFrom = end;
    } else {
      // Packed values come in groups of eight; only the last group of all is filled up.
      at = Math.min(at + 8, to);
    }
  }
  writePacked(out, values, packedFrom, to, width);
}

function writeRun(out: ByteList, value: number, count: number, width: number): void {
  writeVarint(out, count * 2);
  for (let bits = 0; bits < width; bits += 8) out.push((value >>> bits) & 0xff);
}

function writePacked(out: ByteList, values: Uint8Array | Uint32Array, from: number, to: number, width: number): void {
  if (from === to) return;
  const groups = Math.ceil((to - from) / 8);
  writeVarint(out, groups * 2 + 1);
  out.reserve(groups * width);
  const { bytes } = out;
  let at = out.length;
  let pending = 0;
  let pendingBits = 0;
  for (let i = from; i < to; i++) {
    pending |= values[i]! << pendingBits;
    pendingBits += width;
    while (pendingBits >= 8) {
      bytes[at++] = pending;
      pending >>>= 8;
      pendingBits -= 8;
    }
  }
  const end = out.length + groups * width;
  while (at < end) {
    bytes[at++] = pending;
    pending = 0;
  }
  out.length = end;
}

function writeVarint(out: ByteList, value: number): void {
  while (value > 0x7f) {
    out.push((value & 0x7f) | 0x80);
    value >>>= 7;
  }
  out.push(value);
}
