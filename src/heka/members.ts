// The members of a message, without looking into them: where a plain one ends whose length is not known. Used by envelope, and
// by the framer where a header is damaged.
import { MAX_MESSAGE_BYTES } from "./frames.ts";
import { messageTag, readVarint, wire } from "./protobuf.ts";

/** Wire types that members 1 to 10 of a message must have. */
export const memberWire = [
  -1,
  wire.bytes,
  wire.varint,
  wire.bytes,
  wire.bytes,
  wire.varint,
  wire.bytes,
  wire.bytes,
  wire.varint,
  wire.bytes,
  wire.bytes,
];

/** Whether a message may begin with this byte, a member's tag or the first byte of one. */
export function beginsMember(byte: number | undefined): boolean {
  if (byte === undefined || byte >= 0x80) return byte !== undefined;
  const type = byte & 7;
  const member = byte >> 3;
  return member < memberWire.length ? memberWire[member] === type : type < 3 || type === wire.fixed32;
}

/** As many members are looked through for where they end. */
const MAX_MEMBERS = 70_000;

/**
 * Where the members from `start` on stop being whole ones of a message: `start` where the first is no uuid, more than `limit`
 * where the last one goes on there. A member that Heka does not know ends them, too, and so does one out of turn or a uuid of
 * another size: whoever writes messages writes members in order, and what was never one message seldom looks as if it were. `ends` gets the end
 * of each.
 */
export function endOfMembers(bytes: Uint8Array, start: number, limit: number, ends?: number[]): number {
  let at = start;
  let last = 0;
  for (let count = 0; at < limit && count < MAX_MEMBERS; count++) {
    const tag = bytes[at]!; // all that are known take one byte
    const member = tag >> 3;
    const isFirst = count === 0;
    const isInTurn = isFirst
      ? member === messageTag.uuid
      : member > last || (member === last && member === messageTag.field);
    if (memberWire[member] !== (tag & 7) || !isInTurn) break;
    last = member;
    const numberEnd = endOfVarint(bytes, at + 1, limit);
    if (numberEnd > limit) return numberEnd;
    if (numberEnd < 0) break;
    const length = (tag & 7) === wire.bytes ? readVarint({ bytes, at: at + 1, end: numberEnd }) : 0;
    if (length < 0 || length > MAX_MESSAGE_BYTES) break;
    if (isFirst && length !== 16 && length !== 36) break;
    at = numberEnd + length;
    ends?.push(at);
  }
  return at;
}

/** -1 for more than ten bytes. */
function endOfVarint(bytes: Uint8Array, start: number, limit: number): number {
  for (let at = start; at < start + 10; at++) {
    if (at >= limit) return limit + 1;
    if (bytes[at]! < 0x80) return at + 1;
  }
  return -1;
}
