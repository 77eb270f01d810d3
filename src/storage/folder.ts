// A folder as a place to read from (Source) and to write to (Sink).

import {
  type BigIntStats,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { ConditionFailed, changedMeanwhile, InputError, OutputError } from "../errors.ts";
import { openFile, readFrom } from "./folder-reader.ts";
import {
  etagAt,
  etagOfFile,
  FolderUpload,
  isTemporary,
  MadeFolders,
  removeOrphans,
  syncFolder,
} from "./folder-upload.ts";
import { compareKeys, folderPrefix } from "./keys.ts";
import { codeOf, pathOfKey, stateOf, urlOfPath } from "./paths.ts";
import type { Expected, Listed, Sink, Source, Upload } from "./ports.ts";

type PlaceError = new (message: string) => Error;

/** Reads a folder. It is not touched before the first call, and a missing one lists as empty. */
export function folderSource(path: string): Source {
  const root = resolve(path);
  const tree = new FolderTree(root, InputError);
  return {
    url: tree.url,
    urlOf: (key) => tree.urlOf(key),
    async *list(prefix) {
      for await (const { key, size } of tree.list(prefix)) yield { key, size };
    },
    async head(key) {
      const there = await tree.head(key);
      return there && { key, size: there.size };
    },
    open: (key) => openFile(tree.pathOf(key), tree.urlOf(key)),
    ranges: {
      open: ({ key }, start, { lend } = {}) => readFrom(tree.pathOf(key), tree.urlOf(key), start, lend),
      async whole({ key }) {
        const version = tree.version(key);
        return {
          async confirm() {
            if (tree.version(key) !== version) throw changedMeanwhile(tree.urlOf(key));
          },
        };
      },
    },
    async folders(prefix) {
      const folders: string[] = [];
      const objects: Listed[] = [];
      for (const entry of await tree.level(folderPrefix(prefix))) {
        if (entry.folder) folders.push(entry.name);
        else objects.push({ key: folderPrefix(prefix) + entry.name, size: entry.size });
      }
      return { folders, objects };
    },
    async etag(listed) {
      if (listed.etag !== undefined) return listed.etag;
      const reader = openFile(tree.pathOf(listed.key), tree.urlOf(listed.key));
      for await (const _chunk of reader);
      return reader.etag();
    },
  };
}

/** Writes below a folder, which is made when the first object is created. */
export function folderSink(path: string): Sink {
  const root = resolve(path);
  const tree = new FolderTree(root, OutputError);
  const made = new MadeFolders();
  const create = async (key: string): Promise<Upload> => FolderUpload.create(tree.pathOf(key), made);
  return {
    url: tree.url,
    urlOf: (key) => tree.urlOf(key),
    list: (prefix) => tree.list(prefix),
    head: (key) => tree.head(key),
    create,
    async read(key, last) {
      let fd: number | undefined;
      try {
        fd = openSync(tree.pathOf(key), "r");
        const stats = fstatSync(fd, { bigint: true });
        const bytes = last === undefined ? new Uint8Array(readFileSync(fd)) : readEnd(fd, Number(stats.size), last);
        return { etag: etagOfFile(stats), bytes };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw new OutputError(`Cannot read ${tree.urlOf(key)}: ${stateOf(error)}`);
      } finally {
        if (fd !== undefined) closeSync(fd);
      }
    },
    async put(key: string, bytes: Uint8Array, expected?: Expected) {
      const upload = await create(key);
      try {
        await upload.write(bytes);
        return await upload.commit(expected);
      } catch (error) {
        await upload.abort();
        throw error;
      }
    },
    async remove(key, expected) {
      try {
        // As before a rename: a look and a system call, next to each other.
        const there = expected && etagAt(tree.pathOf(key));
        if (there !== undefined && there !== expected?.etag)
          throw new ConditionFailed(`Cannot remove ${tree.urlOf(key)}: it is not what it was`);
        unlinkSync(tree.pathOf(key));
        syncFolder(dirname(tree.pathOf(key)));
      } catch (error) {
        if (error instanceof ConditionFailed) throw error;
        if (!isMissing(error)) throw new OutputError(`Cannot remove ${tree.urlOf(key)}: ${stateOf(error)}`);
      }
    },
    async honoursConditions() {
      return true;
    },
    abortPending: (prefix) => removeOrphansBelow(tree, folderPrefix(prefix)),
  };
}

function readEnd(fd: number, size: number, last: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(size, last));
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(fd, bytes, done, bytes.length - done, size - bytes.length + done);
    if (read === 0) throw new Error("it ends too early");
    done += read;
  }
  return bytes;
}

