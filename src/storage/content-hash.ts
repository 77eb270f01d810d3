// What identifies the bytes of a file, since folders have no ETags: computed while the bytes pass by.

/** Part of the fingerprint of committed output: another size would make every committed day look changed. */
export const BLOCK_BYTES = 1024 * 1024;

/**
 * XXH3 of 64 bits: of content up to 1 MiB its hash, of more the hash of the hashes of its blocks of 1 MiB, the last of which may
 * be short, as eight bytes each, the lowest first. So the hash does not depend on how the bytes are cut into chunks, and
 * `Bun.hash.xxHash3`, which takes all bytes at once, is enough for files of any size. (Of a seed it takes 32 bits only.)
 */
export class ContentHash {
  #hashes: bigint[] = [];
  /** The start of a block that has not come to its end: room that is made when a chunk ends inside a block. */
  #pending: Uint8Array | undefined;
  #pendingBytes = 0;

  update(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#pendingBytes === 0 && chunk.length - at >= BLOCK_BYTES) {
        this.#add(chunk.subarray(at, at + BLOCK_BYTES));
        at += BLOCK_BYTES;
        continue;
      }
      const piece = chunk.subarray(at, at + BLOCK_BYTES - this.#pendingBytes);
      const pending = this.#roomFor(piece.length);
      pending.set(piece, this.#pendingBytes);
      this.#pendingBytes += piece.length;
      at += piece.length;
      if (this.#pendingBytes === BLOCK_BYTES) {
        this.#add(pending);
        this.#pendingBytes = 0;
      }
    }
  }

  /** "xxh3:" and 16 hexadecimal digits. Ends the hash: nothing may be added afterwards. */
  etag(): string {
    const hashes = this.#hashes;
    if (this.#pendingBytes > 0 || hashes.length === 0) {
      this.#add((this.#pending ?? new Uint8Array()).subarray(0, this.#pendingBytes));
      this.#pendingBytes = 0;
    }
    const hash = hashes.length === 1 ? hashes[0]! : hashOf(littleEndian(hashes));
    return `xxh3:${hash.toString(16).padStart(16, "0")}`;
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

  #add(block: Uint8Array): void {
    this.#hashes.push(hashOf(block));
  }
}

const hashOf = (bytes: Uint8Array): bigint => Bun.hash.xxHash3(bytes);

function littleEndian(words: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * words.length));
  for (const [i, word] of words.entries()) view.setBigUint64(8 * i, word, true);
  return new Uint8Array(view.buffer);
}
