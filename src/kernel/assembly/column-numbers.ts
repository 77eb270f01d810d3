// Numbers and booleans of a batch into a column. The twin of src/parquet/numbers.ts: equal are numbers with the same bits.

import { BatchColumn } from "./batch";
import { Column } from "./column";
import { reserve } from "./list";
import { isLarge, likelyPosition, NONE, readAhead, widen } from "./table";

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
  if (isLarge(column.table)) findAhead<Bits, Source>(column, source, rows, end);
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
      position = intern<Bits>(column, bits);
      last = bits;
    }
    store<u32>(out, position);
    out += 4;
  }
  column.positions.end = out;
  column.values += (out - first) >> 2;
  column.valueBytes += <u64>((out - first) >> 2) * sizeof<Bits>();
}

function findAhead<Bits, Source>(column: Column, source: BatchColumn, rows: usize, end: usize): void {
  let seen: u64 = 0;
  for (let at = rows; at < end; at += 4) {
    const bits = bitsAt<Bits, Source>(source.values + <usize>load<u32>(at) * sizeof<Source>());
    const position = likelyPosition(column.table, hashOf(<u64>bits));
    if (position === NONE) seen++;
    else seen ^= load<u32>(column.store.start + <usize>position * sizeof<Bits>());
  }
  store<u64>(readAhead, seen);
}

/** NaN is stored in one form only. */
function bitsAt<Bits, Source>(at: usize): Bits {
  if (!isFloat<Source>()) return load<Bits>(at);
  const value = load<f64>(at);
  if (sizeof<Bits>() === 4) return <Bits>(isNaN(value) ? 0x7fc00000 : reinterpret<u32>(<f32>value));
  return <Bits>(isNaN(value) ? 0x7ff8000000000000 : reinterpret<u64>(value));
}

/** The position of an equal number, which is added when there is none. */
function intern<Bits>(column: Column, bits: Bits): u32 {
  const table = column.table;
  widen(table, column.count);
  const hash = hashOf(<u64>bits);
  const mask = table.size - 1;
  let slot = hash & mask;
  while (true) {
    const at = table.slots + ((<usize>slot) << 3);
    const entry = load<u64>(at);
    if (entry === 0) {
      store<u64>(at, ((<u64>hash) << 32) | (column.count + 1));
      append<Bits>(column, bits);
      return column.count - 1;
    }
    const position = <u32>entry - 1;
    const found = column.store.start + <usize>position * sizeof<Bits>();
    if (<u32>(entry >> 32) === hash && load<Bits>(found) === bits) return position;
    slot = (slot + 1) & mask;
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
