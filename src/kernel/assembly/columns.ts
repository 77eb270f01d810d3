// Rows of a batch into the columns of the row group, column by column; and single values from the driver.

import { BatchColumn } from "./batch";
import { Column, growthOf, Type } from "./column";
import { putBooleans, putNumbers } from "./column-numbers";
import { putTexts } from "./column-texts";
import { clear, List, newList, reserve } from "./list";

export { bytesOf, freeColumn, newColumn, putNull, reset } from "./column";
export { finish } from "./pages";

/** A column and where a batch has its values. For a float the batch has doubles. */
@unmanaged
export class Route {
  column: Column;
  source: BatchColumn;
}

/** Which messages of the batch become rows: u32 each. */
let rows: List = changetype<List>(0);

/**
 * Appends rows from `from` to `to` (exclusive) of a batch, those whose byte in `keep` is 1, by `count` routes. A row
 * must not be kept when a column that is not optional has no value in it. Returns how many were kept.
 */
export function appendRows(routes: usize, count: u32, keep: usize, from: u32, to: u32): u32 {
  if (changetype<usize>(rows) === 0) rows = newList(1 << 10);
  clear(rows);
  reserve(rows, (to - from) << 2);
  let end = rows.end;
  for (let row = from; row < to; row++) {
    store<u32>(end, row);
    end += (<usize>load<u8>(keep + row)) << 2;
  }
  const kept = <u32>((end - rows.start) >> 2);
  for (let i: u32 = 0; i < count; i++) {
    const route = routeAt(routes, i);
    putRows(route.column, route.source, rows.start, kept);
  }
  return kept;
}

/**
 * How far rows can be appended before the row group must be asked whether it is full: behind the first row with which
 * they might take `budget` bytes.
 */
export function rowsWithin(routes: usize, count: u32, keep: usize, from: u32, to: u32, budget: f64): u32 {
  if (growthOfRows(routes, count, from, to) < budget) return to;
  let growth: f64 = 0;
  for (let row = from; row < to; row++) {
    if (load<u8>(keep + row) === 0) continue;
    growth += growthOfRows(routes, count, row, row + 1);
    if (growth >= budget) return row + 1;
  }
  return to;
}

/** The most bytes (column.ts: bytesOf) that rows of a batch, kept or not, can add to their columns. */
export function growthOfRows(routes: usize, count: u32, from: u32, to: u32): f64 {
  let growth: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const route = routeAt(routes, i);
    growth += <u64>(to - from) * growthOf(8);
    if (route.column.type !== Type.text) continue;
    const lengths = route.source.lengths;
    for (let row = from; row < to; row++) growth += load<u32>(lengths + (row << 2));
  }
  return <f64>growth;
}

function routeAt(routes: usize, index: u32): Route {
  return changetype<Route>(routes + <usize>index * offsetof<Route>());
}

function putRows(column: Column, source: BatchColumn, rows: usize, count: u32): void {
  if (column.optional) putLevels(column, source.present, rows, count);
  switch (column.type) {
    case Type.boolean:
      putBooleans(column, source, rows, count);
      break;
    case Type.int32:
      putNumbers<u32, u32>(column, source, rows, count);
      break;
    case Type.int64:
      putNumbers<u64, u64>(column, source, rows, count);
      break;
    case Type.float:
      putNumbers<u32, f64>(column, source, rows, count);
      break;
    case Type.double:
      putNumbers<u64, f64>(column, source, rows, count);
      break;
    default:
      putTexts(column, source, rows, count);
  }
}

function putLevels(column: Column, present: usize, rows: usize, count: u32): void {
  const list = column.definitions;
  reserve(list, count);
  for (let i: u32 = 0; i < count; i++) store<u8>(list.end + i, load<u8>(present + load<u32>(rows + (i << 2))));
  list.end += count;
}

// One value: a batch of one message.

const one = memory.data(sizeof<u64>(), 8);
const oneLength = memory.data(sizeof<u32>(), 4);
const onePresent = memory.data<u8>([1]);
const oneRow = memory.data<u32>([0]);
const oneSource = memory.data(offsetof<BatchColumn>(), 4);

export function putText(column: Column, start: u32, length: u32): void {
  store<u32>(one, start);
  store<u32>(oneLength, length);
  putOne(column);
}

export function putBoolean(column: Column, value: bool): void {
  store<u8>(one, value ? 1 : 0);
  putOne(column);
}

export function putInt(column: Column, value: i32): void {
  store<i32>(one, value);
  putOne(column);
}

export function putLong(column: Column, value: i64): void {
  store<i64>(one, value);
  putOne(column);
}

/** For FLOAT, too. */
export function putDouble(column: Column, value: f64): void {
  store<f64>(one, value);
  putOne(column);
}

function putOne(column: Column): void {
  const source = changetype<BatchColumn>(oneSource);
  source.present = onePresent;
  source.values = one;
  source.starts = one;
  source.lengths = oneLength;
  putRows(column, source, oneRow, 1);
}
