// Smallest and largest value of pages and chunks, and their nulls, as far as Parquet's readers may rely on them.

import type { BoundaryOrder, MinMaxType } from "hyparquet/src/types.js";
import type { BufferedColumn } from "./buffered.ts";
import type { PageSpan } from "./pages.ts";
import type { Bound } from "./values.ts";

export interface PageStatistics {
  readonly nulls: number;
  /** Whether the page has nothing but nulls. */
  readonly allNull: boolean;
  /** Undefined when there is no value with a place in the order, or no short bound. */
  readonly min: MinMaxType | undefined;
  readonly max: MinMaxType | undefined;
}

export interface ChunkStatistics {
  readonly nulls: number;
  readonly min: Bound | undefined;
  readonly max: Bound | undefined;
}

/** Of each page, and of the chunk that they make up. */
export function statisticsOf(
  column: BufferedColumn,
  spans: readonly PageSpan[],
): { pages: PageStatistics[]; chunk: ChunkStatistics } {
  const { store } = column;
  const extremes = spans.map((span) => extremesOf(column, span.fromValue, span.toValue));
  const pages = spans.map((span, i) => ({
    nulls: span.toEntry - span.fromEntry - (span.toValue - span.fromValue),
    allNull: span.fromValue === span.toValue,
    min: boundOf(store, extremes[i]?.min, false)?.value,
    max: boundOf(store, extremes[i]?.max, true)?.value,
  }));
  const found = extremes.filter((each) => each !== undefined);
  const chunk = {
    nulls: pages.reduce((sum, page) => sum + page.nulls, 0),
    min: boundOf(
      store,
      smallest(
        store,
        found.map((each) => each.min),
      ),
      false,
    ),
    max: boundOf(
      store,
      smallest(
        store,
        found.map((each) => each.max),
        -1,
      ),
      true,
    ),
  };
  return { pages, chunk };
}

interface Extremes {
  /** Positions in the store. */
  readonly min: number;
  readonly max: number;
}

/** NaN has no place in the order, so it is left out. */
function extremesOf(
  { store, positions, hasDictionary }: BufferedColumn,
  from: number,
  to: number,
): Extremes | undefined {
  let min = -1;
  let max = -1;
  for (let i = from; i < to; i++) {
    const position = hasDictionary ? positions.numbers[i]! : i;
    if (position === min || position === max || !store.ordered(position)) continue;
    if (min === -1) {
      min = position;
      max = position;
    } else if (store.compare(position, min) < 0) min = position;
    else if (store.compare(position, max) > 0) max = position;
  }
  return min === -1 ? undefined : { min, max };
}

/** The position whose value comes first; with direction -1, last. */
function smallest(store: BufferedColumn["store"], positions: readonly number[], direction = 1): number | undefined {
  return positions.reduce<number | undefined>(
    (best, each) => (best === undefined || direction * store.compare(each, best) < 0 ? each : best),
    undefined,
  );
}

function boundOf(store: BufferedColumn["store"], position: number | undefined, isMax: boolean): Bound | undefined {
  return position === undefined ? undefined : store.bound(position, isMax);
}

/** Of the pages' bounds as they are written; pages without values do not count. */
export function boundaryOrder(pages: readonly PageStatistics[]): BoundaryOrder {
  const bounded = pages.filter((page) => !page.allNull);
  const rises = bounded.every((page, i) => i === 0 || follows(bounded[i - 1]!, page));
  if (rises) return "ASCENDING";
  const falls = bounded.every((page, i) => i === 0 || follows(page, bounded[i - 1]!));
  return falls ? "DESCENDING" : "UNORDERED";
}

function follows(a: PageStatistics, b: PageStatistics): boolean {
  return compareBounds(a.min!, b.min!) <= 0 && compareBounds(a.max!, b.max!) <= 0;
}

function compareBounds(a: MinMaxType, b: MinMaxType): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}
