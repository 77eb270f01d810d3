// Parquet's RLE / bit-packing hybrid, for levels and dictionary indices. The twin of src/parquet/hybrid.ts, to the byte.

/** Shorter runs cost more as a run than packed. */
const SHORTEST_RUN: u32 = 8;

/** The most bytes that `count` values take. */
export function largestHybrid(count: u32, width: u32): usize {
  // Of eight values: a header and a run, or a share of a header and their bits.
  return <usize>((count >> 3) + 1) * (width + 16);
}

/**
 * Writes a range of the values (u8 or u32, as `Value` says) at `out`, each below 2 ** width; width at most 24. Returns
 * where it ends. There must be room for largestHybrid.
 */
export function writeHybrid<Value>(out: usize, values: usize, from: u32, to: u32, width: u32): usize {
  let packedFrom = from;
  let at = from;
  while (at < to) {
    const value = load<Value>(values + <usize>at * sizeof<Value>());
    let end = at + 1;
    while (end < to && load<Value>(values + <usize>end * sizeof<Value>()) === value) end++;
    if (end - at >= SHORTEST_RUN) {
      out = writePacked<Value>(out, values, packedFrom, at, width);
      out = writeRun(out, <u32>value, end - at, width);
      at = end;
      packedFrom = end;
    } else {
      // Packed values come in groups of eight; only the last group of all is filled up.
      at = min(at + 8, to);
    }
  }
  return writePacked<Value>(out, values, packedFrom, to, width);
}

function writeRun(out: usize, value: u32, count: u32, width: u32): usize {
  out = writeVarint(out, count * 2);
  for (let bits: u32 = 0; bits < width; bits += 8) store<u8>(out++, <u8>(value >> bits));
  return out;
}

function writePacked<Value>(out: usize, values: usize, from: u32, to: u32, width: u32): usize {
  if (from === to) return out;
  const groups = (to - from + 7) >> 3;
  out = writeVarint(out, groups * 2 + 1);
  const end = out + <usize>(groups * width);
  let pending: u64 = 0;
  let pendingBits: u64 = 0;
  for (let i = from; i < to; i++) {
    pending |= (<u64>load<Value>(values + <usize>i * sizeof<Value>())) << pendingBits;
    pendingBits += width;
    if (pendingBits >= 32) {
      store<u32>(out, <u32>pending);
      out += 4;
      pending >>= 32;
      pendingBits -= 32;
    }
  }
  while (out < end) {
    store<u8>(out++, <u8>pending);
    pending >>= 8;
  }
  return end;
}

function writeVarint(out: usize, value: u32): usize {
  while (value > 0x7f) {
    store<u8>(out++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(out++, <u8>value);
  return out;
}
