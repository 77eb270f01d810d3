// Stores of fixed-width numbers and of booleans.

import type { ByteList, NumberList } from "./bytes.ts";
import type { Bound, ValueStore } from "./values.ts";

type Numbers =
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;
type NumbersClass = { new (length: number): Numbers; readonly BYTES_PER_ELEMENT: number };

/** INT32, INT64, FLOAT and DOUBLE; interned by their bits, which keeps -0 and 0 apart. NaN comes in one form only. */
export class NumberStore implements ValueStore<number | bigint> {
  readonly interns = true;
  count = 0;
  private readonly width: number;
  private numbers: Numbers;
  /** The same memory as 32-bit words. */
  private words: Uint32Array;
  /** Open addressing; position + 1, 0 is free. Its length is a power of two. */
  private table = new Uint32Array(0);

  constructor(private readonly numbersClass: NumbersClass) {
    this.width = numbersClass.BYTES_PER_ELEMENT;
    this.numbers = new numbersClass(64);
    this.words = new Uint32Array(this.numbers.buffer);
  }

  get plainBytes(): number {
    return this.count * this.width;
  }

  add(value: number | bigint): void {
    if (this.count === this.numbers.length) this.grow(this.count * 2);
    this.numbers[this.count++] = value as never;
  }

  intern(value: number | bigint): number {
    if (this.count * 2 >= this.table.length) this.rehash();
    if (this.count === this.numbers.length) this.grow(this.count * 2);
    const { words, table, count } = this;
    const mask = table.length - 1;
    // Written behind the last value first: its bits are wanted, and if it is new it is already in place.
    this.numbers[count] = value as never;
    for (let slot = this.hash(count) & mask; ; slot = (slot + 1) & mask) {
      const found = table[slot]! - 1;
      if (found === -1) {
        table[slot] = count + 1;
        this.count++;
        return count;
      }
      if (this.width === 4) {
        if (words[found] === words[count]) return found;
      } else if (words[2 * found] === words[2 * count] && words[2 * found + 1] === words[2 * count + 1]) {
        return found;
      }
    }
  }

  sizeAt(): number {
    return this.width;
  }

  writePlain(out: ByteList, from: number, to: number): void {
    // Parquet is little-endian, and so is every machine that Bun runs on.
    out.append(new Uint8Array(this.numbers.buffer, from * this.width, (to - from) * this.width));
  }

  expand(positions: NumberList): void {
    const { numbers: distinct } = this;
    const all = new this.numbersClass(Math.max(64, positions.length));
    for (let i = 0; i < positions.length; i++) all[i] = distinct[positions.numbers[i]!] as never;
    this.numbers = all;
    this.words = new Uint32Array(all.buffer);
    this.count = positions.length;
  }

  compare(a: number, b: number): number {
    const x = this.numbers[a]!;
    const y = this.numbers[b]!;
    return x < y ? -1 : x > y ? 1 : 0;
  }

  ordered(position: number): boolean {
    return !Number.isNaN(this.numbers[position]);
  }

  bound(position: number, isMax: boolean): Bound {
    return boundOfNumber(this.numbers[position]!, isMax, this.numbers instanceof Int32Array);
  }

  clear(): void {
    this.count = 0;
    this.table.fill(0);
  }

  private grow(length: number): void {
    const grown = new this.numbersClass(length);
    grown.set(this.numbers as never);
    this.numbers = grown;
    this.words = new Uint32Array(grown.buffer);
  }

  private hash(position: number): number {
    const { words } = this;
    let hash =
      this.width === 4 ? words[position]! : Math.imul(words[2 * position]!, 0x85ebca6b) ^ words[2 * position + 1]!;
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
    return hash ^ (hash >>> 16);
  }

  private rehash(): void {
    this.table = new Uint32Array(Math.max(64, this.table.length * 2));
    const mask = this.table.length - 1;
    for (let position = 0; position < this.count; position++) {
      let slot = this.hash(position) & mask;
      while (this.table[slot] !== 0) slot = (slot + 1) & mask;
      this.table[slot] = position + 1;
    }
  }
}

/** Readers may not tell -0 from 0, so a zero bound is written as the outer one of the two. (An int's 0 stays 0.) */
export function boundOfNumber(value: number | bigint, isMax: boolean, isInt: boolean): Bound {
  const isZero = value === 0 && !isInt;
  return { value: isZero ? (isMax ? 0 : -0) : value, exact: true };
}

/** BOOLEAN: one bit each in PLAIN encoding, so a dictionary could only lose. */
export class BooleanStore implements ValueStore<boolean> {
  readonly interns = false;
  count = 0;
  private values = new Uint8Array(64);

  get plainBytes(): number {
    return Math.ceil(this.count / 8);
  }

  add(value: boolean): void {
    if (this.count === this.values.length) {
      const grown = new Uint8Array(this.count * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.count++] = value ? 1 : 0;
  }

  intern(): number {
    throw new Error("booleans are never interned");
  }

  expand(_positions: NumberList): void {
    throw new Error("booleans are never interned");
  }

  sizeAt(): number {
    return 1 / 8;
  }

  writePlain(out: ByteList, from: number, to: number): void {
    for (let start = from; start < to; start += 8) {
      let byte = 0;
      for (let i = start; i < Math.min(start + 8, to); i++) byte |= this.values[i]! << (i - start);
      out.push(byte);
    }
  }

  compare(a: number, b: number): number {
    return this.values[a]! - this.values[b]!;
  }

  ordered(): boolean {
    return true;
  }

  bound(position: number): Bound {
    return { value: this.values[position] === 1, exact: true };
  }

  clear(): void {
    this.count = 0;
  }
}
