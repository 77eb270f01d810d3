// Pulls chunks and hands them out in the sizes that decompression asks for. Used by inflate.

const empty = new Uint8Array(0);

/** Bytes from chunks, in order. Chunks may be reused by their source after the next pull. */
export class ByteInput {
  #source: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = empty;
  #at = 0;
  #done = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  /** A view of the next `count` bytes, fewer at the end, without stepping over them. Valid until the next call. */
  async peek(count: number): Promise<Uint8Array> {
    // Where nothing is left over, what comes next is looked at where it is: an object is often one chunk.
    while (this.#at === this.#chunk.length && (await this.#pull()));
    let have = this.#chunk.length - this.#at;
    if (have < count && !this.#done) {
      const parts = [this.#chunk.slice(this.#at)];
      while (have < count && (await this.#pull())) {
        parts.push(this.#chunk.slice());
        have += this.#chunk.length;
      }
      this.#chunk = Buffer.concat(parts);
      this.#at = 0;
    }
    return this.#chunk.subarray(this.#at, this.#at + count);
  }

  /** Steps over bytes that `peek` gave. */
  skip(count: number): void {
    this.#at += count;
  }

  /** A copy of the next `count` bytes; undefined if there are fewer. */
  async take(count: number): Promise<Uint8Array | undefined> {
    const bytes = await this.peek(count);
    if (bytes.length < count) return undefined;
    this.skip(count);
    return new Uint8Array(bytes);
  }

  /** All that is left, chunk by chunk, not copied. */
  async *rest(): AsyncIterable<Uint8Array> {
    do {
      if (this.#at < this.#chunk.length) {
        const rest = this.#chunk.subarray(this.#at);
        this.#at = this.#chunk.length;
        yield rest;
      }
    } while (await this.#pull());
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    if (!this.#done) await this.#source.return?.();
    this.#done = true;
  }

  async #pull(): Promise<boolean> {
    if (this.#done) return false;
    const { value, done } = await this.#source.next();
    this.#done = done === true;
    this.#chunk = this.#done ? empty : value;
    this.#at = 0;
    return !this.#done;
  }
}
