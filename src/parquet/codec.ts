// Page compression. Every choice here shows in the bytes, so a change raises OUTPUT_FORMAT.

import type { CompressionCodec, Compressors } from "hyparquet";
import { snappyCompressor, snappyUncompressor } from "hysnappy";

export type Codec = "zstd" | "snappy" | "gzip" | "none";

export const CODECS: { readonly [codec in Codec]: CompressionCodec } = {
  zstd: "ZSTD",
  snappy: "SNAPPY",
  gzip: "GZIP",
  none: "UNCOMPRESSED",
};

let snappyUncompress: ((bytes: Uint8Array, length: number) => Uint8Array) | undefined;

/** The input itself for "none". */
export type Compress = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;

/**
 * To be made anew for every row group: hysnappy's output depends now and then on what the same instance compressed
 * before, and bytes may depend on nothing but the rows.
 */
export function createCompressor(codec: Codec): Compress {
  switch (codec) {
    case "zstd":
      return (bytes) => Bun.zstdCompressSync(bytes, { level: 1 });
    case "snappy":
      return snappyCompressor();
    case "gzip":
      // libdeflate's output depends on its version alone, zlib's on the machine it was built for.
      return (bytes) => Bun.gzipSync(bytes, { library: "libdeflate", level: 6 });
    case "none":
      return (bytes) => bytes;
  }
}

/** For hyparquet, by the footer's names. */
export const decompressors: Compressors = {
  ZSTD: (bytes) => Bun.zstdDecompressSync(bytes as Uint8Array<ArrayBuffer>),
  GZIP: (bytes) => Bun.gunzipSync(bytes as Uint8Array<ArrayBuffer>),
  SNAPPY(bytes, length) {
    snappyUncompress ??= snappyUncompressor();
    return snappyUncompress(bytes, length);
  },
};
