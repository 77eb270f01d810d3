// A file read front to back in pieces, most of which are much smaller than what is worth a read.
import type { ByteSource } from "./footer.ts";

/** So much is read at once. */
export const AT_ONCE_BYTES = 1 << 20;

export class Reading {
  #block = new ArrayBuffer(0);
  #start = 0;

  constructor(private readonly file: ByteSource) {}

  /**
   * So many bytes from `start` on; good until the next call. What is read comes along with what follows it.
   * @throws {RangeError} where the file has none there
   */
  async view(start: number, bytes: number): Promise<DataView<ArrayBuffer>> {
    const isThere = start >= this.#start && start + bytes <= this.#start + this.#block.byteLength;
    if (!isThere) {
      this.#block.transfer(0); // gives it back: the collector would come too late for a whole part
      const end = Math.min(this.file.byteLength, start + Math.max(bytes, AT_ONCE_BYTES));
      this.#block = await this.file.slice(start, end);
      this.#start = start;
    }
    return new DataView(this.#block, start - this.#start, bytes);
  }
}
