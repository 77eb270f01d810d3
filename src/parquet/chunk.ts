// A finished column to a column chunk: pages with levels, values, compression, checksum, and what the footer says of them.

import type { CompressionCodec, Encoding, PageHeader } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import type { BufferedColumn } from "./buffered.ts";
import type { ByteList, Pieces } from "./bytes.ts";
import type { Compress } from "./codec.ts";
import { bitWidth, writeHybrid } from "./hybrid.ts";
import { cutPages, type PageSpan } from "./pages.ts";
import { type ChunkStatistics, type PageStatistics, statisticsOf } from "./statistics.ts";

/** Plain data: it crosses threads. Offsets are bytes from the start of the row group. */
export interface EncodedChunk {
  readonly codec: CompressionCodec;
  readonly encodings: Encoding[];
  /** Values, nulls and empty lists. */
  readonly values: number;
  /** Both with page headers. */
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  readonly dictionaryOffset?: number;
  readonly dataOffset: number;
  readonly statistics: ChunkStatistics;
  readonly pages: readonly EncodedPage[];
}

export interface EncodedPage extends PageStatistics {
  readonly offset: number;
  /** With the header, compressed. */
  readonly bytes: number;
  /** Counted from the start of the row group. */
  readonly firstRow: number;
}

/** A page before compression. */
export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly header: Omit<PageHeader, "uncompressed_page_size" | "compressed_page_size" | "crc">;
}

/** A column chunk before compression. */
export interface ChunkBodies {
  readonly dictionary: Body | undefined;
  readonly pages: readonly Body[];
  /** Of each page. */
  readonly facts: readonly (PageStatistics & { readonly firstRow: number })[];
  readonly statistics: ChunkStatistics;
}

/** What the chunks of one row group share. */
export interface GroupOutput {
  readonly rows: number;
  readonly codec: CompressionCodec;
  readonly compress: Compress;
  /** The row group's bytes so far. */
  readonly out: Pieces;
  /** Memory to work in. */
  readonly scratch: ByteList;
}

/** Appends the chunk's bytes to `group.out`. There is at least one row. */
export function encodeChunk(column: BufferedColumn, group: GroupOutput): EncodedChunk {
  const { scratch: raw } = group;
  const spans = cutPages(column, group.rows);
  raw.length = 0;
  const ends: number[] = [];
  if (column.hasDictionary) {
    column.store.writePlain(raw, 0, column.store.count);
    ends.push(raw.length);
  }
  for (const span of spans) {
    writePage(column, span, raw);
    ends.push(raw.length);
  }
  // As views only now: the memory is another one each time it grows.
  const bodies = ends.map((end, i) => raw.view(ends[i - 1] ?? 0, end));
  const statistics = statisticsOf(column, spans);
  return storeChunk(group, {
    dictionary: column.hasDictionary ? dictionaryBody(bodies.shift()!, column.store.count) : undefined,
    pages: spans.map((span, i) => pageBody(bodies[i]!, span.toEntry - span.fromEntry, column.hasDictionary)),
    facts: spans.map((span, i) => ({ ...statistics.pages[i]!, firstRow: span.firstRow })),
    statistics: statistics.chunk,
  });
}

export function dictionaryBody(bytes: Uint8Array<ArrayBuffer>, values: number): Body {
  return {
    bytes,
    header: { type: "DICTIONARY_PAGE", dictionary_page_header: { num_values: values, encoding: "PLAIN" } },
  };
}

/** `entries`: values, nulls and empty lists. */
export function pageBody(bytes: Uint8Array<ArrayBuffer>, entries: number, hasDictionary: boolean): Body {
  return {
    bytes,
    header: {
      type: "DATA_PAGE",
      data_page_header: {
        num_values: entries,
        encoding: hasDictionary ? "RLE_DICTIONARY" : "PLAIN",
        definition_level_encoding: "RLE",
        repetition_level_encoding: "RLE",
      },
    },
  };
}

/** Compresses the pages and appends them, with their headers, to `group.out`. */
export function storeChunk(group: GroupOutput, { dictionary, pages, facts, statistics }: ChunkBodies): EncodedChunk {
  const { out } = group;
  const bodies = dictionary === undefined ? pages : [dictionary, ...pages];
  const { codec, stored } = compressBodies(group, bodies);
  const start = out.length;
  const starts: number[] = [];
  let uncompressedBytes = 0;
  bodies.forEach((body, i) => {
    starts.push(out.length);
    const header = new ByteWriter(64);
    writePageHeader(header, {
      ...body.header,
      uncompressed_page_size: body.bytes.length,
      compressed_page_size: stored[i]!.length,
      crc: Bun.hash.crc32(stored[i]!) | 0,
    });
    uncompressedBytes += header.offset + body.bytes.length;
    out.push(header.getBytes());
    out.push(stored[i]!);
  });
  const dataStarts = starts.slice(bodies.length - pages.length);
  return {
    codec,
    encodings: dictionary === undefined ? ["PLAIN", "RLE"] : ["PLAIN", "RLE", "RLE_DICTIONARY"],
    values: pages.reduce((sum, page) => sum + page.header.data_page_header!.num_values, 0),
    uncompressedBytes,
    compressedBytes: out.length - start,
    ...(dictionary === undefined ? {} : { dictionaryOffset: start }),
    dataOffset: dataStarts[0]!,
    statistics,
    pages: facts.map((page, i) => ({
      ...page,
      offset: dataStarts[i]!,
      bytes: (dataStarts[i + 1] ?? out.length) - dataStarts[i]!,
    })),
  };
}

/**
 * Version 1 pages cannot say that one of them is not compressed, so the whole chunk stays as it is unless it shrinks by
 * a tenth.
 */
function compressBodies({ codec, compress }: GroupOutput, bodies: readonly Body[]) {
  const plain = bodies.map(({ bytes }) => bytes);
  const stored = plain.map(compress);
  return totalBytes(stored) * 10 <= totalBytes(plain) * 9
    ? { codec, stored }
    : { codec: "UNCOMPRESSED" as const, stored: plain.map((bytes): Uint8Array => bytes.slice()) };
}

function totalBytes(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function writePage(column: BufferedColumn, span: PageSpan, raw: ByteList): void {
  const { leaf, store, positions, hasDictionary } = column;
  writeLevels(raw, column.repetitions, span, leaf.maxRepetition);
  writeLevels(raw, column.definitions, span, leaf.maxDefinition);
  if (hasDictionary) {
    const width = bitWidth(store.count - 1);
    raw.push(width);
    writeHybrid(raw, positions.numbers, span.fromValue, span.toValue, width);
  } else {
    store.writePlain(raw, span.fromValue, span.toValue);
  }
}

/** Behind their length in bytes; columns without such levels write nothing. */
function writeLevels(raw: ByteList, levels: ByteList, span: PageSpan, largest: number): void {
  if (largest === 0) return;
  const lengthAt = raw.length;
  raw.reserve(4);
  raw.length += 4;
  writeHybrid(raw, levels.bytes, span.fromEntry, span.toEntry, bitWidth(largest));
  raw.setUint32(lengthAt, raw.length - lengthAt - 4);
}
