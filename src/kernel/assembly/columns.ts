// Rows of a batch into the columns of the row group, column by column; and single values from the driver.

import { BatchColumn } from "./batch";
import { Column, growthOf, putNull, Type } from "./column";
import { putBits, putBoolean, putDouble, putFloat } from "./column-numbers";
import { putText } from "./column-texts";

export { bytesOf, freeColumn, newColumn, putNull, reset } from "./column";
export { putBoolean, putDouble, putFloat } from "./column-numbers";
export { putText } from "./column-texts";
export { finish } from "./pages";

/** A column and where a batch has its values. For a float the batch has doubles. */
@unmanaged
export class Route {
  column: Column;
  source: BatchColumn;
}

export function putInt(column: Column, value: i32): void {
  putBits<u32>(column, value);
}

export function putLong(column: Column, value: i64): void {
  putBits<u64>(column, value);
}

/**
 * Appends rows from `from` to `to` (exclusive) of a batch, those whose byte in `keep` is 1, by `count` routes. A row
 * must not be kept when a column that is not optional has no value in it. Returns how many were kept.
 */
export function appendRows(routes: usize, count: u32, keep: usize, from: u32, to: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const route = routeAt(routes, i);
    appendColumn(route.column, route.source, keep, from, to);
  }
  let kept: u32 = 0;
  for (let row = from; row < to; row++) kept += load<u8>(keep + row);
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

function appendColumn(column: Column, source: BatchColumn, keep: usize, from: u32, to: u32): void {
  const present = source.present;
  const values = source.values;
  for (let row = from; row < to; row++) {
    if (load<u8>(keep + row) === 0) continue;
    if (load<u8>(present + row) === 0) {
      putNull(column);
      continue;
    }
    switch (column.type) {
      case Type.boolean:
        putBoolean(column, load<u8>(values + row));
        break;
      case Type.int32:
        putBits<u32>(column, load<u32>(values + (row << 2)));
        break;
      case Type.int64:
        putBits<u64>(column, load<u64>(values + (row << 3)));
        break;
      case Type.float:
        putFloat(column, load<f64>(values + (row << 3)));
        break;
      case Type.double:
        putDouble(column, load<f64>(values + (row << 3)));
        break;
      default:
        putText(column, load<u32>(source.starts + (row << 2)), load<u32>(source.lengths + (row << 2)));
    }
  }
}
