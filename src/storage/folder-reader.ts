// One file on its way in: chunks for whoever derives from it, and the hash that identifies what was read.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { InputError, InternalError } from "../errors.ts";
import { BLOCK_BYTES, ContentHash } from "./content-hash.ts";
import { stateOf } from "./paths.ts";
import type { Lend, ObjectReader } from "./ports.ts";

/** A block of the content hash, so that hashing never copies; small enough for the processor's cache. */
const CHUNK_BYTES = BLOCK_BYTES;

/** Reading is synchronous, the fastest way, and lets signals and progress in this often. */
const YIELD_AFTER_MS = 50;

/** Reads a file in chunks into one buffer, again from the start for each iteration. */
export function openFile(path: string, url: string): ObjectReader {
  let etag: string | undefined;
  let lent: Lend = () => undefined;
  return {
    readInto(lend) {
      lent = lend;
    },
    async *[Symbol.asyncIterator]() {
      etag = undefined;
      const hash = new ContentHash();
      for await (const chunk of readFrom(path, url, 0, (bytes) => lent(bytes))) {
        hash.update(chunk);
        yield chunk;
      }
      etag = hash.etag();
    },
    etag() {
      if (etag === undefined) throw new InternalError(`Cannot tell the ETag of ${url}: it was not read to its end`);
      return etag;
    },
  };
}

/** The bytes of a file from `start` on, in chunks into one buffer, or into what `lend` gives. */
export async function* readFrom(path: string, url: string, start: number, lend?: Lend): AsyncGenerator<Uint8Array> {
  let own: Uint8Array<ArrayBuffer> | undefined;
  const fd = reading(url, () => openSync(path, "r"));
  try {
    const { size } = reading(url, () => fstatSync(fd));
    // A byte more than a small file has, so that one read shows its end; a pipe has no size.
    const room = size > 0 ? Math.min(CHUNK_BYTES, size + 1) : CHUNK_BYTES;
    let yielded = performance.now();
    for (let at = start; ; ) {
      // From the beginning without positions: a pipe has none.
      const lent = lend?.(CHUNK_BYTES);
      if (lent === undefined) own ??= new Uint8Array(room);
      else own = release(own);
      const buffer = lent ?? own!;
      const length = reading(url, () => fill(fd, buffer, start === 0 ? undefined : at));
      if (length === 0) break;
      at += length;
      yield buffer.subarray(0, length);
      if (performance.now() - yielded > YIELD_AFTER_MS) {
        await new Promise((resume) => setImmediate(resume));
        yielded = performance.now();
      }
    }
  } finally {
    closeSync(fd);
  }
  release(own);
}

/** Gives memory back: of many small files the collector would come too late for their buffers. */
function release(memory: Uint8Array<ArrayBuffer> | undefined): undefined {
  memory?.buffer.transfer(0);
}

/** Fills the buffer unless the file ends: short reads happen on network file systems, and would cost the hash a copy. */
function fill(fd: number, buffer: Uint8Array, at: number | undefined): number {
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(fd, buffer, length, buffer.length - length, at === undefined ? null : at + length);
    if (read === 0) break;
    length += read;
  }
  return length;
}

function reading<T>(url: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InputError(`Cannot read ${url}: ${stateOf(error)}`);
  }
}
