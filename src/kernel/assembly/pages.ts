// A finished column to the bodies of its pages, before compression. The twin of src/parquet/pages.ts and chunk.ts, to the byte.

import { bitWidth, Column, dictionaryPays, dropDictionary, Type, widthOf } from "./column";
import { Extremes, joinExtremes, widenExtremes } from "./extremes";
import { largestHybrid, writeHybrid } from "./hybrid";
import { clear, List, newList, reserve, sizeOf, take } from "./list";

const PAGE_ROWS: u32 = 20_000;
const PAGE_BYTES: usize = 1 << 20;

/** Where a page's body lies, and what its header and the page index say of it. */
@unmanaged
export class Page extends Extremes {
  start: usize;
  /** Behind the last byte. */
  end: usize;
  firstRow: u32;
  rows: u32;
  /** Nulls not counted. */
  values: u32;
  /** PLAIN size of text without a dictionary. */
  textBytes: u32;
}

/** A column chunk, good until its column is reset or another one is finished. */
@unmanaged
export class Chunk extends Extremes {
  /** The body of the dictionary page; 0 without a dictionary. */
  dictionaryStart: usize;
  dictionaryEnd: usize;
  dictionaryValues: u32;
  pageCount: u32;
  /** Page after Page. */
  pages: usize;
}

let chunk: Chunk = changetype<Chunk>(0);
let pages: List = changetype<List>(0);
/** Bodies that do not lie in the store as they are. */
let bodies: List = changetype<List>(0);

/** Of a column with so many rows, at least one: the place of a Chunk. */
export function finish(column: Column, rows: u32): usize {
  if (changetype<usize>(chunk) === 0) {
    chunk = changetype<Chunk>(take(offsetof<Chunk>()));
    pages = newList(offsetof<Page>() * 64);
    bodies = newList(1 << 20);
  }
  if (column.hasDictionary && !dictionaryPays(column)) dropDictionary(column);
  cutPages(column, rows);
  writePages(column, rows);
  chunk.pages = pages.start;
  chunk.pageCount = <u32>(sizeOf(pages) / offsetof<Page>());
  chunk.dictionaryStart = column.hasDictionary ? column.store.start : 0;
  chunk.dictionaryEnd = column.hasDictionary ? column.store.end : 0;
  chunk.dictionaryValues = column.hasDictionary ? column.count : 0;
  return changetype<usize>(chunk);
}

/** Pages end between two rows, when they have PAGE_ROWS or PAGE_BYTES. Only text can have so many bytes in so few rows. */
function cutPages(column: Column, rows: u32): void {
  clear(pages);
  const isPlainText = column.type === Type.text && !column.hasDictionary;
  const definitions = column.optional ? column.definitions.start : 0;
  if (definitions === 0 && !isPlainText) {
    for (let row: u32 = 0; row < rows; row += PAGE_ROWS) {
      const end = min(row + PAGE_ROWS, rows);
      addPage(row, end, end - row, 0);
    }
    return;
  }
  let text = column.store.start;
  let firstRow: u32 = 0;
  let values: u32 = 0;
  let bytes: usize = 0;
  for (let row: u32 = 0; row < rows; row++) {
    if (row - firstRow === PAGE_ROWS || bytes >= PAGE_BYTES) {
      addPage(firstRow, row, values, bytes);
      firstRow = row;
      values = 0;
      bytes = 0;
    }
    if (definitions !== 0 && load<u8>(definitions + row) === 0) continue;
    values++;
    if (!isPlainText) continue;
    const size = 4 + <usize>load<u32>(text);
    bytes += size;
    text += size;
  }
  addPage(firstRow, rows, values, bytes);
}

function addPage(firstRow: u32, toRow: u32, values: u32, textBytes: usize): void {
  reserve(pages, offsetof<Page>());
  const page = changetype<Page>(pages.end);
  pages.end += offsetof<Page>();
  page.firstRow = firstRow;
  page.rows = toRow - firstRow;
  page.values = values;
  page.textBytes = textBytes;
}

function writePages(column: Column, rows: u32): void {
  const width = column.hasDictionary ? bitWidth(column.count - 1) : 0;
  const valueBytes = column.hasDictionary ? largestHybrid(column.values, width) : sizeOf(column.store);
  const pageCount = sizeOf(pages) / offsetof<Page>();
  clear(bodies);
  reserve(bodies, largestHybrid(rows, 1) + valueBytes + pageCount * 64);
  chunk.min = 0;
  chunk.max = 0;
  let from: u32 = 0;
  // Where the page's values begin in the store, when they lie there in order.
  let plain = column.store.start;
  for (let at = pages.start; at < pages.end; at += offsetof<Page>()) {
    const page = changetype<Page>(at);
    const plainEnd = column.hasDictionary ? plain : plain + plainSize(column, page);
    page.min = 0;
    page.max = 0;
    widenExtremes(column, page, from, from + page.values, plain);
    joinExtremes(column.type, chunk, page);
    if (column.hasDictionary || column.optional || column.type === Type.boolean) {
      writeBody(column, page, from, width, plain, plainEnd);
    } else {
      // Nothing goes before the values: as they lie in the store they are the body.
      page.start = plain;
      page.end = plainEnd;
    }
    from += page.values;
    plain = plainEnd;
  }
}

/** `from`: the page's first value. */
function writeBody(column: Column, page: Page, from: u32, width: u32, plain: usize, plainEnd: usize): void {
  page.start = bodies.end;
  let out = bodies.end;
  if (column.optional) {
    // Levels, behind their length in bytes.
    const end = writeHybrid<u8>(out + 4, column.definitions.start, page.firstRow, page.firstRow + page.rows, 1);
    store<u32>(out, <u32>(end - out - 4));
    out = end;
  }
  if (column.hasDictionary) {
    store<u8>(out, <u8>width);
    out = writeHybrid<u32>(out + 1, column.positions.start, from, from + page.values, width);
  } else if (column.type === Type.boolean) {
    out = writeBits(out, plain, page.values);
  } else {
    memory.copy(out, plain, plainEnd - plain);
    out += plainEnd - plain;
  }
  page.end = out;
  bodies.end = out;
}

/** Bytes in the store of a page's values. */
function plainSize(column: Column, page: Page): usize {
  if (column.type === Type.text) return page.textBytes;
  return <usize>page.values * (column.type === Type.boolean ? 1 : widthOf(column.type));
}

/** Booleans, from a byte each to a bit each. */
function writeBits(out: usize, at: usize, count: u32): usize {
  for (let i: u32 = 0; i < count; i += 8) {
    let byte: u32 = 0;
    for (let bit: u32 = 0; bit < min<u32>(8, count - i); bit++) byte |= (<u32>load<u8>(at + i + bit)) << bit;
    store<u8>(out++, <u8>byte);
  }
  return out;
}
