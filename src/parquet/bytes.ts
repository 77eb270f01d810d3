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

/** Pieces that are put together once all are there: a list would take twice as much while it grows. */
export class Pieces {
  length = 0;
  private readonly pieces: Uint8Array[] = [];

  /** The piece is this list's from now on. */
  push(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.length += piece.length;
  }

  /** All bytes, in a buffer of their own; the pieces are given up. */
  join(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      joined.set(piece, at);
      at += piece.length;
      giveUp(piece);
    }
    return joined;
  }
}

/** So much memory is worth it. */
const LARGE = 1 << 14;

/** Gives memory back that is nobody else's: the collector would come too late for it. */
function giveUp({ buffer, byteLength }: Uint8Array): void {
  if (byteLength >= LARGE && byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
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
