// What the paths on a command line name: files, folders and globs become one place and the objects to read there.
import { existsSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { InputError, UsageError } from "../errors.ts";
import { folderSource } from "./folder.ts";
import { compareKeys } from "./keys.ts";
import { findObjects } from "./named-s3.ts";
import { stateOf, urlOfPath } from "./paths.ts";
import { pathOfPlace, splitS3 } from "./place.ts";
import type { Listed, Place, S3Options } from "./ports.ts";

export interface Named {
  /** The folder that holds all of it: for one folder itself, for one file its folder, else the nearest common one. */
  readonly place: Place;
  /** Each object once, in the order of keys. */
  readonly objects: Listed[];
}

/**
 * Finds what `paths` (files, folders, globs, file:// and s3:// URLs; relative ones below `folder`) name. Of a folder all
 * files count, at any depth, but those whose names begin with a dot. Throws InputError where a path names nothing.
 */
export async function findNamed(
  paths: readonly string[],
  { s3, folder = process.cwd() }: { readonly s3?: S3Options; readonly folder?: string } = {},
): Promise<Named> {
  const onS3 = paths.filter((path) => splitS3(path) !== undefined);
  if (onS3.length === 0) return findFiles(paths, folder);
  if (onS3.length < paths.length) throw new UsageError("Cannot read S3 and folders in one run: run it once for each");
  return findObjects(paths, s3);
}

async function findFiles(paths: readonly string[], folder: string): Promise<Named> {
  const found = new Map<string, number>();
  const roots: string[] = [];
  for (const written of paths) {
    for (const path of await expand(written, folder)) {
      const stats = statsOf(path);
      if (!stats.isDirectory()) {
        found.set(path, stats.size);
        roots.push(dirname(path));
        continue;
      }
      roots.push(path);
      for await (const { key, size } of folderSource(path).list("")) {
        if (!key.split("/").some((name) => name.startsWith("."))) found.set(join(path, key), size);
      }
    }
  }
  const place = commonFolder(roots);
  const keyOf = (path: string) => path.slice(place.endsWith(sep) ? place.length : place.length + 1);
  const objects = [...found].map(([path, size]) => ({ key: keyOf(path), size }));
  return { place: { url: place }, objects: objects.sort((a, b) => compareKeys(a.key, b.key)) };
}

function statsOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new InputError(`Cannot read ${urlOfPath(path)}: ${stateOf(error)}`);
  }
}

async function expand(written: string, folder: string): Promise<string[]> {
  const path = resolve(folder, pathOfPlace(written));
  // A file whose name holds a * or a [ is named by its name first.
  if (!/[*?[{]/.test(basename(path) + dirname(path)) || existsSync(path)) return [path];
  const matches: string[] = [];
  const start = folderBeforeGlob(path);
  for await (const match of new Bun.Glob(path.slice(start.length + 1)).scan({ cwd: start, onlyFiles: false })) {
    matches.push(join(start, match));
  }
  if (matches.length === 0) throw new InputError(`Cannot read ${written}: no file matches`);
  return matches;
}

// The part of a path before its first segment with a glob in it.
function folderBeforeGlob(path: string): string {
  const segments = path.split(sep);
  const first = segments.findIndex((segment) => /[*?[{]/.test(segment));
  return segments.slice(0, first).join(sep) || sep;
}

function commonFolder(folders: readonly string[]): string {
  if (folders.length === 0) throw new UsageError("Cannot read anything: no path was given");
  let common = folders[0]!.split(sep);
  for (const folder of folders) {
    const segments = folder.split(sep);
    let same = 0;
    while (same < common.length && common[same] === segments[same]) same++;
    common = common.slice(0, same);
  }
  return common.join(sep) || sep;
}
