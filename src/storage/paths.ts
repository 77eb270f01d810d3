// Keys as paths below one folder, and what the system says when a path cannot be read or written.

import { join } from "node:path";

/**
 * The path of a key below `root`, undefined for a key that no file can have or that would leave the folder: an empty
 * segment, ".", ".." or a NUL. A key that ends in "/" is the folder.
 */
export function pathOfKey(root: string, key: string): string | undefined {
  if (key === "") return root;
  const segments = (key.endsWith("/") ? key.slice(0, -1) : key).split("/");
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === ".." || segment.includes("\0")) return undefined;
  }
  return join(root, ...segments);
}

/** "file:///abs/folder/key", escaped as URLs are. */
export function urlOfPath(path: string): string {
  return Bun.pathToFileURL(path).href;
}

const STATES: Record<string, string> = {
  ENOENT: "it does not exist",
  ENOTDIR: "a part of its path is a file, not a folder",
  EISDIR: "it is a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than the file system allows",
  ENAMETOOLONG: "a name in its path is too long",
  EMFILE: "this program has too many files open (see ulimit -n)",
  ENFILE: "the system has too many files open",
  ELOOP: "its links lead in a circle",
  EIO: "the device failed",
};

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException)?.code ?? "";
}

/** What the system said, without the path that its own text repeats. */
export function stateOf(error: unknown): string {
  const code = codeOf(error);
  return STATES[code] ?? (code || (error as Error).message);
}
