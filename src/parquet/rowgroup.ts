// Rows to a row group: the columns being built, when they are full, and their bytes.

import { ByteList, Pieces } from "./bytes.ts";
import type { EncodedChunk } from "./chunk.ts";
import { CODECS, type Codec, createCompressor } from "./codec.ts";
import { ColumnBuilder, type GroupColumn } from "./column.ts";
import type { Leaf, ParquetSchema } from "./schema.ts";

export type { Codec };

export interface WriteOptions {
  readonly codec: Codec;
}

/** A finished row group as plain data; `bytes` has its own buffer, to be transferred. */
export interface EncodedRowGroup {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
  /** In the order of the schema's leaves. */
  readonly columns: readonly EncodedChunk[];
}

const FULL_ROWS = 1 << 18;
/** 32 MiB made no smaller files and 50 MB more memory for each worker; 8 MiB made files 1 % larger. */
const FULL_BYTES = 16 << 20;

export class RowGroupBuilder {
  readonly columns: readonly GroupColumn[];
  rows = 0;
  /** Memory that the rows take, roughly. */
  bytes = 0;
  private readonly codec: Codec;
  /** Kept from group to group: such blocks are given back only when the collector gets to run. */
  private readonly scratch = new ByteList();

  /** `columnFor` may give columns that are kept elsewhere. */
  constructor(schema: ParquetSchema, options: WriteOptions, columnFor?: (leaf: Leaf) => GroupColumn | undefined) {
    this.columns = schema.leaves.map((leaf) => columnFor?.(leaf) ?? new ColumnBuilder(leaf));
    this.codec = options.codec;
  }

  /** To be called when every column has got its share of a row; or of several, where none before the last could fill it. */
  endRows(count = 1): void {
    this.rows += count;
    let bytes = 0;
    for (const column of this.columns) bytes += column.bytes;
    this.bytes = bytes;
  }

  /** Depends on nothing but the rows, so that everyone cuts in the same places. */
  isFull(): boolean {
    return this.rows >= FULL_ROWS || this.bytes >= FULL_BYTES;
  }

  /** How much more comes in until it is full. */
  get room(): { readonly rows: number; readonly bytes: number } {
    return { rows: FULL_ROWS - this.rows, bytes: FULL_BYTES - this.bytes };
  }

  /** Encodes the rows, of which there must be some, and begins again with none. */
  finish(): EncodedRowGroup {
    const { rows, codec, scratch } = this;
    const out = new Pieces();
    const output = { rows, codec: CODECS[codec], compress: createCompressor(codec), out, scratch };
    const columns = this.columns.map((column) => column.finish(output));
    const group = { bytes: out.join(), rows, columns };
    this.rows = 0;
    this.bytes = 0;
    return group;
  }
}
