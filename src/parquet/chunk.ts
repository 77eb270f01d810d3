// A finished column to a column chunk: pages with levels, values, compression, checksum, and what the footer says of them.

import type { CompressionCodec, Encoding, PageHeader } from "hyparquet";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import type { BufferedColumn } from "./buffered.ts";
import type { ByteList } from "./bytes.ts";
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
interface Body {
  readonly from: number;
  readonly to: number;
  readonly header: Omit<PageHeader, "uncompressed_page_size" | "compressed_page_size" | "crc">;
}

/** What the chunks of one row group share. */
export interface GroupOutput {
  readonly rows: number;
  readonly codec: CompressionCodec;
  readonly compress: Compress;
  /** The row group's bytes so far. */
  readonly out: ByteList;
  /** Memory to work in. */
  readonly scratch: ByteList;
}

/** Appends the chunk's bytes to `group.out`. There is at least one row. */
export function encodeChunk(column: BufferedColumn, group: GroupOutput): EncodedChunk {
  const { out, scratch: raw } = group;
  const spans = cutPages(column, group.rows);
  raw.length = 0;
  const bodies: Body[] = column.hasDictionary ? [writeDictionary(column, raw)] : [];
  for (const span of spans) bodies.push(writePage(column, span, raw));

  const { codec, stored } = compressBodies(group, bodies);
  const start = out.length;
  const starts: number[] = [];
  let headerBytes = 0;
  bodies.forEach((body, i) => {
    starts.push(out.length);
    const header = new ByteWriter(64);
    writePageHeader(header, {
      ...body.header,
      uncompressed_page_size: body.to - body.from,
      compressed_page_size: stored[i]!.length,
      crc: Bun.hash.crc32(stored[i]!) | 0,
    });
    headerBytes += header.offset;
    out.append(header.getBytes());
    out.append(stored[i]!);
  });

  const dataStarts = starts.slice(bodies.length - spans.length);
  const statistics = statisticsOf(column, spans);
  const pages = spans.map((span, i) => ({
    ...statistics.pages[i]!,
    offset: dataStarts[i]!,
    bytes: (dataStarts[i + 1] ?? out.length) - dataStarts[i]!,
    firstRow: span.firstRow,
  }));
  return {
    codec,
    encodings: column.hasDictionary ? ["PLAIN", "RLE", "RLE_DICTIONARY"] : ["PLAIN", "RLE"],
    values: spans.at(-1)!.toEntry,
    uncompressedBytes: headerBytes + raw.length,
    compressedBytes: out.length - start,
    ...(column.hasDictionary ? { dictionaryOffset: start } : {}),
    dataOffset: dataStarts[0]!,
    statistics: statistics.chunk,
    pages,
  };
}

/**
 * Version 1 pages cannot say that one of them is not compressed, so the whole chunk stays as it is unless it shrinks by
 * a tenth.
 */
function compressBodies({ codec, compress, scratch: raw }: GroupOutput, bodies: readonly Body[]) {
  const plain = bodies.map(({ from, to }) => raw.view(from, to));
  const stored = plain.map(compress);
  const bytes = stored.reduce((sum, body) => sum + body.length, 0);
  return bytes * 10 <= raw.length * 9
    ? { codec, stored }
    : { codec: "UNCOMPRESSED" as const, stored: plain as Uint8Array[] };
}

function writeDictionary({ store }: BufferedColumn, raw: ByteList): Body {
  const from = raw.length;
  store.writePlain(raw, 0, store.count);
  return {
    from,
    to: raw.length,
    header: { type: "DICTIONARY_PAGE", dictionary_page_header: { num_values: store.count, encoding: "PLAIN" } },
  };
}

function writePage(column: BufferedColumn, span: PageSpan, raw: ByteList): Body {
  const { leaf, store, positions, hasDictionary } = column;
  const from = raw.length;
  writeLevels(raw, column.repetitions, span, leaf.maxRepetition);
  writeLevels(raw, column.definitions, span, leaf.maxDefinition);
  if (hasDictionary) {
    const width = bitWidth(store.count - 1);
    raw.push(width);
    writeHybrid(raw, positions.numbers, span.fromValue, span.toValue, width);
  } else {
    store.writePlain(raw, span.fromValue, span.toValue);
  }
  return {
    from,
    to: raw.length,
    header: {
      type: "DATA_PAGE",
      data_page_header: {
        num_values: span.toEntry - span.fromEntry,
        encoding: hasDictionary ? "RLE_DICTIONARY" : "PLAIN",
        definition_level_encoding: "RLE",
        repetition_level_encoding: "RLE",
      },
    },
  };
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
