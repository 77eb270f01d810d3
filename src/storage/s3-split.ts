// A huge S3 object that several readers read in ranges, all of one version, and checked as a whole all the same (P11).
import { InternalError } from "../errors.ts";
import type { RangeReader, Ranges } from "./ports.ts";
import type { Bucket } from "./s3-bucket.ts";
import { expectedCrc, expectedOf, release, sumOf } from "./s3-checksum.ts";
import { type CrcName, shifted } from "./s3-crc.ts";
import { type Piece, S3Object } from "./s3-object.ts";
import { inRanges, whileQuick } from "./s3-ranges.ts";

export function s3Ranges(bucket: Bucket): Ranges {
  return {
    async whole({ key, etag, size }) {
      const object = new S3Object(bucket, key, etag);
      const facts = await object.facts();
      if (facts === undefined) throw object.cannot("it does not exist");
      if (facts.ContentLength !== size) throw object.changed(0);
      const expected = expectedOf(facts);
      object.requireChecksum(expected);
      const crc = expectedCrc(facts);
      return {
        isIndivisible: etag === undefined || (crc === undefined && expected !== undefined),
        sum: crc?.name,
        async confirm(shares) {
          if (crc === undefined) return;
          const total = shares.reduce((sum, { to, value }) => sum ^ shifted(crc.name, value, size - to), 0n);
          if (total !== numberOf(crc.value)) throw object.damaged(crc.name);
        },
      };
    },
    open: ({ key, etag, size }, start, { until = size, sum } = {}) => {
      if (etag === undefined)
        throw new InternalError(`Cannot read ${bucket.urlOf(key)} in ranges: its version is unknown`);
      const ahead = Math.min(size, Math.max(start, until));
      const pieces = [
        { start, end: ahead },
        { start: ahead, end: size },
      ];
      return rangeReader(new S3Object(bucket, key, etag), etag, pieces, sum as CrcName | undefined);
    },
  };
}

function rangeReader(object: S3Object, etag: string, pieces: readonly Piece[], name: CrcName | undefined): RangeReader {
  const given = name && sumOf(name);
  let to = pieces[0]!.start;
  return {
    async *[Symbol.asyncIterator]() {
      for (const piece of pieces) {
        for await (const chunk of chunksOf(object, etag, piece)) {
          // Before it is given out: nobody comes back after the last one.
          (await given)?.update(chunk);
          to += chunk.length;
          yield chunk;
          release(chunk);
        }
      }
    },
    async share(until) {
      if (name === undefined) return undefined;
      // Of the bytes beyond, which belong to the next range, the sum is taken away again. They are not kept for it, so they come
      // once more: if they are others now, what is left fits nothing.
      const beyond = await sumOf(name);
      for await (const chunk of chunksOf(object, etag, { start: until, end: to })) beyond.update(chunk);
      const values = [await (await given)!.digest(), await beyond.digest()] as const;
      return { to, value: numberOf(values[0]) ^ numberOf(values[1]) };
    },
  };
}

async function* chunksOf(object: S3Object, etag: string, piece: Piece): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (piece.start === piece.end) return;
  if (object.bucket.line.isFar) yield* inRanges(object, etag, piece, new AbortController());
  else yield* whileQuick(object, etag, piece);
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytes.toHex()}`);
}
