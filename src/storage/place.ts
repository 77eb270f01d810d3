// Places as people write them: a path, a file:// URL; s3:// URLs come with the S3 source and sink.

import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../errors.ts";
import { folderSink, folderSource } from "./folder.ts";
import type { Place, Sink, Source } from "./ports.ts";

/**
 * A place to read from.
 * @param place "./folder" or "file:///abs/folder"
 * @throws {UsageError} for URLs of any other kind. Whether the folder exists shows when it is read.
 */
export function openSource(place: Place | string): Source {
  return folderSource(pathOfPlace(urlOfPlace(place)));
}

/** A place to write to; as `openSource`. The folder is made when the first object is created. */
export function openSink(place: Place | string): Sink {
  return folderSink(pathOfPlace(urlOfPlace(place)));
}

function urlOfPlace(place: Place | string): string {
  return typeof place === "string" ? place : place.url;
}

/** The folder of one object's place and its key there: "out/x.parquet" is "x.parquet" in "out". */
export function splitPlace(place: string): { readonly place: string; readonly key: string } {
  const path = resolve(pathOfPlace(place));
  return { place: dirname(path), key: basename(path) };
}

/** The path on disk of "./folder" or "file:///abs/folder". */
export function pathOfPlace(place: string): string {
  if (place === "") throw new UsageError("Cannot open a place: its name is empty. Give a folder or a file:// URL");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(place)?.[1]?.toLowerCase();
  if (scheme === undefined) return place;
  if (scheme !== "file") {
    // Not the URL itself: it may carry a password or a signature (P12).
    throw new UsageError(
      `Cannot open a place that begins with "${scheme}://": this build reads and writes folders only. Give a folder or a file:// URL`,
    );
  }
  try {
    return fileURLToPath(place);
  } catch {
    throw new UsageError(`Cannot open ${JSON.stringify(place)}: a file URL has the form file:///absolute/folder`);
  }
}
