// One raw Snappy block, as Heka compressed single messages: no framing format, no checksum.
import { snappyUncompressor } from "hysnappy";
import { FormatError } from "../errors.ts";
import { MAX_MESSAGE_BYTES } from "./frames.ts";
import { takeLarge } from "./large.ts";
import { readVarint } from "./protobuf.ts";

/** After a block this large the decoder's memory is given back, which it never shrinks itself. */
const keptBytes = 8 * 1024 * 1024;

let uncompressor: ((bytes: Uint8Array, length: number) => Uint8Array) | undefined;

/**
 * Whether the length declared fits the bytes there are. A plain message all but never passes: it opens with a tag, which
 * as a length is far below its own.
 */
export function maybeSnappy(bytes: Uint8Array): boolean {
  const declared = declaredLength(bytes);
  // The first bound is what encoders promise for bytes that do not compress.
  return bytes.length <= 32 + declared + declared / 6 && fits(declared, bytes);
}

/**
 * The content of a block. FormatError where it is none: the library checks every length and offset against what was
 * written so far and against the length declared, which we bound (P9).
 */
export function uncompressSnappy(bytes: Uint8Array): Uint8Array {
  const declared = declaredLength(bytes);
  if (declared < 0) throw new FormatError("Cannot uncompress Snappy: no length is declared", 0);
  if (!fits(declared, bytes)) throw new FormatError("Cannot uncompress Snappy: the length declared is too large", 0);
  takeLarge(bytes.length + 2 * declared);
  uncompressor ??= snappyUncompressor();
  try {
    return uncompressor(bytes, declared);
  } catch {
    throw new FormatError("Cannot uncompress Snappy: the block is corrupt", 0);
  } finally {
    if (bytes.length + declared > keptBytes) uncompressor = undefined;
  }
}

function declaredLength(bytes: Uint8Array): number {
  return readVarint({ bytes, at: 0, end: bytes.length });
}

/** A copy makes at most 64 bytes out of three, so a short block cannot claim much memory. */
function fits(declared: number, bytes: Uint8Array): boolean {
  return declared <= MAX_MESSAGE_BYTES && declared <= bytes.length * 22;
}
