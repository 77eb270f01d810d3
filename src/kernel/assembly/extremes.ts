// Smallest and largest value of a page or a chunk. The twin of extremesOf in src/parquet/statistics.ts.

import { Column, Type } from "./column";
import { clear, List, newList, reserve } from "./list";

/** Where the values lie in the store, text with its length; 0 where there is none with a place in the order. */
@unmanaged
export class Extremes {
  min: usize;
  max: usize;
}

/** A byte for each value of a dictionary: 1 where a page has it. */
let marks: List = changetype<List>(0);

/** Widens `extremes` by the values in a range of those that came in. `textsAt`: where the first of them lies, for text. */
export function widenExtremes(column: Column, extremes: Extremes, from: u32, to: u32, textsAt: usize): void {
  switch (column.type) {
    case Type.boolean:
      widenNumbers<u8>(column, extremes, from, to);
      break;
    case Type.int32:
      widenNumbers<i32>(column, extremes, from, to);
      break;
    case Type.int64:
      widenNumbers<i64>(column, extremes, from, to);
      break;
    case Type.float:
      widenNumbers<f32>(column, extremes, from, to);
      break;
    case Type.double:
      widenNumbers<f64>(column, extremes, from, to);
      break;
    default:
      if (column.hasDictionary) widenByPositions(column, extremes, from, to);
      else widenInOrder(extremes, to - from, textsAt);
  }
}

/** Widens the extremes of a chunk by those of one of its pages. */
export function joinExtremes(type: Type, chunk: Extremes, page: Extremes): void {
  if (page.min === 0) return;
  if (chunk.min === 0) {
    chunk.min = page.min;
    chunk.max = page.max;
    return;
  }
  if (compare(type, page.min, chunk.min) < 0) chunk.min = page.min;
  if (compare(type, page.max, chunk.max) > 0) chunk.max = page.max;
}

function compare(type: Type, a: usize, b: usize): i32 {
  switch (type) {
    case Type.boolean:
      return compareNumbers<u8>(a, b);
    case Type.int32:
      return compareNumbers<i32>(a, b);
    case Type.int64:
      return compareNumbers<i64>(a, b);
    case Type.float:
      return compareNumbers<f32>(a, b);
    case Type.double:
      return compareNumbers<f64>(a, b);
    default:
      return compareTexts(a, b);
  }
}

function compareNumbers<Value>(a: usize, b: usize): i32 {
  const x = load<Value>(a);
  const y = load<Value>(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** NaN has no place in the order, so it is left out. */
function widenNumbers<Value>(column: Column, extremes: Extremes, from: u32, to: u32): void {
  const values = column.store.start;
  const positions = column.hasDictionary ? column.positions.start : 0;
  let minAt = extremes.min;
  let maxAt = extremes.max;
  let min = minAt === 0 ? <Value>0 : load<Value>(minAt);
  let max = minAt === 0 ? <Value>0 : load<Value>(maxAt);
  for (let i: usize = from; i < to; i++) {
    const position = positions === 0 ? i : <usize>load<u32>(positions + (i << 2));
    const at = values + position * sizeof<Value>();
    const value = load<Value>(at);
    if (isFloat<Value>() && isNaN<Value>(value)) continue;
    if (minAt === 0) {
      minAt = at;
      maxAt = at;
      min = value;
      max = value;
    } else if (value < min) {
      minAt = at;
      min = value;
    } else if (value > max) {
      maxAt = at;
      max = value;
    }
  }
  extremes.min = minAt;
  extremes.max = maxAt;
}

/** Each value of the dictionary is compared once, however often it comes. */
function widenByPositions(column: Column, extremes: Extremes, from: u32, to: u32): void {
  if (changetype<usize>(marks) === 0) marks = newList(1 << 12);
  clear(marks);
  reserve(marks, column.count);
  memory.fill(marks.start, 0, column.count);
  const positions = column.positions.start;
  for (let i: usize = from; i < to; i++) store<u8>(marks.start + load<u32>(positions + (i << 2)), 1);
  const starts = column.starts.start;
  const values = column.store.start;
  for (let position: usize = 0; position < column.count; position++) {
    if (load<u8>(marks.start + position) === 0) continue;
    widenByText(extremes, values + <usize>load<u32>(starts + (position << 2)));
  }
}

function widenInOrder(extremes: Extremes, count: u32, at: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    widenByText(extremes, at);
    at += 4 + <usize>load<u32>(at);
  }
}

function widenByText(extremes: Extremes, at: usize): void {
  if (at === extremes.min || at === extremes.max) return;
  if (extremes.min === 0) {
    extremes.min = at;
    extremes.max = at;
  } else if (compareTexts(at, extremes.min) < 0) extremes.min = at;
  else if (compareTexts(at, extremes.max) > 0) extremes.max = at;
}

/** By unsigned bytes, which for UTF-8 is the order of code points. */
function compareTexts(a: usize, b: usize): i32 {
  const length = load<u32>(a);
  const lengthB = load<u32>(b);
  const shorter = min(length, lengthB);
  a += 4;
  b += 4;
  let i: u32 = 0;
  for (; i + 8 <= shorter; i += 8) {
    const bytes = load<u64>(a + i);
    const bytesB = load<u64>(b + i);
    // The first byte is the most significant one.
    if (bytes !== bytesB) return bswap(bytes) < bswap(bytesB) ? -1 : 1;
  }
  for (; i < shorter; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (difference !== 0) return difference;
  }
  return length < lengthB ? -1 : length > lengthB ? 1 : 0;
}
