// One column of the row group being built: values and levels as they come in. The twin of src/parquet/column.ts, to the byte.

import { clear, exchange, freeList, List, newList, push8, sizeOf, take } from "./list";
import { release } from "./memory";
import { clearTable, freeTable, newTable, Table } from "./table";

/** What Parquet stores. */
export enum Type {
  boolean,
  int32,
  int64,
  float,
  double,
  text,
}

/** A column at the top of the schema, required or optional. */
@unmanaged
export class Column {
  type: Type;
  /** Whether it has nulls, and so definition levels. */
  optional: bool;
  /** With a dictionary: `positions` has the position in the store of each value. Without: the store has each value itself. */
  hasDictionary: bool;
  /** Values that came in, nulls not counted. */
  values: u32;
  /** Values in the store. */
  count: u32;
  /** PLAIN size of all values that came in, in bytes. */
  valueBytes: u64;
  /** u8 for each row, 0 for null. */
  definitions: List;
  /** u32. */
  positions: List;
  /** Values in PLAIN layout, text behind its 32-bit length; booleans are u8. */
  store: List;
  /** Of text, with a dictionary: u32, how far into the store each value begins. */
  starts: List;
  /** Finds values again. */
  table: Table;
}

/** A dictionary that grows beyond this is given up: ColumnBuilder says why, and when not. */
const DICTIONARY_BYTES: usize = 8 << 20;
/** What a dictionary entry costs beside its value: starts, hash, and a share of the table, in bytes. */
const ENTRY_BYTES: u32 = 24;

/** With room for so many `rows` at once; lists grow when more come. */
export function newColumn(type: Type, optional: bool, rows: u32): Column {
  const isBoolean = type === Type.boolean;
  const column = changetype<Column>(take(offsetof<Column>()));
  column.type = type;
  column.optional = optional;
  column.definitions = newList(optional ? rows : 0);
  column.positions = newList(isBoolean ? 0 : rows << 2);
  column.store = newList(isBoolean ? rows : 1 << 16);
  column.starts = newList(type === Type.text ? 1 << 12 : 0);
  column.table = newTable();
  reset(column);
  return column;
}

/** Begins again with no rows. */
export function reset(column: Column): void {
  column.hasDictionary = column.type !== Type.boolean;
  column.values = 0;
  column.count = 0;
  column.valueBytes = 0;
  clear(column.definitions);
  clear(column.positions);
  clear(column.store);
  clear(column.starts);
  clearTable(column.table);
}

/** Gives its memory back. */
export function freeColumn(column: Column): void {
  freeList(column.definitions);
  freeList(column.positions);
  freeList(column.store);
  freeList(column.starts);
  freeTable(column.table);
  release(changetype<usize>(column), offsetof<Column>());
}

export function putNull(column: Column): void {
  push8(column.definitions, 0);
}

/** Memory that what has come in takes, roughly: row groups are cut by it, so it counts as ColumnBuilder.bytes does. */
export function bytesOf(column: Column): usize {
  return sizeOf(column.definitions) + heldBytes(column);
}

/** The same without levels. */
function heldBytes(column: Column): usize {
  if (column.type === Type.boolean) return (column.count + 7) >> 3;
  const bytes = sizeOf(column.store);
  return column.hasDictionary ? bytes + 4 * column.values + ENTRY_BYTES * column.count : bytes;
}

/** The most that `bytesOf` grows by with one more value, of `size` bytes in PLAIN layout. */
export function growthOf(size: u32): u32 {
  return size + 1 + 4 + ENTRY_BYTES;
}

export function isTooLarge(column: Column): bool {
  return sizeOf(column.store) > DICTIONARY_BYTES;
}

/** To be called when a value has made the dictionary too large. */
export function limitDictionary(column: Column): void {
  if (column.valueBytes <= heldBytes(column)) dropDictionary(column);
}

/** Whether the dictionary makes the column smaller: ColumnBuilder says why it is decided so. */
export function dictionaryPays(column: Column): bool {
  if (column.count === 0) return false;
  const indexBits = <u64>column.values * bitWidth(column.count - 1);
  return 4 * <u64>sizeOf(column.store) + indexBits < 4 * column.valueBytes;
}

/** Puts the values themselves in the place of their positions. */
export function dropDictionary(column: Column): void {
  // When no value has come twice they lie in order already.
  if (column.count < column.values) {
    const expanded = newList(<usize>column.valueBytes);
    if (column.type === Type.text) copyTexts(column, expanded);
    else if (widthOf(column.type) === 8) copyNumbers<u64>(column, expanded);
    else copyNumbers<u32>(column, expanded);
    exchange(column.store, expanded);
    column.count = column.values;
  }
  clear(column.positions);
  column.hasDictionary = false;
}

/** Bytes of a number in PLAIN layout. */
export function widthOf(type: Type): u32 {
  return type === Type.int64 || type === Type.double ? 8 : 4;
}

/** Bits that hold every number from 0 to `largest`. */
export function bitWidth(largest: u32): u32 {
  return 32 - clz(largest);
}

function copyTexts(column: Column, to: List): void {
  let out = to.start;
  const starts = column.starts.start;
  const values = column.store.start;
  for (let at = column.positions.start; at < column.positions.end; at += 4) {
    const from = values + <usize>load<u32>(starts + ((<usize>load<u32>(at)) << 2));
    const size = 4 + <usize>load<u32>(from);
    memory.copy(out, from, size);
    out += size;
  }
  to.end = out;
}

function copyNumbers<Bits>(column: Column, to: List): void {
  let out = to.start;
  const values = column.store.start;
  for (let at = column.positions.start; at < column.positions.end; at += 4) {
    store<Bits>(out, load<Bits>(values + <usize>load<u32>(at) * sizeof<Bits>()));
    out += sizeof<Bits>();
  }
  to.end = out;
}
