// Before framing: undoes the compression of a whole object, gzip or zstd, told by its first bytes and never by its name.
import { FormatError } from "../errors.ts";
import { ByteInput } from "./input.ts";
import { Decompressor } from "./zlib.ts";

/** Compressed bytes given to zlib at a time. Of a broken piece only the outputs come out that were full before zlib met the fault. */
const pieceBytes = 16 * 1024;

/**
 * The bytes of an object without its compression: any number of gzip members and zstd frames, one after another, their
 * checksums checked; whatever follows the last one, and any other object, passes through as it is. Chunks may be reused
 * by their source after the next pull, and are gone after it here, too. A broken or truncated stream gives what could be decoded, then throws FormatError
 * with the offset in the decompressed bytes.
 */
export async function* inflate(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const input = new ByteInput(chunks);
  let offset = 0;
  try {
    for (;;) {
      const magic = await input.peek(4);
      const part = isGzip(magic) ? gzipMember(input) : isZstd(magic) ? zstdFrame(input) : undefined;
      if (!part) break;
      for await (const chunk of part) {
        offset += chunk.length;
        yield chunk;
      }
    }
    yield* input.rest();
  } catch (error) {
    if (error instanceof Fault) throw new FormatError(error.message, offset);
    throw error;
  } finally {
    await input.close();
  }
}

/** A stream that is broken: becomes a FormatError, which needs the offset that only `inflate` knows. */
class Fault extends Error {}

/** Whether an object that begins with these bytes, four at least, is compressed. */
export function isCompressed(magic: Uint8Array): boolean {
  return isGzip(magic) || isZstd(magic);
}

function isGzip(magic: Uint8Array): boolean {
  return magic[0] === 0x1f && magic[1] === 0x8b;
}

function isZstd(magic: Uint8Array): boolean {
  if (magic.length < 4) return false;
  const skippable = (magic[0] & 0xf0) === 0x50 && magic[1] === 0x2a && magic[2] === 0x4d && magic[3] === 0x18;
  return skippable || (magic[0] === 0x28 && magic[1] === 0xb5 && magic[2] === 0x2f && magic[3] === 0xfd);
}

/** One gzip member: header, deflate, CRC-32 and size (RFC 1952). Node's gunzip fails on a newline after the last one. */
async function* gzipMember(input: ByteInput): AsyncIterable<Uint8Array> {
  const header = await take(input, 10, "gzip");
  const flags = header[3];
  if (header[2] !== 8 || flags & 0xe0) throw new Fault("Cannot decompress gzip: its header is broken");
  if (flags & 0x04) {
    const size = await take(input, 2, "gzip");
    await take(input, size[0] | (size[1] << 8), "gzip");
  }
  for (const named of [0x08, 0x10]) {
    if (flags & named) while ((await take(input, 1, "gzip"))[0] !== 0);
  }
  if (flags & 0x02) await take(input, 2, "gzip");

  let crc = 0;
  let size = 0;
  const deflate = new Decompressor("deflate");
  try {
    for (;;) {
      // Pieces are cut by the member and not by the chunks, so that a corrupt one always gives the same bytes.
      const piece = await input.peek(pieceBytes);
      if (piece.length === 0) throw new Fault("Cannot decompress gzip: it is truncated");
      for (const chunk of deflate.write(piece)) {
        crc = Bun.hash.crc32(chunk, crc);
        size += chunk.length;
        yield chunk;
      }
      if (deflate.failed) throw new Fault("Cannot decompress gzip: it is corrupt");
      input.skip(deflate.consumed);
      // What follows the end is not consumed: there is always a trailer.
      if (deflate.consumed < piece.length) break;
    }
  } finally {
    deflate.close();
  }
  const trailer = await take(input, 8, "gzip");
  const expected = new DataView(trailer.buffer, trailer.byteOffset, 8);
  if (expected.getUint32(0, true) !== crc || expected.getUint32(4, true) !== size % 2 ** 32) {
    throw new Fault("Cannot decompress gzip: its checksum does not match");
  }
}

/**
 * One zstd frame (RFC 8878), or a skippable one. The library says nothing about a frame that is cut off, so the blocks
 * are counted out here; what is in them, and the checksum, it does check.
 */
async function* zstdFrame(input: ByteInput): AsyncIterable<Uint8Array> {
  const start = await take(input, 5, "zstd");
  if (start[0] !== 0x28) {
    const high = await take(input, 3, "zstd");
    let rest = start[4] + high[0] * 2 ** 8 + high[1] * 2 ** 16 + high[2] * 2 ** 24;
    while (rest > 0) {
      const piece = await input.peek(Math.min(rest, pieceBytes));
      if (piece.length === 0) throw new Fault("Cannot decompress zstd: it is truncated");
      input.skip(piece.length);
      rest -= piece.length;
    }
    return;
  }
  const descriptor = start[4];
  const singleSegment = (descriptor >> 5) & 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3];
  const contentSizeBytes = [singleSegment, 2, 4, 8][descriptor >> 6];
  const hasChecksum = (descriptor & 4) !== 0;

  const zstd = new Decompressor("zstd");
  const write = function* (bytes: Uint8Array): Iterable<Uint8Array> {
    yield* zstd.write(bytes);
    if (zstd.failed) throw new Fault("Cannot decompress zstd: it is corrupt");
  };
  try {
    yield* write(start);
    yield* write(await take(input, 1 - singleSegment + dictionaryBytes + contentSizeBytes, "zstd"));
    for (let last = false; !last; ) {
      const block = await take(input, 3, "zstd");
      const header = block[0] | (block[1] << 8) | (block[2] << 16);
      last = (header & 1) === 1;
      const type = (header >> 1) & 3;
      yield* write(block);
      // A run-length block states the length of the run and holds one byte.
      yield* write(await take(input, type === 1 ? 1 : header >> 3, "zstd"));
    }
    if (hasChecksum) yield* write(await take(input, 4, "zstd"));
  } finally {
    zstd.close();
  }
}

async function take(input: ByteInput, count: number, format: string): Promise<Uint8Array> {
  const bytes = await input.take(count);
  if (!bytes) throw new Fault(`Cannot decompress ${format}: it is truncated`);
  return bytes;
}
