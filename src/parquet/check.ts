// Reading a file back: whether its bytes are what was written, before it is committed and whenever `derive verify` asks.

import { type ColumnChunk, type FileMetaData, readOffsetIndex } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { FormatError } from "../errors.ts";
import { type ByteSource, readFooter } from "./footer.ts";
import { AT_ONCE_BYTES, Reading } from "./reading.ts";

/**
 * Throws FormatError with the offset of the first fault: footer, row counts, every page header, every page's CRC-32,
 * pages that do not cover their column chunk exactly, an offset index that points elsewhere. Holds one column chunk in
 * memory at a time, or some small ones.
 */
export async function checkPart(part: ByteSource): Promise<{ rows: number; rowGroups: number }> {
  const file = part.byteLength <= AT_ONCE_BYTES ? await readAtOnce(part) : part;
  const footer = await readFooter(file);
  const chunks = new Reading(file);
  const indexes = new Reading(file);
  try {
    checkShape(footer, file.byteLength);
    for (const group of footer.row_groups) {
      for (const column of group.columns) await checkColumn(chunks, indexes, column, Number(group.num_rows));
    }
    return { rows: Number(footer.num_rows), rowGroups: footer.row_groups.length };
  } catch (error) {
    // Damaged Thrift still parses at times, into fields that are missing or of another type.
    if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
      throw fault("its structure is damaged", file.byteLength);
    }
    throw error;
  }
}

/** Its footer and its pages need several reads otherwise. */
async function readAtOnce(part: ByteSource): Promise<ByteSource> {
  const bytes = await part.slice(0, part.byteLength);
  return { byteLength: part.byteLength, slice: (start, end) => bytes.slice(start, end) };
}

async function checkColumn(chunks: Reading, indexes: Reading, column: ColumnChunk, rows: number): Promise<void> {
  const pages = await checkChunk(chunks, column);
  // Columns inside lists and maps have more values than rows, or fewer; the others are told by their path.
  const isFlat = column.meta_data!.path_in_schema.length === 1;
  if (isFlat && pages.values !== rows) throw fault("a column has not as many values as there are rows", pages.start);
  await checkOffsetIndex(indexes, column, pages.starts);
}

/** What the footer says of itself: counts that add up, chunks that lie in the file one behind the other. */
function checkShape(footer: FileMetaData, byteLength: number): void {
  const leaves = footer.schema.filter((element) => element.type !== undefined).length;
  let rows = 0n;
  let end = 4;
  for (const group of footer.row_groups) {
    rows += group.num_rows;
    if (group.columns.length !== leaves) throw fault("a row group lacks columns", end);
    for (const column of group.columns) {
      const { start, size } = extent(column);
      if (start !== end || start + size > byteLength)
        throw fault("a column chunk lies elsewhere than in its place", start);
      end = start + size;
    }
  }
  if (rows !== footer.num_rows) throw fault("the rows of its row groups do not add up", byteLength);
}

async function checkChunk(chunks: Reading, column: ColumnChunk) {
  const { start, size } = extent(column);
  const view = await chunks.view(start, size);
  const reader = { view, offset: 0 };
  const starts: number[] = [];
  let values = 0;
  while (reader.offset < size) {
    const at = start + reader.offset;
    const header = headerAt(reader, at);
    if (reader.offset + header.compressed_page_size > size) throw fault("a page reaches beyond its column chunk", at);
    const body = new Uint8Array(view.buffer, view.byteOffset + reader.offset, header.compressed_page_size);
    if ((Bun.hash.crc32(body) | 0) !== header.crc) throw fault("a page fails its checksum", at);
    reader.offset += header.compressed_page_size;
    if (header.type === "DICTIONARY_PAGE") continue;
    starts.push(at);
    values += (header.data_page_header ?? header.data_page_header_v2)?.num_values ?? 0;
  }
  if (values !== Number(column.meta_data!.num_values)) throw fault("the values of its pages do not add up", start);
  return { start, starts, values };
}

function headerAt(reader: { view: DataView<ArrayBuffer>; offset: number }, at: number) {
  try {
    const header = parquetHeader(reader);
    if (
      header.type !== undefined &&
      Number.isInteger(header.compressed_page_size) &&
      header.compressed_page_size >= 0
    ) {
      return header;
    }
  } catch {
    // Falls through: hyparquet's own errors do not say where.
  }
  throw fault("a page header is damaged", at);
}

async function checkOffsetIndex(indexes: Reading, column: ColumnChunk, starts: readonly number[]): Promise<void> {
  if (column.offset_index_offset === undefined || column.offset_index_length === undefined) return;
  const at = Number(column.offset_index_offset);
  let locations: readonly { offset: bigint }[] = [];
  try {
    const view = await indexes.view(at, column.offset_index_length);
    locations = readOffsetIndex({ view, offset: 0 }).page_locations;
  } catch {
    throw fault("an offset index is damaged", at);
  }
  const agrees = locations.length === starts.length && locations.every((page, i) => Number(page.offset) === starts[i]);
  if (!agrees) throw fault("an offset index points elsewhere than to the pages", at);
}

function extent(column: ColumnChunk): { start: number; size: number } {
  const chunk = column.meta_data;
  if (chunk === undefined) throw fault("a column chunk has no metadata", 0);
  return {
    start: Number(chunk.dictionary_page_offset ?? chunk.data_page_offset),
    size: Number(chunk.total_compressed_size),
  };
}

function fault(state: string, offset: number): FormatError {
  return new FormatError(`Cannot trust Parquet: ${state} (byte ${offset}).`, offset);
}
