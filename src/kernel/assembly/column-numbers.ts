// Numbers and booleans of a batch into a column. The twin of src/parquet/numbers.ts: equal are numbers with the same bits.

import { BatchColumn } from "./batch";
import { Column } from "./column";
import { reserve } from "./list";
import {
  enter,
  entryAt,
  firstSlot,
  hashesAhead,
  isLarge,
  mayBe,
  NONE,
  nextSlot,
  positionOf,
  readAhead,
  seenAhead,
  widen,
} from "./table";

/** `rows`: u32 each, the numbers of the `count` messages of the batch that become rows. */
export function putBooleans(column: Column, source: BatchColumn, rows: usize, count: u32): void {
  reserve(column.store, count);
  const present = column.optional ? source.present : 0;
  const start = column.store.end;
  let out = start;
  for (let at = rows; at < rows + (count << 2); at += 4) {
    const row = load<u32>(at);
    if (present !== 0 && load<u8>(present + row) === 0) continue;
    store<u8>(out++, load<u8>(source.values + row));
  }
  column.store.end = out;
  column.values += out - start;
  column.count += out - start;
}

/**
 * The column stores `Bits`, u32 or u64, the batch has `Source`: the same, or f64. Always with a dictionary: the numbers of a
 * row group are never so many that it would be too large.
 */
export function putNumbers<Bits, Source>(column: Column, source: BatchColumn, rows: usize, count: u32): void {
  const end = rows + (count << 2);
  reserve(column.positions, count << 2);
  const hashes = isLarge(column.table) ? lookAhead<Bits, Source>(column, source, rows, end) : 0;
  const present = column.optional ? source.present : 0;
  const values = source.values;
  const first = column.positions.end;
  let out = first;
  let last: Bits = 0;
  let position = NONE;
  for (let at = rows; at < end; at += 4) {
    const row: usize = load<u32>(at);
    if (present !== 0 && load<u8>(present + row) === 0) continue;
    const bits = bitsAt<Bits, Source>(values + row * sizeof<Source>());
    // Often one value comes many times in a row.
    if (bits !== last || position === NONE) {
      position = intern<Bits>(column, bits, hashes === 0 ? hashOf(<u64>bits) : load<u32>(hashes + at - rows));
      last = bits;
    }
    store<u32>(out, position);
    out += 4;
  }
  column.positions.end = out;
  column.values += (out - first) >> 2;
  column.valueBytes += <u64>((out - first) >> 2) * sizeof<Bits>();
}

/** The hashes of the rows' values, u32 each; that of a null is of no use. What a search for them needs is in the cache then. */
function lookAhead<Bits, Source>(column: Column, source: BatchColumn, rows: usize, end: usize): usize {
  const count = <u32>((end - rows) >> 2);
  const hashes = hashesAhead(count);
  for (let at = rows; at < end; at += 4) {
    const bits = bitsAt<Bits, Source>(source.values + <usize>load<u32>(at) * sizeof<Source>());
    store<u32>(hashes + at - rows, hashOf(<u64>bits));
  }
  const positions = readAhead(column.table, count);
  let seen: u64 = 0;
  for (let i: usize = 0; i < count << 2; i += 4) {
    seen ^= load<u32>(column.store.start + <usize>load<u32>(positions + i) * sizeof<Bits>());
  }
  store<u64>(seenAhead, seen);
  return hashes;
}

/** NaN is stored in one form only. */
function bitsAt<Bits, Source>(at: usize): Bits {
  if (!isFloat<Source>()) return load<Bits>(at);
  const value = load<f64>(at);
  if (sizeof<Bits>() === 4) return <Bits>(isNaN(value) ? 0x7fc00000 : reinterpret<u32>(<f32>value));
  return <Bits>(isNaN(value) ? 0x7ff8000000000000 : reinterpret<u64>(value));
}

/** The position of an equal number, which is added when there is none. */
function intern<Bits>(column: Column, bits: Bits, hash: u32): u32 {
  const table = column.table;
  widen(table, column.count);
  let slot = firstSlot(table, hash);
  while (true) {
    const entry = entryAt(table, slot);
    if (entry === 0) {
      enter(table, slot, hash, column.count);
      append<Bits>(column, bits);
      return column.count - 1;
    }
    const position = positionOf(entry);
    if (mayBe(entry, hash) && load<Bits>(column.store.start + <usize>position * sizeof<Bits>()) === bits)
      return position;
    slot = nextSlot(table, slot);
  }
}

function append<Bits>(column: Column, bits: Bits): void {
  const list = column.store;
  reserve(list, sizeof<Bits>());
  store<Bits>(list.end, bits);
  list.end += sizeof<Bits>();
  column.count += 1;
}

function hashOf(bits: u64): u32 {
  const mixed = (bits ^ (bits >> 32)) * 0x9e3779b97f4a7c15;
  return <u32>((mixed >> 32) ^ (mixed >> 15));
}
