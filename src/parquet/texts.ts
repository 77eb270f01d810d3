// The store of everything that is bytes: text, bytes, fixed and decimals.

import { unconvertMinMax } from "hyparquet-writer/src/unconvert.js";
import { ByteList, NumberList } from "./bytes.ts";
import type { SchemaElement } from "./schema.ts";
import { BOUND_BYTES, type Bound, type ValueStore } from "./values.ts";

const encoder = new TextEncoder();

/**
 * BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY. Values lie one after the other in PLAIN layout (a BYTE_ARRAY behind its 32-bit
 * length) and are interned by their bytes: a Map of strings would keep alive the 100 KB of JSON they were cut from.
 */
export class TextStore implements ValueStore<string | Uint8Array | bigint> {
  readonly interns = true;
  private readonly heap = new ByteList();
  /** Where each value begins in the heap, its length included; one more entry than values, the last is the end. */
  private starts = new NumberList();
  private hashes = new NumberList();
  /** Open addressing; position + 1, 0 is free. Its length is a power of two. */
  private table = new Uint32Array(0);
  private readonly prefix: number;

  constructor(private readonly element: SchemaElement) {
    this.prefix = element.type === "BYTE_ARRAY" ? 4 : 0;
    this.starts.push(0);
  }

  get count(): number {
    return this.starts.length - 1;
  }

  get plainBytes(): number {
    return this.heap.length;
  }

  add(value: string | Uint8Array | bigint): void {
    this.write(value);
    this.starts.push(this.heap.length);
  }

  intern(value: string | Uint8Array | bigint): number {
    const { count, heap, starts } = this;
    if (count * 2 >= this.table.length) this.rehash();
    const start = heap.length;
    const hash = this.write(value);
    const size = heap.length - start;
    const { table, hashes } = this;
    const mask = table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = table[slot]! - 1;
      if (found === -1) {
        table[slot] = count + 1;
        hashes.push(hash);
        starts.push(heap.length);
        return count;
      }
      if (
        hashes.numbers[found] === hash &&
        this.sizeAt(found) === size &&
        this.equalAt(starts.numbers[found]!, start)
      ) {
        heap.length = start;
        return found;
      }
    }
  }

  sizeAt(position: number): number {
    return this.starts.numbers[position + 1]! - this.starts.numbers[position]!;
  }

  writePlain(out: ByteList, from: number, to: number): void {
    out.append(this.heap.view(this.starts.numbers[from], this.starts.numbers[to]));
  }

  expand(positions: NumberList): void {
    const distinct = this.heap.view().slice();
    const starts = this.starts;
    this.heap.length = 0;
    this.starts = new NumberList();
    this.starts.push(0);
    for (let i = 0; i < positions.length; i++) {
      const position = positions.numbers[i]!;
      this.heap.append(distinct.subarray(starts.numbers[position], starts.numbers[position + 1]));
      this.starts.push(this.heap.length);
    }
  }

  /** Unsigned bytes, which for UTF-8 is the order of code points; a decimal of fixed size is signed. */
  compare(a: number, b: number): number {
    const { bytes } = this.heap;
    const starts = this.starts.numbers;
    const from = starts[a]! + this.prefix;
    const fromB = starts[b]! + this.prefix;
    const length = starts[a + 1]! - from;
    const lengthB = starts[b + 1]! - fromB;
    const shorter = Math.min(length, lengthB);
    let i = 0;
    while (i < shorter && bytes[from + i] === bytes[fromB + i]) i++;
    if (i === shorter) return length - lengthB;
    const flip = i === 0 && this.element.converted_type === "DECIMAL" ? 0x80 : 0;
    return (bytes[from + i]! ^ flip) - (bytes[fromB + i]! ^ flip);
  }

  ordered(): boolean {
    // The bytes of a decimal without a fixed size differ in length, and readers differ on how to order those.
    return !(this.prefix === 4 && this.element.converted_type === "DECIMAL");
  }

  bound(position: number, isMax: boolean): Bound | undefined {
    const from = this.starts.numbers[position]! + this.prefix;
    return boundOfBytes(this.heap.view(from, this.starts.numbers[position + 1]), this.element, isMax);
  }

  clear(): void {
    this.heap.length = 0;
    this.starts.length = 1;
    this.hashes.length = 0;
    this.table.fill(0);
  }

  /** Appends one value to the heap; its hash comes back, as the bytes are at hand. */
  private write(value: string | Uint8Array | bigint): number {
    const { heap, prefix } = this;
    const start = heap.length;
    const from = start + prefix;
    let hash: number;
    if (typeof value === "string") {
      heap.reserve(prefix + value.length * 3);
      hash = this.writeText(value, from);
    } else {
      const bytes = typeof value === "bigint" ? decimalBytes(value, this.element.type_length) : value;
      heap.reserve(prefix + bytes.length);
      heap.bytes.set(bytes, from);
      heap.length = from + bytes.length;
      hash = hashBytes(heap.bytes, from, heap.length);
    }
    if (prefix > 0) heap.setUint32(start, heap.length - from);
    return hash;
  }

  private writeText(value: string, from: number): number {
    const { bytes } = this.heap;
    const { length } = value;
    if (length <= SHORT_TEXT) {
      let hash = HASH_START;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[from + i] = code;
        hash = Math.imul(hash ^ code, HASH_STEP);
      }
      if (i === length) {
        this.heap.length = from + length;
        return (hash ^ (hash >>> 15)) >>> 0;
      }
    }
    this.heap.length = from + encoder.encodeInto(value, bytes.subarray(from)).written;
    return hashBytes(bytes, from, this.heap.length);
  }

  /** Whether the last value, at `start`, has the bytes of the one at `found`; both are of the same size. */
  private equalAt(found: number, start: number): boolean {
    const { bytes, length } = this.heap;
    for (let i = start; i < length; i++) if (bytes[i] !== bytes[found + i - start]) return false;
    return true;
  }

  private rehash(): void {
    this.table = new Uint32Array(Math.max(64, this.table.length * 2));
    const mask = this.table.length - 1;
    for (let position = 0; position < this.count; position++) {
      let slot = this.hashes.numbers[position]! & mask;
      while (this.table[slot] !== 0) slot = (slot + 1) & mask;
      this.table[slot] = position + 1;
    }
  }
}

