// Text and bytes into a column: copied into its store when they are new to it. The twin of src/parquet/texts.ts.

import { BatchColumn } from "./batch";
import { Column, isTooLarge, limitDictionary } from "./column";
import { push32, reserve, sizeOf } from "./list";
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
import { equal, firstBytes } from "./text";

/**
 * `rows`: u32 each, the numbers of the `count` messages of the batch that become rows. Up to 15 bytes behind a text may
 * be read.
 */
export function putTexts(column: Column, source: BatchColumn, rows: usize, count: u32): void {
  const end = rows + (count << 2);
  let at = rows;
  while (at < end && column.hasDictionary) at = putPositions(column, source, at, end);
  putValues(column, source, at, end);
}

/** Returns where it came to: no further than to the value that makes the dictionary too large. */
function putPositions(column: Column, source: BatchColumn, rows: usize, end: usize): usize {
  reserve(column.positions, end - rows);
  const present = column.optional ? source.present : 0;
  const starts = source.starts;
  const lengths = source.lengths;
  const hashes = isLarge(column.table) ? lookAhead(column, source, rows, end) : 0;
  const first = column.positions.end;
  let out = first;
  let valueBytes: u64 = 0;
  let position = NONE;
  let isRepeated = false;
  let isFull = false;
  let at = rows;
  while (at < end && !isFull) {
    const row: usize = load<u32>(at);
    const hashAt = hashes + at - rows;
    at += 4;
    if (present !== 0 && load<u8>(present + row) === 0) continue;
    const start = <usize>load<u32>(starts + (row << 2));
    const length = load<u32>(lengths + (row << 2));
    valueBytes += 4 + <u64>length;
    // Where a value came twice in a row it often goes on so.
    if (!isRepeated || !isAt(column, position, start, length)) {
      const before = position;
      position = intern(column, start, length, hashes === 0 ? hashOf(start, length) : load<u32>(hashAt));
      isRepeated = position === before;
      isFull = isTooLarge(column);
    }
    store<u32>(out, position);
    out += 4;
  }
  column.positions.end = out;
  column.values += (out - first) >> 2;
  column.valueBytes += valueBytes;
  if (isFull) limitDictionary(column);
  return at;
}

/** The hashes of the rows' values, u32 each; that of a null is of no use. What a search for them needs is in the cache then. */
function lookAhead(column: Column, source: BatchColumn, rows: usize, end: usize): usize {
  const count = <u32>((end - rows) >> 2);
  const hashes = hashesAhead(count);
  const present = column.optional ? source.present : 0;
  for (let at = rows; at < end; at += 4) {
    const row: usize = load<u32>(at);
    const isNull = present !== 0 && load<u8>(present + row) === 0;
    const hash = isNull ? 0 : hashOf(load<u32>(source.starts + (row << 2)), load<u32>(source.lengths + (row << 2)));
    store<u32>(hashes + at - rows, hash);
  }
  const positions = readAhead(column.table, count);
  let seen: u64 = 0;
  for (let i: usize = 0; i < count << 2; i += 4) seen ^= load<u32>(valueAt(column, load<u32>(positions + i)));
  store<u64>(seenAhead, seen);
  return hashes;
}

function putValues(column: Column, source: BatchColumn, rows: usize, end: usize): void {
  const present = column.optional ? source.present : 0;
  for (let at = rows; at < end; at += 4) {
    const row: usize = load<u32>(at);
    if (present !== 0 && load<u8>(present + row) === 0) continue;
    const length = load<u32>(source.lengths + (row << 2));
    append(column, load<u32>(source.starts + (row << 2)), length);
    column.values += 1;
    column.valueBytes += 4 + <u64>length;
  }
}

/** The position of an equal value, which is added when there is none. */
function intern(column: Column, start: usize, length: u32, hash: u32): u32 {
  const table = column.table;
  widen(table, column.count);
  let slot = firstSlot(table, hash);
  while (true) {
    const entry = entryAt(table, slot);
    if (entry === 0) {
      enter(table, slot, hash, column.count);
      push32(column.starts, <u32>sizeOf(column.store));
      append(column, start, length);
      return column.count - 1;
    }
    if (mayBe(entry, hash) && isAt(column, positionOf(entry), start, length)) return positionOf(entry);
    slot = nextSlot(table, slot);
  }
}

/** Whether the store has this value at a position. */
function isAt(column: Column, position: u32, start: usize, length: u32): bool {
  const found = valueAt(column, position);
  return load<u32>(found) === length && equal(found + 4, start, length);
}

/** Where the store has a value, with its length. */
function valueAt(column: Column, position: u32): usize {
  return column.store.start + <usize>load<u32>(column.starts.start + ((<usize>position) << 2));
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
const MIX_A: u64 = 0xff51afd7ed558ccd;
const MIX_B: u64 = 0x9e3779b97f4a7c15;

// Up to sixteen bytes are one vector, masked rather than told apart by length, which is hard to foresee. Longer ones are
// pieces of sixteen, of which the last one may share some bytes with that before.

/** No one sees it: the order of a dictionary is that in which values came. */
function hashOf(start: usize, length: u32): u32 {
  let a = MIX_B ^ <u64>length;
  let b: u64 = 0;
  if (length <= 16) {
    const piece = firstBytes(start, length);
    a ^= v128.extract_lane<u64>(piece, 0);
    b = v128.extract_lane<u64>(piece, 1);
  } else {
    const last = start + length - 16;
    for (let at = start; at < last; at += 16) {
      a = (a ^ load<u64>(at)) * MIX_A;
      b = (b ^ load<u64>(at, 8)) * MIX_B;
      a ^= a >> 32;
      b ^= b >> 32;
    }
    a ^= load<u64>(last);
    b ^= load<u64>(last, 8);
  }
  a = (a * MIX_A) ^ (b * MIX_B);
  a = (a ^ (a >> 32)) * MIX_A;
  return <u32>(a >> 32);
}
