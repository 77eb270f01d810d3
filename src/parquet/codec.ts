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

let snappyCompress: ((bytes: Uint8Array) => Uint8Array) | undefined;
let snappyUncompress: ((bytes: Uint8Array, length: number) => Uint8Array) | undefined;

/** The compressed bytes, which may be the input itself or a view into memory of the codec's. */
export function compress(codec: Codec, bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  switch (codec) {
    case "zstd":
      return Bun.zstdCompressSync(bytes, { level: 1 });
    case "snappy":
      snappyCompress ??= snappyCompressor();
      return snappyCompress(bytes);
    case "gzip":
      // libdeflate's output depends on its version alone, zlib's on the machine it was built for.
      return Bun.gzipSync(bytes, { library: "libdeflate", level: 6 });
    case "none":
      return bytes;
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
