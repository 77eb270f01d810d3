// Columns of a row group that are kept in the kernel's memory: flat ones of plain types. The others stay with parquet/column.ts,
// in the same row group; both give the same bytes.
import { dictionaryBody, type EncodedChunk, type GroupOutput, pageBody, storeChunk } from "../parquet/chunk.ts";
import type { GroupColumn, Value } from "../parquet/column.ts";
import { boundOfNumber } from "../parquet/numbers.ts";
import type { Leaf } from "../parquet/schema.ts";
import { boundOfBytes } from "../parquet/texts.ts";
import type { Bound } from "../parquet/values.ts";
import type { Kernel } from "./instance.ts";

/** What assembly/columns.ts offers; a column is a place in the kernel's memory. */
export interface ColumnExports {
  newColumn(type: Type, optional: boolean, rows: number): number;
  putText(column: number, start: number, length: number): void;
  putBoolean(column: number, value: boolean): void;
  putInt(column: number, value: number): void;
  putLong(column: number, value: bigint): void;
  putDouble(column: number, value: number): void;
  putNull(column: number): void;
  bytesOf(column: number): number;
  finish(column: number, rows: number): number;
  reset(column: number): void;
  freeColumn(column: number): void;
}

/** As assembly/column.ts has it. */
enum Type {
  boolean,
  int32,
  int64,
  float,
  double,
  text,
}

const TYPES: { readonly [type: string]: Type } = {
  BOOLEAN: Type.boolean,
  INT32: Type.int32,
  INT64: Type.int64,
  FLOAT: Type.float,
  DOUBLE: Type.double,
  BYTE_ARRAY: Type.text,
};

/** Rows for which a column has room at once: as many as a row group may have. What is not used of it costs no memory. */
const ROWS = 1 << 18;
/** All columns together have so much room at once, so that a thousand of them fit into the kernel's memory. */
const ROOM_BYTES = 64 << 20;

/** The columns that one row group has in the kernel's memory. */
export class KernelColumns {
  readonly #columns: KernelColumn[] = [];
  readonly #staging: Staging;

  /** `leaves`: how many columns the row group has in all. */
  constructor(
    private readonly kernel: Kernel,
    private readonly leaves: number,
  ) {
    this.#staging = new Staging(kernel);
  }