/** See `ValueStore.bound`; `whole` is not kept. */
export function boundOfBytes(whole: Uint8Array, element: SchemaElement, isMax: boolean): Bound | undefined {
  if (element.converted_type === "DECIMAL") {
    return { value: BigInt.asIntN(8 * whole.length, BigInt(`0x${whole.toHex()}`)), exact: true };
  }
  // No copy of a value of many megabytes: the byte after the longest bound shows where to cut.
  const bytes = whole.slice(0, BOUND_BYTES + 1);
  const cut = unconvertMinMax(bytes, element, isMax, BOUND_BYTES);
  if (cut === undefined || cut.length > BOUND_BYTES) return undefined;
  return { value: cut, exact: cut.length === whole.length && (!isMax || Buffer.compare(cut, bytes) === 0) };
}

/** Up to here a loop in JavaScript beats a call into the engine's encoder. */
const SHORT_TEXT = 128;
const HASH_START = 0x811c9dc5;
const HASH_STEP = 0x01000193;

/** FNV-1a for short values, as writeText does it on the fly; the engine's xxHash for long ones. */
function hashBytes(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): number {
  if (to - from > SHORT_TEXT) return Bun.hash.xxHash32(bytes.subarray(from, to));
  let hash = HASH_START;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, HASH_STEP);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Two's complement, the highest byte first; as short as it goes without a size, but never empty. */
function decimalBytes(value: bigint, size?: number): Uint8Array {
  const magnitude = value < 0n ? -value - 1n : value;
  const bytes = new Uint8Array(size ?? (magnitude.toString(2).length >> 3) + 1);
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}
