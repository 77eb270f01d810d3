// Row groups to a Parquet file: magic, row groups, page indexes, footer, in this order.

import type { ColumnChunk, FileMetaData, KeyValue, RowGroup } from "hyparquet";
import { BoundaryOrders } from "hyparquet/src/constants.js";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { serializeTCompactProtocol } from "hyparquet-writer/src/thrift.js";
import { unconvertMinMax } from "hyparquet-writer/src/unconvert.js";
import { InternalError } from "../errors.ts";
import type { EncodedChunk } from "./chunk.ts";
import type { EncodedRowGroup } from "./rowgroup.ts";
import type { Leaf, ParquetSchema } from "./schema.ts";
import { boundaryOrder } from "./statistics.ts";
import { BOUND_BYTES } from "./values.ts";

/** Raised whenever the same rows give other bytes than before; a golden-bytes test tells when. */
export const OUTPUT_FORMAT = 4;

/** Fixed for an output format, as a release that changes nothing in the bytes must not change this either. */
const CREATED_BY = `derive version 1.0.${OUTPUT_FORMAT}`;
const MAGIC = new TextEncoder().encode("PAR1");

/** Puts encoded row groups together to one file. The caller writes what comes back, in the order of the calls. */
export class PartAssembler {
  /** Bytes handed out so far. */
  size = 0;
  rows = 0;
  private readonly groups: RowGroup[] = [];
  private readonly columnIndexes = new Indexes("column_index");
  private readonly offsetIndexes = new Indexes("offset_index");

  /** `keyValues` go to the footer. */
  constructor(
    private readonly schema: ParquetSchema,
    private readonly keyValues: readonly KeyValue[],
  ) {}

  header(): Uint8Array {
    this.size += MAGIC.length;
    return MAGIC;
  }

  place(group: EncodedRowGroup): Uint8Array {
    const start = this.size;
    const { leaves } = this.schema;
    const columns = group.columns.map((chunk, i) => columnChunk(chunk, leaves[i]!, start));
    // Now, as who writes files waits for row groups, and is waited for at the end.
    for (const [i, chunk] of group.columns.entries()) {
      this.columnIndexes.add(columns[i]!, (writer) => writeColumnIndex(writer, chunk, leaves[i]!));
      this.offsetIndexes.add(columns[i]!, (writer) => writeOffsetIndex(writer, start, chunk));
    }
    this.groups.push({
      columns,
      total_byte_size: BigInt(group.columns.reduce((sum, chunk) => sum + chunk.uncompressedBytes, 0)),
      num_rows: BigInt(group.rows),
      file_offset: BigInt(start),
      total_compressed_size: BigInt(group.bytes.length),
    });
    this.rows += group.rows;
    this.size += group.bytes.length;
    return group.bytes;
  }

  finish(): Uint8Array {
    const writer = new ByteWriter();
    this.columnIndexes.write(writer, this.size);
    this.offsetIndexes.write(writer, this.size);
    this.writeFooter(writer);
    writer.appendBytes(MAGIC);
    this.size += writer.offset;
    return writer.getBytes();
  }

  private writeFooter(writer: ByteWriter): void {
    const start = writer.offset;
    const footer: Omit<FileMetaData, "metadata_length"> = {
      version: 1,
      schema: [...this.schema.elements],
      num_rows: BigInt(this.rows),
      row_groups: this.groups,
      created_by: CREATED_BY,
      // An empty list would be written with a bad element type, like the one below.
      ...(this.keyValues.length === 0 ? {} : { key_value_metadata: [...this.keyValues] }),
    };
    writeMetadata(writer, footer as FileMetaData, BOUND_BYTES);
    if (this.groups.length === 0) mendEmptyList(writer.getBytes().subarray(start));
  }
}

/**
 * The library writes an empty list with element type 0, which arrow-rs refuses. In a file without rows that is the list
 * of row groups, right behind num_rows (an I64 of 0); no SchemaElement, all that comes before, can hold these bytes.
 */
