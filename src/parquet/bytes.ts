// Growing memory for everything that is built up value by value: bytes and 32-bit numbers.

export class ByteList {
  bytes = new Uint8Array(64);
  length = 0;

  /** Makes room for `count` more bytes behind `length`. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  push(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Writes a 32-bit number, little-endian, over the four bytes at `position`. */
  setUint32(position: number, value: number): void {
    this.bytes[position] = value;
    this.bytes[position + 1] = value >>> 8;
    this.bytes[position + 2] = value >>> 16;
    this.bytes[position + 3] = value >>> 24;
  }

  /** What has been written, as a view that is good until the next write. */
  view(from = 0, to = this.length): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(from, to);
  }
}

export class NumberList {
  numbers = new Uint32Array(16);
  length = 0;

  push(value: number): void {
    if (this.length === this.numbers.length) {
      const grown = new Uint32Array(this.numbers.length * 2);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    this.numbers[this.length++] = value;
  }
}
