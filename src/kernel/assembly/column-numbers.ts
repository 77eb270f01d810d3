// Numbers and booleans into a column. The twin of src/parquet/numbers.ts: equal are numbers with the same bits.

import { Column, limitDictionary } from "./column";
import { push8, push32, reserve } from "./list";
import { widen } from "./table";

export function putBoolean(column: Column, value: u32): void {
  if (column.optional) push8(column.definitions, 1);
  column.values += 1;
  column.count += 1;
  push8(column.store, value);
}

/** As FLOAT or DOUBLE, which `Bits` has the size of. NaN is stored in one form only. */
export function putFloat(column: Column, value: f64): void {
  putBits<u32>(column, isNaN(value) ? 0x7fc00000 : reinterpret<u32>(<f32>value));
}

export function putDouble(column: Column, value: f64): void {
  putBits<u64>(column, isNaN(value) ? 0x7ff8000000000000 : reinterpret<u64>(value));
}

/** `Bits` is u32 or u64. */
export function putBits<Bits>(column: Column, bits: Bits): void {
  if (column.optional) push8(column.definitions, 1);
  column.values += 1;
  column.valueBytes += sizeof<Bits>();
  if (column.hasDictionary) {
    push32(column.positions, intern<Bits>(column, bits));
    limitDictionary(column);
  } else {
    append<Bits>(column, bits);
  }
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