function mendEmptyList(footer: Uint8Array): void {
  const ROWS_THEN_EMPTY_LIST = [0x16, 0x00, 0x19, 0x00];
  const LIST_OF_STRUCTS = 0x0c;
  const at = Buffer.from(footer.buffer, footer.byteOffset, footer.length).indexOf(
    Uint8Array.from(ROWS_THEN_EMPTY_LIST),
  );
  if (at === -1)
    throw new InternalError("Cannot write a Parquet footer: its empty list of row groups is not where it was.");
  footer[at + 3] = LIST_OF_STRUCTS;
}

function columnChunk(chunk: EncodedChunk, leaf: Leaf, start: number): ColumnChunk {
  const { min, max, nulls } = chunk.statistics;
  const dataEncoding = chunk.encodings.includes("RLE_DICTIONARY") ? "RLE_DICTIONARY" : "PLAIN";
  return {
    // Zero, as the format asks of files whose column metadata is in the footer alone.
    file_offset: 0n,
    meta_data: {
      type: leaf.element.type!,
      encodings: chunk.encodings,
      path_in_schema: [...leaf.path],
      codec: chunk.codec,
      num_values: BigInt(chunk.values),
      total_uncompressed_size: BigInt(chunk.uncompressedBytes),
      total_compressed_size: BigInt(chunk.compressedBytes),
      data_page_offset: BigInt(start + chunk.dataOffset),
      ...(chunk.dictionaryOffset === undefined
        ? {}
        : { dictionary_page_offset: BigInt(start + chunk.dictionaryOffset) }),
      statistics: {
        null_count: BigInt(nulls),
        ...(max === undefined ? {} : { max_value: max.value, ...(max.exact ? {} : { is_max_value_exact: false }) }),
        ...(min === undefined ? {} : { min_value: min.value, ...(min.exact ? {} : { is_min_value_exact: false }) }),
      },
      encoding_stats: [
        ...(chunk.dictionaryOffset === undefined
          ? []
          : [{ page_type: "DICTIONARY_PAGE" as const, encoding: "PLAIN" as const, count: 1 }]),
        { page_type: "DATA_PAGE", encoding: dataEncoding, count: chunk.pages.length },
      ],
    },
  };
}

/** The indexes of one kind: written one behind the other, at a place in the file that is known at its end. */
class Indexes {
  readonly #bytes = new ByteWriter();
  readonly #places: { readonly column: ColumnChunk; readonly start: number; readonly length: number }[] = [];

  constructor(private readonly kind: "column_index" | "offset_index") {}

  /** What `write` appends is the index of `column`; where it appends nothing there is none. */
  add(column: ColumnChunk, write: (writer: ByteWriter) => void): void {
    const start = this.#bytes.offset;
    write(this.#bytes);
    const length = this.#bytes.offset - start;
    if (length > 0) this.#places.push({ column, start, length });
  }

  /** Appends them, and tells their columns where they lie; `writer` begins at `base`. */
  write(writer: ByteWriter, base: number): void {
    const first = base + writer.offset;
    writer.appendBytes(this.#bytes.getBytes());
    for (const { column, start, length } of this.#places) {
      column[`${this.kind}_offset`] = BigInt(first + start);
      column[`${this.kind}_length`] = length;
    }
  }
}

/** None where a page with values has no bounds: the format has no way to leave out a single one. */
function writeColumnIndex(writer: ByteWriter, { pages }: EncodedChunk, leaf: Leaf): void {
  if (pages.some((page) => !page.allNull && (page.min === undefined || page.max === undefined))) return;
  const none = new Uint8Array(0);
  const bytes = (value: (typeof pages)[number]["min"], isMax: boolean) =>
    unconvertMinMax(value, leaf.element, isMax, BOUND_BYTES) ?? none;
  serializeTCompactProtocol(writer, {
    field_1: pages.map((page) => page.allNull),
    field_2: pages.map((page) => bytes(page.min, false)),
    field_3: pages.map((page) => bytes(page.max, true)),
    field_4: BoundaryOrders.indexOf(boundaryOrder(pages)),
    field_5: pages.map((page) => BigInt(page.nulls)),
  });
}

/** @param groupStart where the row group lies in the file */
function writeOffsetIndex(writer: ByteWriter, groupStart: number, { pages }: EncodedChunk): void {
  serializeTCompactProtocol(writer, {
    field_1: pages.map((page) => ({
      field_1: BigInt(groupStart + page.offset),
      field_2: page.bytes,
      field_3: BigInt(page.firstRow),
    })),
  });
}
