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

/** Whether a block may begin so: with a length that fits, and bytes that are given as they are. */
export function beginsBlock(bytes: Uint8Array): boolean {
  const cursor = { bytes, at: 0, end: bytes.length };
  const declared = readVarint(cursor);
  return declared >= 0 && fits(declared, bytes) && cursor.at < bytes.length && (bytes[cursor.at]! & 3) === 0;
}

/**
 * The content of a block. FormatError where it is none: every length and offset is checked first, against what was written
 * so far and against the length declared, which we bound (P9). The library's own checks look beyond the end of some corrupt
 * blocks, at what it was given before.
 */
export function uncompressSnappy(bytes: Uint8Array): Uint8Array {
  const declared = declaredLength(bytes);
  if (declared < 0) throw new FormatError("Cannot uncompress Snappy: no length is declared", 0);
  if (!fits(declared, bytes)) throw new FormatError("Cannot uncompress Snappy: the length declared is too large", 0);
  if (soundBytes(bytes) !== declared) throw new CorruptBlock(faultAt(bytes));
  takeLarge(bytes.length + 2 * declared);
  uncompressor ??= snappyUncompressor();
  try {
    return uncompressor(bytes, declared);
  } catch {
    throw new CorruptBlock(bytes.length);
  } finally {
    if (bytes.length + declared > keptBytes) uncompressor = undefined;
  }
}

/** A block whose elements, or one of them, are broken; `at` is how many of its bytes it takes to tell. */
export class CorruptBlock extends FormatError {
  constructor(readonly at: number) {
    super("Cannot uncompress Snappy: the block is corrupt", 0);
  }
}

/**
 * As much of a corrupt block's content as lies before the fault: the first `sound` of the bytes declared. To be called where
 * `uncompressSnappy` has found nothing wrong but that.
 */
export function uncompressSoundPart(bytes: Uint8Array): { bytes: Uint8Array; sound: number } {
  const out = new Uint8Array(declaredLength(bytes));
  const sound = soundBytes(bytes, out);
  return { bytes: out, sound: sound < 0 ? ~sound : sound };
}

/** Where the first element of a corrupt block is that is broken; the end where only their sum is. */
function faultAt(bytes: Uint8Array): number {
  const cursor = { bytes, at: 0, end: bytes.length };
  return soundBytes(bytes, undefined, cursor) < 0 ? cursor.at : bytes.length;
}

/**
 * How many bytes a block's elements make, written to `out` if that is given; of those before a broken one `~`, and the cursor is
 * left there.
 */
function soundBytes(bytes: Uint8Array, out?: Uint8Array, cursor = { bytes, at: 0, end: bytes.length }): number {
  const declared = readVarint(cursor);
  let at = cursor.at;
  let sound = 0;
  while (at < bytes.length) {
    cursor.at = at;
    const tag = bytes[at++]!;
    const kind = tag & 3;
    // How many bytes say the length of a literal, or the offset of a copy.
    const size = kind === 0 ? Math.max(0, (tag >> 2) - 59) : kind === 3 ? 4 : kind;
    if (at + size > bytes.length) return ~sound;
    let number = 0;
    for (let i = 0, scale = 1; i < size; i++, scale *= 256) number += bytes[at + i]! * scale;
    at += size;
    if (kind === 0) {
      const length = size === 0 ? (tag >> 2) + 1 : number + 1;
      if (length > bytes.length - at || length > declared - sound) return ~sound;
      out?.set(bytes.subarray(at, at + length), sound);
      at += length;
      sound += length;
    } else {
      const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      const offset = kind === 1 ? ((tag >> 5) << 8) + number : number;
      if (offset === 0 || offset > sound || length > declared - sound) return ~sound;
      if (out === undefined) sound += length;
      else for (const end = sound + length; sound < end; sound++) out[sound] = out[sound - offset]!;
    }
  }
  return sound;
}

function declaredLength(bytes: Uint8Array): number {
  return readVarint({ bytes, at: 0, end: bytes.length });
}

/** A copy makes at most 64 bytes out of three, so a short block cannot claim much memory. */
function fits(declared: number, bytes: Uint8Array): boolean {
  return declared <= MAX_MESSAGE_BYTES && declared <= bytes.length * 22;
}
