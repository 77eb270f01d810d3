// Where a column's pages end: always between two rows, so that readers can skip pages by row.

import type { BufferedColumn } from "./buffered.ts";
import { bitWidth } from "./hybrid.ts";

const PAGE_ROWS = 20_000;
const PAGE_BYTES = 1 << 20;

/** Entries are values, nulls and empty lists; values are those that are there. Ends are exclusive. */
export interface PageSpan {
  readonly firstRow: number;
  readonly fromEntry: number;
  readonly toEntry: number;
  readonly fromValue: number;
  readonly toValue: number;
}

export function cutPages(column: BufferedColumn, rows: number): PageSpan[] {
  const { leaf, definitions, repetitions, store, hasDictionary } = column;
  const indexBytes = hasDictionary ? bitWidth(store.count - 1) / 8 : 0;
  const spans: PageSpan[] = [];
  let start = { row: 0, entry: 0, value: 0 };
  let entry = 0;
  let value = 0;
  let bytes = 0;
  for (let row = 0; row < rows; row++) {
    if (row - start.row === PAGE_ROWS || bytes >= PAGE_BYTES) {
      spans.push({
        firstRow: start.row,
        fromEntry: start.entry,
        toEntry: entry,
        fromValue: start.value,
        toValue: value,
      });
      start = { row, entry, value };
      bytes = 0;
    }
    do {
      if (leaf.maxDefinition === 0 || definitions.bytes[entry] === leaf.maxDefinition) {
        bytes += hasDictionary ? indexBytes : store.sizeAt(value);
        value++;
      }
      entry++;
    } while (leaf.maxRepetition > 0 && entry < repetitions.length && repetitions.bytes[entry] !== 0);
  }
  spans.push({ firstRow: start.row, fromEntry: start.entry, toEntry: entry, fromValue: start.value, toValue: value });
  return spans;
}
