// Text: whether bytes are UTF-8, and whether they are what a JSON string may hold as it is.

/** Sixteen bytes that are set, sixteen that are not: a vector from within them masks what is behind a short text. */
const mask = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0,
]);

/** The first bytes of a vector, at most 16; the others are 0. */
export function firstBytes(at: usize, length: u32): v128 {
  return v128.and(v128.load(at), v128.load(mask + 16 - length));
}

/** Whether two ranges hold the same bytes. Reads up to fifteen beyond them. */
export function equal(a: usize, b: usize, length: u32): bool {
  return length <= 16
    ? !v128.any_true(v128.xor(firstBytes(a, length), firstBytes(b, length)))
    : equalLong(a, b, length);
}

/** In pieces of sixteen, of which the last one may share some bytes with that before. */
function equalLong(a: usize, b: usize, length: u32): bool {
  const last = length - 16;
  for (let i: u32 = 0; i < last; i += 16) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  }
  return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)));
}

/** Every byte of a vector at or above 0x80 gives a bit. */
function nonAscii(at: usize): i32 {
  return i8x16.bitmask(v128.load(at));
}

/** Whether the range is UTF-8. Reads up to fifteen bytes beyond it. */
export function isUtf8(start: usize, end: usize): bool {
  const length = <u32>(end - start);
  return (length <= 16 && i8x16.bitmask(firstBytes(start, length)) === 0) || isLongUtf8(start, end);
}

function isLongUtf8(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    const marks = <u32>nonAscii(at);
    if (marks === 0) {
      at += 16;
      continue;
    }
    at += ctz(marks);
    while (at < end && load<u8>(at) >= 0x80) {
      at = sequenceEnd(at, end);
      if (at === 0) return false;
    }
  }
  return true;
}

/** The end of the character of several bytes at `at`; 0 where it is none that Unicode knows. */
function sequenceEnd(at: usize, end: usize): usize {
  const first = load<u8>(at);
  // The second byte decides what is too long a form, a surrogate, or beyond U+10FFFF.
  let low: u8 = 0x80;
  let high: u8 = 0xbf;
  let length: usize = 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first >= 0xe0) {
    length = first < 0xf0 ? 3 : 4;
    if (first === 0xe0) low = 0xa0;
    else if (first === 0xed) high = 0x9f;
    else if (first === 0xf0) low = 0x90;
    else if (first === 0xf4) high = 0x8f;
  }
  if (at + length > end) return 0;
  const second = load<u8>(at, 1);
  if (second < low || second > high) return 0;
  for (let i: usize = 2; i < length; i++) if ((load<u8>(at + i) & 0xc0) !== 0x80) return 0;
  return at + length;
}

/** Whether the inside of a JSON string stands for itself: no escape, no control character, UTF-8. */
export function isPlain(start: usize, end: usize): bool {
  const space = i8x16.splat(0x20);
  const backslash = i8x16.splat(0x5c);
  let ascii = true;
  for (let at = start; at < end; at += 16) {
    const bytes = v128.load(at);
    // Signed: bytes from 0x80 on are below a space, too.
    let odd = <u32>i8x16.bitmask(v128.or(i8x16.lt_s(bytes, space), i8x16.eq(bytes, backslash)));
    const left = <u32>(end - at);
    if (left < 16) odd &= (1 << left) - 1;
    if (odd === 0) continue;
    ascii = false;
    let seen = odd;
    while (seen !== 0) {
      const byte = load<u8>(at + ctz(seen));
      if (byte < 0x80) return false;
      seen &= seen - 1;
    }
  }
  return ascii || isUtf8(start, end);
}
