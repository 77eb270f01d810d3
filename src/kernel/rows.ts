// A batch's rows into the row group: some columns from the batch, the others from a function, cut where single rows would have
// been.
import type { GroupColumn } from "../parquet/column.ts";
import type { RowGroupBuilder } from "../parquet/rowgroup.ts";
import type { KernelColumn } from "./columns.ts";
import type { Kernel } from "./instance.ts";

/** What assembly/columns.ts offers for rows of a batch. */
export interface RowExports {
  appendRows(routes: number, count: number, keep: number, from: number, to: number): number;
  rowsWithin(routes: number, count: number, keep: number, from: number, to: number, budget: number): number;
  growthOfRows(routes: number, count: number, from: number, to: number): number;
}

/** Rows from `from` to `to` (exclusive) of a batch; `keep` is the place of its flags, a byte for each row. */
export interface RowRange {
  readonly keep: number;
  readonly from: number;
  readonly to: number;
}

/** Puts a row's values into the columns that have no source. Must not fail. */
export type PutOthers = (row: number) => void;

/** A batch's columns and the row group's: which goes where. */
export class RowAppender {
  /** The place of the routes in the kernel's memory. */
  readonly #routes: number;
  #count = 0;
  #others: readonly GroupColumn[] = [];

  /** `full` is called whenever the group is full, and must finish it. */
  constructor(
    private readonly kernel: Kernel,
    private readonly group: RowGroupBuilder,
    private readonly full: () => void,
  ) {
    this.#routes = kernel.memory.allocate(8 * group.columns.length);
  }

  /** `sources`: for each column of the group the place of its BatchColumn; only the kernel's columns can have one. */
  route(sources: readonly (number | undefined)[]): void {
    const { columns } = this.group;
    const { words } = this.kernel.memory;
    const routes: number[] = [];
    for (const [i, column] of columns.entries()) {
      const source = sources[i];
      if (source !== undefined) routes.push((column as KernelColumn).place, source);
    }
    words.set(routes, this.#routes >>> 2);
    this.#count = routes.length / 2;
    this.#others = columns.filter((_, i) => sources[i] === undefined);
  }

  /** Gives its memory back: it may not be used again. */
  release(): void {
    this.kernel.memory.release(this.#routes, 8 * this.group.columns.length);
  }

  /** Appends the rows that are kept, where all columns have a source. */
  append({ keep, from, to }: RowRange): void {
    const { group, kernel } = this;
    const { exports } = kernel;
    for (let at = from; at < to; ) {
      const { rows, bytes } = group.room;
      const end = exports.rowsWithin(this.#routes, this.#count, keep, at, Math.min(to, at + rows), bytes);
      group.endRows(exports.appendRows(this.#routes, this.#count, keep, at, end));
      if (group.isFull()) this.full();
      at = end;
    }
  }

  /** The same where there are other columns, too: for these the rows come one by one, in their order. */
  appendWith({ keep, from, to }: RowRange, putOthers: PutOthers): void {
    const { group } = this;
    const { exports, memory } = this.kernel;
    // Rows from `pending` on are in the other columns, not yet in the kernel's.
    let pending = from;
    let left = this.#room();
    for (let row = from; row < to; row++) {
      if (memory.bytes[keep + row] !== 1) continue;
      putOthers(row);
      left.rows--;
      left.bytes -= exports.growthOfRows(this.#routes, this.#count, row, row + 1);
      if (left.rows > 0 && left.bytes > this.#otherBytes()) continue;
      group.endRows(exports.appendRows(this.#routes, this.#count, keep, pending, row + 1));
      pending = row + 1;
      if (group.isFull()) this.full();
      left = this.#room();
    }
    group.endRows(exports.appendRows(this.#routes, this.#count, keep, pending, to));
  }

  /** What the group has room for, with that which the other columns have taken already. */
  #room(): { rows: number; bytes: number } {
    const { rows, bytes } = this.group.room;
    return { rows, bytes: bytes + this.#otherBytes() };
  }

  #otherBytes(): number {
    let bytes = 0;
    for (const column of this.#others) bytes += column.bytes;
    return bytes;
  }
}
