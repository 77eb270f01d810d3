// Numbers of protobuf, as messages, headers and blocks have them.

/** Where the number that `readVarint` read ends. */
let next: usize = 0;

/** A varint of 32 bits; sets `next`, to 0 where it is cut off or longer than it may be. */
export function readVarint(at: usize, end: usize): u32 {
  let value: u32 = 0;
  for (let shift: u32 = 0; shift < 35; shift += 7) {
    if (at >= end) break;
    const byte = <u32>load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (shift === 28 && byte > 15) break;
      next = at;
      return value;
    }
  }
  next = 0;
  return 0;
}

/** Where the varint that `readVarint` read ends; 0 if there was none. */
export function afterVarint(): usize {
  return next;
}

/** The end of a varint of at most ten bytes; 0 where it is cut off or longer. */
export function varintEnd(at: usize, end: usize): usize {
  const last = min<usize>(at + 10, end);
  while (at < last) if (load<u8>(at++) < 0x80) return at;
  return 0;
}
