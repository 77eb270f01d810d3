// The Parquet files that paths on the command line name, for `derive show`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../errors.ts";
import type { ByteSource } from "../parquet/read.ts";
import { findNamed } from "../storage/named.ts";

export interface Part {
  readonly url: string;
  readonly file: ByteSource;
}

/**
 * What `path` (a file, folder or glob) names, in the order of keys: of a folder the `.parquet` files, at any depth, of
 * a file itself whatever its name is. Throws InputError where that is nothing.
 */
export async function findParts(path: string): Promise<Part[]> {
  const { place, objects } = await findNamed([path]);
  const parts = objects.length === 1 ? objects : objects.filter(({ key }) => key.endsWith(".parquet"));
  if (parts.length === 0) throw new InputError(`Cannot show ${path}: there is no .parquet file in it`);
  return parts.map(({ key, size }) => {
    const file = Bun.file(join(place, key));
    return {
      url: pathToFileURL(join(place, key)).href,
      file: { byteLength: size, slice: (start, end) => file.slice(start, end).arrayBuffer() },
    };
  });
}
