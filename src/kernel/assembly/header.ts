// The header of a frame: a mark, the header's length, the header, a separator (heka/frames.ts).
import { afterVarint, readVarint } from "./varint";

const MARK: u8 = 0x1e;
const HEADER_END: u8 = 0x1f;

/** Longer messages are damage, as in heka/frames.ts. */
const MAX_MESSAGE: u32 = 64 << 20;

/** What lies where a frame should begin. */
export enum Sight {
  frame,
  /** The bytes end before it can be told. */
  unclear,
  /** Something else, or an unusual header: the plain path decides. */
  other,
}

/** Where the message begins behind the header that `readHeader` read, and its length. */
export let messageStart: usize = 0;
export let messageLength: u32 = 0;
/** Whether that header holds an HMAC. */
export let signed = false;

export function readHeader(at: usize, limit: usize): Sight {
  if (at >= limit) return Sight.unclear;
  if (load<u8>(at) !== MARK) return Sight.other;
  if (at + 2 > limit) return Sight.unclear;
  const start = at + 2;
  const end = start + load<u8>(at, 1);
  if (end >= limit) return Sight.unclear;
  if (load<u8>(end) !== HEADER_END) return Sight.other;
  messageStart = end + 1;
  return readMembers(start, end) && messageLength <= MAX_MESSAGE ? Sight.frame : Sight.other;
}

/** Members of a header: its length, and four that say how it is signed. */
const LENGTH: u8 = (1 << 3) | 0;
const HASH_FUNCTION: u8 = (3 << 3) | 0;
const SIGNER: u8 = (4 << 3) | 2;
const KEY_VERSION: u8 = (5 << 3) | 0;
const HMAC: u8 = (6 << 3) | 2;

function readMembers(at: usize, end: usize): bool {
  let hasLength = false;
  signed = false;
  while (at < end) {
    const tag = load<u8>(at);
    const value = readVarint(at + 1, end);
    at = afterVarint();
    if (at === 0) return false;
    if (tag === LENGTH) {
      if (!hasLength) messageLength = value;
      hasLength = true;
    } else if (tag === SIGNER || tag === HMAC) {
      if (<usize>value > end - at) return false;
      at += value;
      if (tag === HMAC) signed = true;
    } else if (tag !== HASH_FUNCTION && tag !== KEY_VERSION) {
      return false;
    }
  }
  return hasLength;
}
