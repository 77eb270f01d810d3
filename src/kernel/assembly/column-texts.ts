// Text and bytes into a column: copied into its store when they are new to it. The twin of src/parquet/texts.ts.

import { Column, limitDictionary } from "./column";
import { push8, push32, reserve, sizeOf } from "./list";
import { widen } from "./table";

/** A value of `length` bytes at `start`; up to 8 bytes behind it may be read. */
export function putText(column: Column, start: usize, length: u32): void {
  if (column.optional) push8(column.definitions, 1);
  column.values += 1;
  column.valueBytes += 4 + <u64>length;
  if (column.hasDictionary) {
    push32(column.positions, intern(column, start, length));
    limitDictionary(column);
  } else {
    append(column, start, length);
  }
}

/** The position of an equal value, which is added when there is none. */
function intern(column: Column, start: usize, length: u32): u32 {
  const table = column.table;
  widen(table, column.count);
  const hash = hashOf(start, length);
  const mask = table.size - 1;
  let slot = hash & mask;
  while (true) {
    const at = table.slots + ((<usize>slot) << 3);
    const entry = load<u64>(at);
    if (entry === 0) {
      store<u64>(at, ((<u64>hash) << 32) | (column.count + 1));
      push32(column.starts, <u32>sizeOf(column.store));
      append(column, start, length);
      return column.count - 1;
    }
    if (<u32>(entry >> 32) === hash) {
      const position = <u32>entry - 1;
      const found = column.store.start + <usize>load<u32>(column.starts.start + ((<usize>position) << 2));
      if (load<u32>(found) === length && areEqual(found + 4, start, length)) return position;
    }
    slot = (slot + 1) & mask;
  }
}

function append(column: Column, start: usize, length: u32): void {
  const list = column.store;
  reserve(list, 4 + <usize>length);
  const to = list.end + 4;
  store<u32>(list.end, length);
  if (length <= SHORT) {
    // Whole vectors: the list has slack for what is too much, and so has the memory that is read.
    for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(start + i));
  } else {
    memory.copy(to, start, length);
  }
  list.end = to + length;
  column.count += 1;
}

const SHORT: u32 = 64;
const MIX: u64 = 0xff51afd7ed558ccd;

/** No one sees it: the order of a dictionary is that in which values came. */
function hashOf(start: usize, length: u32): u32 {
  let hash = 0x9e3779b97f4a7c15 ^ <u64>length;
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) {
    hash = (hash ^ load<u64>(start + i)) * MIX;
    hash ^= hash >> 32;
  }
  if (i < length) {
    hash = (hash ^ lastBytes(start + i, length - i)) * MIX;
    hash ^= hash >> 32;
  }
  return <u32>(hash ^ (hash >> 29));
}

function areEqual(a: usize, b: usize, length: u32): bool {
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) if (load<u64>(a + i) !== load<u64>(b + i)) return false;
  return i === length || lastBytes(a + i, length - i) === lastBytes(b + i, length - i);
}

/** From 1 to 7 bytes. */
function lastBytes(at: usize, count: u32): u64 {
  return load<u64>(at) & (((<u64>1) << ((<u64>count) << 3)) - 1);
}
