// Snappy blocks as Go's first encoder wrote them, which Heka used: for the bench's corpus.

/** As far as a copy reaches back. */
const REACH = 1 << 15;
const LARGEST_TABLE = 1 << 14;
const LONGEST_COPY = 64;

/**
 * `bytes` as one raw Snappy block. Unlike other encoders, hysnappy's among them, this one does not begin anew every 64 KiB:
 * copies reach back across these places, as they do in the blocks of real raw objects.
 */
export function compressAsGo(bytes: Uint8Array): Uint8Array {
  let bits = 8;
  while (1 << bits < LARGEST_TABLE && 1 << bits < bytes.length) bits++;
  const table = new Int32Array(1 << bits).fill(-REACH);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Uint8Array(16 + bytes.length + Math.ceil(bytes.length / 6));
  let end = putVarint(out, 0, bytes.length);
  let literal = 0;
  for (let at = 0; at + 4 <= bytes.length; ) {
    const four = view.getUint32(at, true);
    const slot = Math.imul(four, 0x1e35a7bd) >>> (32 - bits);
    const from = table[slot]!;
    table[slot] = at;
    if (at - from >= REACH || view.getUint32(from, true) !== four) {
      at++;
      continue;
    }
    end = putLiteral(out, end, bytes.subarray(literal, at));
    let length = 4;
    while (at + length < bytes.length && bytes[from + length] === bytes[at + length]) length++;
    end = putCopy(out, end, at - from, length);
    at += length;
    literal = at;
  }
  return out.slice(0, putLiteral(out, end, bytes.subarray(literal)));
}

function putVarint(out: Uint8Array, at: number, value: number): number {
  for (; value >= 128; value >>>= 7) out[at++] = (value & 127) | 128;
  out[at++] = value;
  return at;
}

function putLiteral(out: Uint8Array, at: number, literal: Uint8Array): number {
  if (literal.length === 0) return at;
  const last = literal.length - 1;
  if (last < 60) out[at++] = last << 2;
  else {
    const bytes = last < 1 << 8 ? 1 : last < 1 << 16 ? 2 : 3;
    out[at++] = (59 + bytes) << 2;
    for (let byte = 0; byte < bytes; byte++) out[at++] = last >>> (8 * byte);
  }
  out.set(literal, at);
  return at + literal.length;
}

function putCopy(out: Uint8Array, at: number, offset: number, length: number): number {
  for (let rest = length; rest > 0; ) {
    const run = Math.min(rest, LONGEST_COPY);
    rest -= run;
    const isShort = run >= 4 && run < 12 && offset < 2048;
    out[at++] = isShort ? ((offset >> 8) << 5) | ((run - 4) << 2) | 1 : ((run - 1) << 2) | 2;
    out[at++] = offset & 255;
    if (!isShort) out[at++] = offset >> 8;
  }
  return at;
}
