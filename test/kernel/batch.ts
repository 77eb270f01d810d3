// For the tests: a batch in the kernel's memory, filled with values instead of messages.
import type { Kernel } from "../../src/kernel/instance.ts";
import type { GroupColumn } from "../../src/parquet/column.ts";

/** Messages in a batch, at most. */
const MESSAGES = 1024;
const WIDTHS: { readonly [type: string]: number } = { BOOLEAN: 1, INT32: 4, INT64: 8, FLOAT: 8, DOUBLE: 8 };
const encoder = new TextEncoder();

interface Arrays {
  readonly place: number;
  readonly type: string;
  readonly present: number;
  readonly values: number;
  readonly starts: number;
  readonly lengths: number;
}

/** A place for a batch whose columns are those of a row group. */
export class TestBatch {
  /** Of each column, where its BatchColumn is. */
  readonly places: readonly number[];
  /** A byte for each message. */
  readonly keep: number;
  private readonly columns: readonly Arrays[];
  private texts = 0;
  private textBytes = 0;

  constructor(
    private readonly kernel: Kernel,
    columns: readonly GroupColumn[],
  ) {
    this.keep = kernel.memory.allocate(MESSAGES);
    this.columns = columns.map(({ leaf }) => this.allocate(leaf.element.type!));
    this.places = this.columns.map(({ place }) => place);
  }

  /** `rows`: for each message the value of each column, null for none; undefined for a message that becomes no row. */
  fill(rows: readonly (readonly unknown[] | undefined)[]): void {
    const encoded = this.columns.map(({ type }, column) =>
      type === "BYTE_ARRAY" ? rows.map((row) => textBytes(row?.[column])) : [],
    );
    const size = encoded.flat().reduce((sum, bytes) => sum + bytes.length, 0);
    const { memory } = this.kernel;
    if (this.textBytes > 0) memory.release(this.texts, this.textBytes);
    this.texts = memory.allocate(size);
    this.textBytes = size;
    const { bytes, words } = memory;
    let at = this.texts;
    rows.forEach((row, i) => {
      bytes[this.keep + i] = row === undefined ? 0 : 1;
    });
    for (const [column, arrays] of this.columns.entries()) {
      rows.forEach((row, i) => {
        const value = row?.[column] ?? null;
        bytes[arrays.present + i] = value === null ? 0 : 1;
        if (arrays.type === "BYTE_ARRAY") {
          const text = encoded[column]![i]!;
          bytes.set(text, at);
          words[(arrays.starts >>> 2) + i] = at;
          words[(arrays.lengths >>> 2) + i] = text.length;
          at += text.length;
        } else {
          this.setNumber(arrays, i, value);
        }
      });
    }
  }

  release(): void {
    const { memory } = this.kernel;
    if (this.textBytes > 0) memory.release(this.texts, this.textBytes);
    memory.release(this.keep, MESSAGES);
    for (const { place } of this.columns) memory.release(place, ARRAY_BYTES);
  }

  private allocate(type: string): Arrays {
    const place = this.kernel.memory.allocate(ARRAY_BYTES);
    const arrays = {
      place,
      type,
      present: place + 64,
      values: place + 64 + MESSAGES,
      starts: place + 64 + 9 * MESSAGES,
      lengths: place + 64 + 13 * MESSAGES,
    };
    this.kernel.memory.words.set([0, arrays.present, arrays.values, arrays.starts, arrays.lengths], place >>> 2);
    return arrays;
  }

  private setNumber({ type, values }: Arrays, message: number, value: unknown): void {
    const { view } = this.kernel.memory;
    if (WIDTHS[type] === undefined) return; // not the kernel's
    const at = values + message * WIDTHS[type];
    // What stands where there is no value must not matter.
    if (value === null) view.setUint8(at, 0xa5);
    else if (type === "BOOLEAN") view.setUint8(at, value ? 1 : 0);
    else if (type === "INT32") view.setInt32(at, value as number, true);
    else if (type === "INT64") view.setBigInt64(at, value as bigint, true);
    else view.setFloat64(at, value as number, true);
  }
}

const ARRAY_BYTES = 64 + 17 * MESSAGES;

function textBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return encoder.encode(typeof value === "string" ? value : "not there");
}
