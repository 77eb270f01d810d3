// What identifies the bytes of a file, since folders have no ETags: computed while the bytes pass by.

/** Part of the fingerprint of committed output: another size would make every committed day look changed. */
export const BLOCK_BYTES = 1024 * 1024;

/**
 * xxHash64 chained over blocks of 1 MiB: each block is hashed with the hash of the one before as its seed (the first with 0;
 * an empty content is one empty block). The last block may be short. So the hash does not depend on how the bytes are cut
 * into chunks, and `Bun.hash.xxHash64`, which takes all bytes at once, is enough for files of any size.
 */
export class ContentHash {
  #hash = 0n;
  #blocks = 0;
  /** The start of a block that has not come to its end: room that is made when a chunk ends inside a block. */
  #pending: Uint8Array | undefined;
  #pendingBytes = 0;

  update(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#pendingBytes === 0 && chunk.length - at >= BLOCK_BYTES) {
        this.#chain(chunk.subarray(at, at + BLOCK_BYTES));
        at += BLOCK_BYTES;
        continue;
      }
      const piece = chunk.subarray(at, at + BLOCK_BYTES - this.#pendingBytes);
      const pending = this.#roomFor(piece.length);
      pending.set(piece, this.#pendingBytes);
      this.#pendingBytes += piece.length;
      at += piece.length;
      if (this.#pendingBytes === BLOCK_BYTES) {
        this.#chain(pending);
        this.#pendingBytes = 0;
      }
    }
  }

  /** "xxh64:" and 16 hexadecimal digits. Ends the hash: nothing may be added afterwards. */
  etag(): string {
    if (this.#pendingBytes > 0 || this.#blocks === 0) {
      this.#chain((this.#pending ?? new Uint8Array()).subarray(0, this.#pendingBytes));
      this.#pendingBytes = 0;
    }
    return `xxh64:${this.#hash.toString(16).padStart(16, "0")}`;
  }

  /** A small file is one chunk, and takes no more. */
  #roomFor(bytes: number): Uint8Array {
    const before = this.#pending;
    if (before !== undefined && before.length >= this.#pendingBytes + bytes) return before;
    const pending = new Uint8Array(this.#pendingBytes === 0 ? bytes : BLOCK_BYTES);
    if (before !== undefined) pending.set(before.subarray(0, this.#pendingBytes));
    this.#pending = pending;
    return pending;
  }

  #chain(block: Uint8Array): void {
    this.#hash = Bun.hash.xxHash64(block, this.#hash);
    this.#blocks++;
  }
}
