// The Parquet files that paths on the command line name, for `derive show`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../errors.ts";
import type { ByteSource } from "../parquet/read.ts";
import { findNamed } from "../storage/named.ts";
import { openSource, splitS3 } from "../storage/place.ts";
import type { Listed, Place, S3Options } from "../storage/ports.ts";
import { TemporaryFile } from "../storage/temporary.ts";

export interface Part {
  readonly url: string;
  readonly file: ByteSource;
}

/**
 * What `path` (a file, folder, glob or s3:// URL) names, in the order of keys: of a folder the `.parquet` files, at any
 * depth, of a file itself whatever its name is. Throws InputError where that is nothing.
 */
export async function findParts(path: string, s3: S3Options): Promise<Part[]> {
  const { place, objects } = await findNamed([path], { s3 });
  const parts = objects.length === 1 ? objects : objects.filter(({ key }) => key.endsWith(".parquet"));
  if (parts.length === 0) throw new InputError(`Cannot show ${path}: there is no .parquet file in it`);
  return parts.map((part) => (splitS3(place.url) ? partOnS3(place, part) : partOnDisk(place, part)));
}

function partOnDisk({ url }: Place, { key, size }: Listed): Part {
  const file = Bun.file(join(url, key));
  return {
    url: pathToFileURL(join(url, key)).href,
    file: { byteLength: size, slice: (start, end) => file.slice(start, end).arrayBuffer() },
  };
}

/** Read whole, into a temporary file, when its first bytes are asked for: S3 has no other way that is quicker for most of a part. */
function partOnS3(place: Place, { key, size, etag }: Listed): Part {
  const source = openSource(place);
  let whole: Promise<TemporaryFile> | undefined;
  const read = async (): Promise<TemporaryFile> => {
    const copy = new TemporaryFile();
    for await (const chunk of source.open(key, etag)) copy.append(chunk);
    return copy;
  };
  return {
    url: source.urlOf(key),
    file: {
      byteLength: size,
      async slice(start, end = size) {
        whole ??= read();
        return (await whole).read(start, Math.max(0, Math.min(end, size) - start)).buffer;
      },
    },
  };
}
