// The compressions of node:zlib. It takes 4 ms to load, so it is loaded where something is compressed.
import { InternalError } from "../errors.ts";

export function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}

const OUTPUT_BYTES = 256 * 1024;

/** What is under a stream of node:zlib. */
interface Handle {
  writeSync(
    flush: number,
    from: Uint8Array,
    at: number,
    length: number,
    to: Uint8Array,
    toAt: number,
    room: number,
  ): void;
  onerror: () => void;
}

/**
 * A decompressor that is driven a piece at a time. By the streams of node:zlib each piece is a task for another thread, and
 * waits for it: objects in gzip took twice as long. What is under them is in no documentation, so it is looked for.
 */
export class Decompressor {
  readonly #stream: { close(): void };
  readonly #handle: Handle;
  /** After a write: how much of the output, and of the piece, is left. */
  readonly #left: Uint32Array;
  readonly #output = new Uint8Array(OUTPUT_BYTES);
  /** Bytes of the last piece that were used: what follows the end of a stream is not. */
  consumed = 0;
  /** Whether the last piece is broken. Nothing may be written after it. */
  failed = false;

  constructor(format: "deflate" | "zstd") {
    const stream = format === "deflate" ? zlib().createInflateRaw() : zlib().createZstdDecompress();
    const { _handle: handle, _writeState: left } = stream as { _handle?: Handle; _writeState?: Uint32Array };
    if (typeof handle?.writeSync !== "function" || !(left instanceof Uint32Array)) {
      throw new InternalError(
        `Cannot decompress ${format}: Bun ${Bun.version} does it otherwise. Use the one in package.json`,
      );
    }
    this.#stream = stream;
    this.#handle = handle;
    this.#left = left;
    handle.onerror = () => {
      this.failed = true;
    };
  }

  /** What comes out of a piece, also of one that is broken. Each chunk is valid until the next is asked for. */
  *write(piece: Uint8Array): Iterable<Uint8Array> {
    this.consumed = 0;
    for (let room = 0; room === 0; ) {
      const { consumed } = this;
      this.#handle.writeSync(0, piece, consumed, piece.length - consumed, this.#output, 0, OUTPUT_BYTES);
      if (this.failed) return;
      room = this.#left[0]!;
      this.consumed = piece.length - this.#left[1]!;
      if (room < OUTPUT_BYTES) yield this.#output.subarray(0, OUTPUT_BYTES - room);
    }
  }

  close(): void {
    this.#stream.close();
  }
}
