// Before framing: undoes the compression of a whole object, gzip or zstd, told by its first bytes and never by its name.
import type { Zlib } from "node:zlib";
import { FormatError } from "../errors.ts";
import { ByteInput } from "./input.ts";
import { zlib } from "./zlib.ts";

/**
 * Compressed bytes given to zlib at a time. Deflate expands at most 1,032 times, so this bounds what a bomb can make us
 * hold; zstd expands without such a bound and is given one block at a time, of which each holds at most 128 KiB.
 */
const pieceBytes = 16 * 1024;
const outputBytes = 256 * 1024;

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
  const engine = new Engine(zlib().createInflateRaw({ chunkSize: outputBytes }), "gzip");
  try {
    while (!engine.ended) {
      // Pieces are cut by the member and not by the chunks, so that a corrupt one always gives the same bytes.
      const piece = await input.peek(pieceBytes);
      if (piece.length === 0) throw new Fault("Cannot decompress gzip: it is truncated");
      const before = engine.consumed;
      for (const chunk of await engine.write(piece)) {
        crc = Bun.hash.crc32(chunk, crc);
        size += chunk.length;
        yield chunk;
        release(chunk);
      }
      engine.check();
      input.skip(engine.consumed - before);
    }
  } finally {
    engine.close();
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

  const engine = new Engine(zlib().createZstdDecompress({ chunkSize: outputBytes }), "zstd");
  try {
    await engine.write(start);
    await engine.write(await take(input, 1 - singleSegment + dictionaryBytes + contentSizeBytes, "zstd"));
    for (let last = false; !last; ) {
      const block = await take(input, 3, "zstd");
      const header = block[0] | (block[1] << 8) | (block[2] << 16);
      last = (header & 1) === 1;
      const type = (header >> 1) & 3;
      await engine.write(block);
      // A run-length block states the length of the run and holds one byte.
      yield* released(await engine.write(await take(input, type === 1 ? 1 : header >> 3, "zstd")));
      engine.check();
    }
    if (hasChecksum) yield* released(await engine.write(await take(input, 4, "zstd")));
    yield* released(await engine.finish());
    engine.check();
  } finally {
    engine.close();
  }
}

function* released(chunks: readonly Uint8Array[]): Iterable<Uint8Array> {
  for (const chunk of chunks) {
    yield chunk;
    release(chunk);
  }
}

/**
 * Gives a chunk's memory back at once, as the collector would come too late: an object of the gzip era took 150 MB. The library
 * cuts its chunks out of blocks of `outputBytes`, and is done with a block when a chunk reaches to its end.
 */
function release({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (byteOffset + byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}

async function take(input: ByteInput, count: number, format: string): Promise<Uint8Array> {
  const bytes = await input.take(count);
  if (!bytes) throw new Fault(`Cannot decompress ${format}: it is truncated`);
  return bytes;
}

/** One decompressor of node:zlib, driven a piece at a time so that nothing decoded is lost when a later piece fails. */
class Engine {
  #stream: Zlib;
  #format: string;
  #output: Uint8Array[] = [];
  #settled = () => {};
  #failed = false;
  ended = false;

  constructor(stream: Zlib & NodeJS.ReadWriteStream, format: string) {
    this.#stream = stream;
    this.#format = format;
    // No Buffer, whose slices are no copies: chunks are good for one pull only.
    stream.on("data", ({ buffer, byteOffset, byteLength }: Buffer<ArrayBuffer>) =>
      this.#output.push(new Uint8Array(buffer, byteOffset, byteLength)),
    );
    stream.on("end", () => {
      this.ended = true;
      this.#settled();
    });
    stream.on("error", () => {
      this.#failed = true;
      this.#settled();
    });
  }

  /** Compressed bytes used so far: what follows the end of a stream is not. */
  get consumed(): number {
    return this.#stream.bytesWritten;
  }

  /** What came out of `piece`, also when it is broken: see `check`. */
  async write(piece: Uint8Array): Promise<Uint8Array[]> {
    return this.#run((settled) => (this.#stream as Zlib & NodeJS.WritableStream).write(piece, settled));
  }

  async finish(): Promise<Uint8Array[]> {
    return this.#run(() => (this.#stream as Zlib & NodeJS.WritableStream).end());
  }

  check(): void {
    if (this.#failed) throw new Fault(`Cannot decompress ${this.#format}: it is corrupt`);
  }

  close(): void {
    this.#stream.close();
  }

  async #run(start: (settled: () => void) => void): Promise<Uint8Array[]> {
    if (!this.#failed && !this.ended) {
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
        start(resolve);
      });
    }
    const output = this.#output;
    this.#output = [];
    return output;
  }
}
