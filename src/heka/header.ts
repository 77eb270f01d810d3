// The header of one frame: how long its message is, and whether it is signed. Used by the framer.
import { type Cursor, readVarint, wire } from "./protobuf.ts";

/** What a header says. The framer reads all headers into the same one. */
export interface Header {
  messageLength: number;
  /** Whether it holds an HMAC, which covers the message and is not verified. */
  signed: boolean;
}

/** Members of a Header with their wire types, as they lie in the bytes. */
const headerTag = {
  length: (1 << 3) | wire.varint,
  hashFunction: (3 << 3) | wire.varint,
  signer: (4 << 3) | wire.bytes,
  keyVersion: (5 << 3) | wire.varint,
  hmac: (6 << 3) | wire.bytes,
};

/** Whether a header may begin with this byte. */
export function beginsHeader(byte: number): boolean {
  return (
    byte === headerTag.length ||
    byte === headerTag.hashFunction ||
    byte === headerTag.signer ||
    byte === headerTag.keyVersion ||
    byte === headerTag.hmac
  );
}

/** Reads all of a header into `into`; false where the bytes are none. Signed headers have four members more than others. */
export function readHeader(bytes: Uint8Array, at: number, end: number, into: Header): boolean {
  const cursor: Cursor = { bytes, at, end };
  let messageLength = -1;
  let signed = false;
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    if (tag === headerTag.length || tag === headerTag.hashFunction || tag === headerTag.keyVersion) {
      const value = readVarint(cursor);
      if (value < 0) return false;
      if (tag === headerTag.length && messageLength < 0) messageLength = value;
    } else if (tag === headerTag.signer || tag === headerTag.hmac) {
      const length = readVarint(cursor);
      if (length < 0) return false;
      cursor.at += length;
      if (tag === headerTag.hmac) signed = true;
    } else {
      return false;
    }
  }
  if (cursor.at !== end || messageLength < 0) return false;
  into.messageLength = messageLength;
  into.signed = signed;
  return true;
}