async function removeOrphansBelow(tree: FolderTree, prefix: string): Promise<number> {
  let removed = 0;
  try {
    removed += removeOrphans(tree.pathOf(prefix));
  } catch (error) {
    if (isMissing(error)) return 0;
    throw new OutputError(`Cannot clean ${tree.urlOf(prefix)}: ${stateOf(error)}`);
  }
  for (const { name, folder, link } of await tree.level(prefix)) {
    if (folder && !link) removed += await removeOrphansBelow(tree, `${prefix}${name}/`);
  }
  return removed;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

interface Entry {
  readonly name: string;
  readonly folder: boolean;
  /** Bytes of a file, 0 for a folder. */
  readonly size: number;
  /** Of a file. */
  readonly etag?: string;
  readonly link: boolean;
}

/** Listing, the same for reading and writing but for the class of its errors. */
class FolderTree {
  readonly url: string;

  constructor(
    private readonly root: string,
    private readonly PlaceError: PlaceError,
  ) {
    this.url = folderPrefix(urlOfPath(root));
  }

  urlOf(key: string): string {
    const path = pathOfKey(this.root, key);
    if (path === undefined) return this.url + key;
    return key.endsWith("/") ? folderPrefix(urlOfPath(path)) : urlOfPath(path);
  }

  pathOf(key: string): string {
    const path = pathOfKey(this.root, key);
    if (path === undefined) {
      throw new this.PlaceError(
        `Cannot use ${this.urlOf(key)}: an empty segment, "." or ".." names nothing in a folder`,
      );
    }
    return path;
  }

  async head(key: string): Promise<Listed | undefined> {
    try {
      const stats = statSync(this.pathOf(key), { bigint: true });
      if (!stats.isFile() || key.endsWith("/")) return undefined;
      return { key, size: Number(stats.size), etag: etagOfFile(stats) };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw this.unreadable(key, error);
    }
  }

  /** Identifies what a file holds now: the same before and after is the same in between. */
  version(key: string): string {
    try {
      return etagOfFile(statSync(this.pathOf(key), { bigint: true }));
    } catch (error) {
      throw this.unreadable(key, error);
    }
  }

  list(prefix: string): AsyncIterable<Listed> {
    return this.walk(folderPrefix(prefix), []);
  }

  /** `ancestors` are the real paths of the folders that links were followed into, so that a circle is noticed. */
  private async *walk(prefix: string, ancestors: readonly string[]): AsyncIterable<Listed> {
    for (const entry of await this.level(prefix)) {
      const key = prefix + entry.name;
      if (!entry.folder) {
        yield { key, size: entry.size, etag: entry.etag };
        continue;
      }
      if (!entry.link) {
        yield* this.walk(`${key}/`, ancestors);
        continue;
      }
      const target = this.realFolder(key);
      const here = this.realFolder(prefix);
      if (here.startsWith(target) || ancestors.includes(target)) {
        throw new this.PlaceError(`Cannot list ${this.urlOf(key)}: this link leads back to a folder that holds it`);
      }
      yield* this.walk(`${key}/`, [...ancestors, target]);
    }
  }

  private realFolder(key: string): string {
    try {
      return folderPrefix(realpathSync(this.pathOf(key)));
    } catch (error) {
      throw this.unreadable(key, error);
    }
  }

  /** One folder, in the order of keys: a folder sorts as its name and "/", as its objects do. */
  async level(prefix: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const dirent of await this.dirents(prefix)) {
      if (isTemporary(dirent.name)) continue;
      const key = prefix + dirent.name;
      const link = dirent.isSymbolicLink();
      if (dirent.isDirectory()) {
        entries.push({ name: dirent.name, folder: true, size: 0, link });
        continue;
      }
      let stats: BigIntStats;
      try {
        stats = statSync(this.pathOf(key), { bigint: true });
      } catch (error) {
        if (codeOf(error) === "ENOENT" && !link) continue; // removed since the folder was read
        throw this.unreadable(key, error);
      }
      if (!stats.isFile() && !stats.isDirectory()) {
        throw new this.PlaceError(`Cannot use ${this.urlOf(key)}: it is neither a file nor a folder`);
      }
      const folder = stats.isDirectory();
      const file = folder ? { size: 0 } : { size: Number(stats.size), etag: etagOfFile(stats) };
      entries.push({ name: dirent.name, folder, link, ...file });
    }
    const sortName = (entry: Entry) => (entry.folder ? `${entry.name}/` : entry.name);
    return entries.sort((a, b) => compareKeys(sortName(a), sortName(b)));
  }

  private async dirents(prefix: string) {
    try {
      const { readdir } = await import("node:fs/promises");
      return await readdir(this.pathOf(prefix), { withFileTypes: true });
    } catch (error) {
      if (codeOf(error) === "ENOTDIR" && statSync(this.root).isFile()) {
        throw new this.PlaceError(`Cannot list ${this.url}: it is a file, not a folder`);
      }
      if (isMissing(error)) return [];
      throw this.unreadable(prefix, error);
    }
  }

  private unreadable(key: string, error: unknown): Error {
    if (error instanceof this.PlaceError) return error;
    return new this.PlaceError(`Cannot read ${this.urlOf(key)}: ${stateOf(error)}`);
  }
}
