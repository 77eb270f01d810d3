// Where in the store a column has a value already: a hash table with open addressing.

import { take } from "./list";
import { release } from "./memory";

@unmanaged
export class Table {
  /** u64 each: a value's hash in the upper half, its position in the store + 1 in the lower; 0 is free. */
  slots: usize;
  /** How many slots, a power of two; 0 before the first value. */
  size: u32;
}

const SMALLEST: u32 = 64;
/** A table with so many slots does not stay in the processor's first cache. */
const LARGE: u32 = 4096;

/**
 * Whether the slots of a batch's values are to be read ahead of the search: all at once they cost one wait for memory, one
 * by one, with a search that hangs on each, they cost one wait each.
 */
export function isLarge(table: Table): bool {
  return table.size >= LARGE;
}

/** The position of the value that a search for this hash most likely finds; NONE where there seems to be none. */
export function likelyPosition(table: Table, hash: u32): u32 {
  const entry = load<u64>(table.slots + ((<usize>(hash & (table.size - 1))) << 3));
  return <u32>(entry >> 32) === hash ? <u32>entry - 1 : NONE;
}

export const NONE: u32 = 0xffffffff;

/** Where what was read ahead is put, so that it is read. */
export const readAhead = memory.data(8, 8);

export function newTable(): Table {
  const table = changetype<Table>(take(offsetof<Table>()));
  table.slots = 0;
  table.size = 0;
  return table;
}

export function freeTable(table: Table): void {
  if (table.size > 0) release(table.slots, (<usize>table.size) << 3);
  release(changetype<usize>(table), offsetof<Table>());
}

export function clearTable(table: Table): void {
  if (table.size > 0) memory.fill(table.slots, 0, (<usize>table.size) << 3);
}

/** To be called before a search, with how many values there are: at least half of the slots are free then. */
export function widen(table: Table, count: u32): void {
  if (count * 2 < table.size) return;
  const size = max(SMALLEST, table.size * 2);
  const slots = take((<usize>size) << 3);
  memory.fill(slots, 0, (<usize>size) << 3);
  const end = table.slots + ((<usize>table.size) << 3);
  for (let at = table.slots; at < end; at += 8) {
    const entry = load<u64>(at);
    if (entry === 0) continue;
    let slot = <u32>(entry >> 32) & (size - 1);
    while (load<u64>(slots + ((<usize>slot) << 3)) !== 0) slot = (slot + 1) & (size - 1);
    store<u64>(slots + ((<usize>slot) << 3), entry);
  }
  if (table.size > 0) release(table.slots, (<usize>table.size) << 3);
  table.slots = slots;
  table.size = size;
}
