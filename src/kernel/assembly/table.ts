// Where in the store a column has a value already: a hash table with open addressing.

import { clear, freeList, List, newList, push32, reserve, take } from "./list";
import { release } from "./memory";

@unmanaged
export class Table {
  /** u32 each: the upper bits of a value's hash, and its position in the store + 1 in the POSITION bits below; 0 is free. */
  slots: usize;
  /** How many slots, a power of two; 0 before the first value. */
  size: u32;
  /** u32 each, by position: the values' hashes. */
  hashes: List;
}

/** A row group has no more than 2 ** 18 rows, and so no more values in a column. */
const POSITION: u32 = (1 << 20) - 1;
const SMALLEST: u32 = 64;
/** A table with so many slots does not stay in the processor's first cache. */
const LARGE: u32 = 8192;

export const NONE: u32 = 0xffffffff;

export function newTable(): Table {
  const table = changetype<Table>(take(offsetof<Table>()));
  table.slots = 0;
  table.size = 0;
  table.hashes = newList(1 << 10);
  return table;
}

export function freeTable(table: Table): void {
  if (table.size > 0) release(table.slots, (<usize>table.size) << 2);
  freeList(table.hashes);
  release(changetype<usize>(table), offsetof<Table>());
}

export function clearTable(table: Table): void {
  if (table.size > 0) memory.fill(table.slots, 0, (<usize>table.size) << 2);
  clear(table.hashes);
}

/** The slot where a search for this hash begins. */
export function firstSlot(table: Table, hash: u32): u32 {
  return hash & (table.size - 1);
}

export function nextSlot(table: Table, slot: u32): u32 {
  return (slot + 1) & (table.size - 1);
}

/** What is in a slot; 0 where it is free. */
export function entryAt(table: Table, slot: u32): u32 {
  return load<u32>(table.slots + ((<usize>slot) << 2));
}

/** Whether an entry may be that of a value with this hash: nearly all others are told apart. */
export function mayBe(entry: u32, hash: u32): bool {
  return (entry ^ hash) <= POSITION;
}

export function positionOf(entry: u32): u32 {
  return (entry & POSITION) - 1;
}

/** Enters the value that comes next in the store into a free slot. */
export function enter(table: Table, slot: u32, hash: u32, position: u32): void {
  store<u32>(table.slots + ((<usize>slot) << 2), (hash & ~POSITION) | (position + 1));
  push32(table.hashes, hash);
}

/** To be called before a search, with how many values there are: at least half of the slots are free then. */
export function widen(table: Table, count: u32): void {
  if (count * 2 < table.size) return;
  const size = max(SMALLEST, table.size * 2);
  const slots = take((<usize>size) << 2);
  memory.fill(slots, 0, (<usize>size) << 2);
  const hashes = table.hashes.start;
  for (let position: u32 = 0; position < count; position++) {
    const hash = load<u32>(hashes + ((<usize>position) << 2));
    let slot = hash & (size - 1);
    while (load<u32>(slots + ((<usize>slot) << 2)) !== 0) slot = (slot + 1) & (size - 1);
    store<u32>(slots + ((<usize>slot) << 2), (hash & ~POSITION) | (position + 1));
  }
  if (table.size > 0) release(table.slots, (<usize>table.size) << 2);
  table.slots = slots;
  table.size = size;
}

/**
 * Whether the slots of a batch's values are to be read ahead of the search: all at once they cost one wait for memory, one
 * by one, with a search that hangs on each, they cost one wait each.
 */
export function isLarge(table: Table): bool {
  return table.size >= LARGE;
}

/** Of the values of a batch, u32 each: their hashes, which the caller writes, then the positions where they may be. */
let ahead: List = changetype<List>(0);

/** Room for so many hashes, for `readAhead`. */
export function hashesAhead(count: u32): usize {
  if (changetype<usize>(ahead) === 0) ahead = newList(1 << 12);
  clear(ahead);
  reserve(ahead, count << 3);
  return ahead.start;
}

/** Reads the first slots of all these hashes; gives the positions that the searches most likely end at, 0 for none. */
export function readAhead(table: Table, count: u32): usize {
  const hashes = ahead.start;
  const positions = hashes + (count << 2);
  for (let i: usize = 0; i < count << 2; i += 4) {
    const hash = load<u32>(hashes + i);
    const entry = entryAt(table, firstSlot(table, hash));
    store<u32>(positions + i, select<u32>(positionOf(entry), 0, entry !== 0 && mayBe(entry, hash)));
  }
  return positions;
}

/** Where what was read ahead is put, so that it is read. */
export const seenAhead = memory.data(8, 8);
