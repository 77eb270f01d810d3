// The protobuf of Heka: the numbers that name members, and the reading of varints. Used by frames, messages and writer.
import { FormatError } from "../errors.ts";

/** The byte before a frame's header length, and the one between header and message. */
export const frameMark = 0x1e;
export const headerEnd = 0x1f;

/** How a member's value lies in the bytes. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Members of a Message. */
export const messageTag = {
  uuid: 1,
  timestamp: 2,
  type: 3,
  logger: 4,
  severity: 5,
  payload: 6,
  envVersion: 7,
  pid: 8,
  hostname: 9,
  field: 10,
} as const;

/** Members of a Field; the last five hold values, one for each kind. */
export const valueTag = {
  name: 1,
  type: 2,
  representation: 3,
  string: 4,
  bytes: 5,
  integer: 6,
  double: 7,
  bool: 8,
} as const;

/** What a Field's value_type says, by kind. */
export const valueType = { string: 0, bytes: 1, integer: 2, double: 3, bool: 4 } as const;

/** A place in bytes that readers move forward; `end` is where what they may read stops. */
export interface Cursor {
  bytes: Uint8Array;
  at: number;
  end: number;
}

/**
 * Reads a varint of at most 53 bits, as tags, lengths and enums are; -1 where it is cut off or larger. It does not throw,
 * because the search for frames asks of many places that are none.
 */
export function readVarint(cursor: Cursor): number {
  const { bytes, end } = cursor;
  let at = cursor.at;
  let value = 0;
  let scale = 1;
  while (at < end && scale <= 2 ** 49) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) return -1;
      cursor.at = at;
      return value;
    }
    scale *= 128;
  }
  return -1;
}

/** Reads an int64: a plain varint, negatives as ten bytes of two's complement. */
export function readInt64(cursor: Cursor): bigint {
  const { bytes, end } = cursor;
  // Five groups of seven bits in each half, so that only the last step needs a bigint.
  let low = 0;
  let high = 0;
  let at = cursor.at;
  for (let count = 0; count < 10; count++) {
    if (at >= end) throw broken("a number is cut off", cursor.at);
    const byte = bytes[at++];
    if (count < 5) low += (byte & 0x7f) * 128 ** count;
    else high += (byte & 0x7f) * 128 ** (count - 5);
    if (byte < 0x80) {
      cursor.at = at;
      return BigInt.asIntN(64, (BigInt(high) << 35n) | BigInt(low));
    }
  }
  throw broken("a number is too long", cursor.at);
}

/** Steps over the value of a member whose tag was just read; FormatError where it is broken or ends past `end`. */
export function skipValue(cursor: Cursor, tag: number): void {
  const from = cursor.at;
  const wireType = tag & 7;
  if (wireType === wire.varint) {
    do {
      if (cursor.at >= cursor.end) throw broken("a number is cut off", from);
      if (cursor.at - from === 10) throw broken("a number is too long", from);
    } while (cursor.bytes[cursor.at++] >= 0x80);
    return;
  }
  if (wireType === wire.bytes) cursor.at = readLength(cursor);
  else if (wireType === wire.fixed64) cursor.at += 8;
  else if (wireType === wire.fixed32) cursor.at += 4;
  else throw broken(`wire type ${wireType} is unknown`, from);
  if (cursor.at > cursor.end) throw broken("a value ends past its message", from);
}

/** Reads the length before a string or submessage and gives where that ends; FormatError if not before `end`. */
export function readLength(cursor: Cursor): number {
  const from = cursor.at;
  const length = readVarint(cursor);
  if (length < 0) throw broken("a length is cut off or too large", from);
  if (length > cursor.end - cursor.at) throw broken("a value ends past its message", from);
  return cursor.at + length;
}

export function broken(state: string, offset: number): FormatError {
  return new FormatError(`Cannot read message: ${state}`, offset);
}