  /** For RowGroupBuilder; undefined where the kernel cannot keep such a column. */
  columnFor = (leaf: Leaf): KernelColumn | undefined => {
    const type = TYPES[leaf.element.type!];
    const isFlat = leaf.path.length === 1 && leaf.maxRepetition === 0;
    if (type === undefined || !isFlat || leaf.element.converted_type === "DECIMAL") return undefined;
    const rows = Math.min(ROWS, Math.floor(ROOM_BYTES / (this.leaves * 5)));
    const column = new KernelColumn(leaf, type, this.kernel, rows, this.#staging);
    this.#columns.push(column);
    return column;
  };

  /** Gives their memory back: none of them may be used again. */
  release(): void {
    for (const { place } of this.#columns) this.kernel.exports.freeColumn(place);
    this.#columns.length = 0;
    this.#staging.release();
  }
}

/** Where texts of the program's go on their way into the kernel. */
class Staging {
  #start = 0;
  #room = 0;

  constructor(private readonly kernel: Kernel) {}

  /** The place of so many bytes; good until the next call. */
  reserve(bytes: number): number {
    if (bytes > this.#room) {
      this.release();
      this.#start = this.kernel.memory.allocate(Math.max(1 << 12, bytes));
      this.#room = Math.max(1 << 12, bytes);
    }
    return this.#start;
  }

  release(): void {
    if (this.#room > 0) this.kernel.memory.release(this.#start, this.#room);
    this.#room = 0;
  }
}

const encoder = new TextEncoder();

/** Of assembly/pages.ts: Page. */
const PAGE_WORDS = 8;

export class KernelColumn implements GroupColumn {
  /** Its place in the kernel's memory. */
  readonly place: number;

  constructor(
    readonly leaf: Leaf,
    private readonly type: Type,
    private readonly kernel: Kernel,
    rows: number,
    private readonly staging: Staging,
  ) {
    this.place = kernel.exports.newColumn(type, leaf.maxDefinition > 0, rows);
  }

  put(value: Value): void {
    const { place, kernel } = this;
    const { exports } = kernel;
    switch (this.type) {
      case Type.boolean:
        exports.putBoolean(place, value as boolean);
        break;
      case Type.int32:
        exports.putInt(place, value as number);
        break;
      case Type.int64:
        exports.putLong(place, value as bigint);
        break;
      case Type.float:
      case Type.double:
        exports.putDouble(place, value as number);
        break;
      case Type.text:
        this.putText(value as string | Uint8Array);
    }
  }

  absent(): void {
    this.kernel.exports.putNull(this.place);
  }

  get bytes(): number {
    return this.kernel.exports.bytesOf(this.place);
  }

  finish(group: GroupOutput): EncodedChunk {
    const { place, kernel } = this;
    const chunk = this.readChunk(kernel.exports.finish(place, group.rows) >>> 2);
    const encoded = storeChunk(group, chunk);
    kernel.exports.reset(place);
    return encoded;
  }

  private putText(value: string | Uint8Array): void {
    const { kernel, staging } = this;
    const start = staging.reserve(typeof value === "string" ? value.length * 3 : value.length);
    const { bytes } = kernel.memory;
    let { length } = value;
    if (typeof value !== "string") bytes.set(value, start);
    else length = encoder.encodeInto(value, bytes.subarray(start, start + length * 3)).written;
    kernel.exports.putText(this.place, start, length);
  }

  /** `at`: the index of its first word. assembly/pages.ts has the fields of Chunk and of Page in this order. */
  private readChunk(at: number) {
    const { words } = this.kernel.memory;
    const [min, max, dictionaryStart, dictionaryEnd, dictionaryValues, pageCount, pages] = words.subarray(at, at + 7);
    const hasDictionary = dictionaryStart !== 0;
    const bodies = [];
    const facts = [];
    for (let i = 0; i < pageCount!; i++) {
      const from = (pages! >>> 2) + PAGE_WORDS * i;
      const [min, max, start, end, firstRow, rows, values] = words.subarray(from, from + 7);
      bodies.push(pageBody(this.view(start!, end!), rows!, hasDictionary));
      facts.push({
        firstRow: firstRow!,
        nulls: rows! - values!,
        allNull: values === 0,
        min: this.bound(min!, false)?.value,
        max: this.bound(max!, true)?.value,
      });
    }
    return {
      dictionary: hasDictionary
        ? dictionaryBody(this.view(dictionaryStart!, dictionaryEnd!), dictionaryValues!)
        : undefined,
      pages: bodies,
      facts,
      statistics: {
        nulls: facts.reduce((sum, page) => sum + page.nulls, 0),
        min: this.bound(min!, false),
        max: this.bound(max!, true),
      },
    };
  }

  private view(start: number, end: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.kernel.memory.memory.buffer as ArrayBuffer, start, end - start);
  }

  /** Of the value at `at`, 0 where there is none. */
  private bound(at: number, isMax: boolean): Bound | undefined {
    if (at === 0) return undefined;
    const { view } = this.kernel.memory;
    switch (this.type) {
      case Type.boolean:
        return { value: view.getUint8(at) === 1, exact: true };
      case Type.int32:
        return boundOfNumber(view.getInt32(at, true), isMax, true);
      case Type.int64:
        return boundOfNumber(view.getBigInt64(at, true), isMax, false);
      case Type.float:
        return boundOfNumber(view.getFloat32(at, true), isMax, false);
      case Type.double:
        return boundOfNumber(view.getFloat64(at, true), isMax, false);
      case Type.text:
        return boundOfBytes(this.view(at + 4, at + 4 + view.getUint32(at, true)), this.leaf.element, isMax);
    }
  }
}
