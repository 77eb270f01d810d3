// Places as people write them: a path, a file:// URL, s3://bucket/prefix.

import { basename, dirname, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { folderSink, folderSource } from "./folder.ts";
import type { Place, Sink, Source } from "./ports.ts";
import { s3Sink, s3Source } from "./s3.ts";

/**
 * A place to read from.
 * @throws {UsageError} for URLs of any other kind. Whether the place exists shows when it is read.
 */
export function openSource(place: Place | string): Source {
  const { url, s3 } = placeOf(place);
  const location = splitS3(url);
  return location ? s3Source({ ...location, options: s3 }) : folderSource(pathOfPlace(url));
}

/** A place to write to; as `openSource`. A folder is made when the first object is created. */
export function openSink(place: Place | string): Sink {
  const { url, s3 } = placeOf(place);
  const location = splitS3(url);
  return location ? s3Sink({ ...location, options: s3 }) : folderSink(pathOfPlace(url));
}

function placeOf(place: Place | string): Place {
  return typeof place === "string" ? { url: place } : place;
}

/** The folder of one object's place and its key there: "out/x.parquet" is "x.parquet" in "out". */
export function splitPlace(written: Place | string): { readonly place: Place; readonly key: string } {
  const { url, s3 } = placeOf(written);
  const location = splitS3(url);
  if (location === undefined) {
    const path = resolve(pathOfPlace(url));
    return { place: { url: dirname(path), s3 }, key: basename(path) };
  }
  const at = location.prefix.lastIndexOf("/") + 1;
  const key = location.prefix.slice(at);
  if (key === "") throw new UsageError(`Cannot use ${url} as one object: it ends in no name`);
  return { place: { url: `s3://${location.bucket}/${location.prefix.slice(0, at)}`, s3 }, key };
}

/** Bucket and prefix of an s3:// URL, undefined for any other place. Keys are as they are: nothing in them is escaped. */
export function splitS3(url: string): { readonly bucket: string; readonly prefix: string } | undefined {
  const [, rest] = /^s3:\/\/(.*)$/is.exec(url) ?? [];
  if (rest === undefined) return undefined;
  const [, bucket, prefix = ""] = /^([^/@:?#]+)(?:\/(.*))?$/s.exec(rest) ?? [];
  if (bucket === undefined) throw new UsageError("Cannot open an s3:// place: it has the form s3://bucket/prefix");
  return { bucket, prefix };
}

/** The path on disk of "./folder" or "file:///abs/folder". Throws UsageError for any other URL. */
export function pathOfPlace(place: string): string {
  if (place === "")
    throw new UsageError("Cannot open a place: its name is empty. Give a folder, a file:// URL or s3://bucket/prefix");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(place)?.[1]?.toLowerCase();
  if (scheme === undefined) return place;
  if (scheme !== "file") {
    // Not the URL itself: it may carry a password or a signature (P12).
    throw new UsageError(
      `Cannot open a place that begins with "${scheme}://": nothing reads or writes there. Give a folder, a file:// URL or s3://bucket/prefix`,
    );
  }
  try {
    return Bun.fileURLToPath(place);
  } catch {
    throw new UsageError(`Cannot open ${JSON.stringify(place)}: a file URL has the form file:///absolute/folder`);
  }
}
