// Growing memory for what a column holds: bytes one behind the other, kept from row group to row group.

import { allocate, release, SLACK } from "./memory";

@unmanaged
export class List {
  start: usize;
  /** Behind the last byte in use. */
  end: usize;
  /** Behind the last byte that may be used; whole vectors may reach SLACK beyond it. */
  limit: usize;
}

/** An empty list with room for `bytes` bytes. What is not used of them costs no memory. */
export function newList(bytes: usize): List {
  const list = changetype<List>(take(offsetof<List>()));
  list.start = take(bytes);
  list.end = list.start;
  list.limit = list.start + bytes;
  return list;
}

export function freeList(list: List): void {
  release(list.start, list.limit - list.start);
  release(changetype<usize>(list), offsetof<List>());
}

/** Makes room for `bytes` more bytes; what was in the list may lie elsewhere afterwards. */
export function reserve(list: List, bytes: usize): void {
  if (list.limit - list.end < bytes) grow(list, bytes);
}

export function clear(list: List): void {
  list.end = list.start;
}

export function sizeOf(list: List): usize {
  return list.end - list.start;
}

export function push8(list: List, value: u32): void {
  reserve(list, 1);
  store<u8>(list.end, <u8>value);
  list.end += 1;
}

export function push32(list: List, value: u32): void {
  reserve(list, 4);
  store<u32>(list.end, value);
  list.end += 4;
}

/** Gives `list` what is in `other`, which is given back. */
export function exchange(list: List, other: List): void {
  release(list.start, list.limit - list.start);
  memory.copy(changetype<usize>(list), changetype<usize>(other), offsetof<List>());
  release(changetype<usize>(other), offsetof<List>());
}

function grow(list: List, bytes: usize): void {
  const used = sizeOf(list);
  const old = list.limit - list.start;
  // Blocks are powers of two with the slack inside.
  const capacity = max((old + SLACK) * 2 - SLACK, used + bytes);
  const block = take(capacity);
  memory.copy(block, list.start, used);
  release(list.start, old);
  list.start = block;
  list.end = block + used;
  list.limit = block + capacity;
}

/** A block of memory. Row groups are cut long before there is none left, so this traps only on a mistake. */
export function take(bytes: usize): usize {
  const block = allocate(bytes);
  if (block === 0) unreachable();
  return block;
}
