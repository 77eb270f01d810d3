// One file on its way out: a hidden temporary in the target folder, synced, then renamed, then the folder synced.

import {
  type BigIntStats,
  close,
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { ConditionFailed, InternalError, OutputError } from "../errors.ts";
import { codeOf, stateOf, urlOfPath } from "./paths.ts";
import type { Expected, Upload } from "./ports.ts";

/** ".derive-<host>-<process>-<unique>.tmp": host and process tell which ones a killed run has left behind. */
const TEMPORARY = /^\.derive-([0-9a-f]+)-(\d+)-[0-9a-f]+\.tmp$/;
const HOST = Bun.hash.crc32(hostname()).toString(16);

export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Files become durable while they are read back. Each holds its descriptor until then, so they are only so many. */
const SYNCS = 8;
const syncing = new Set<Promise<void>>();

function temporaryName(): string {
  return `.derive-${HOST}-${process.pid}-${crypto.randomUUID().slice(0, 8)}.tmp`;
}

/**
 * The folders that one sink has made, so that an abandoned upload leaves none of them behind empty. All of it is synchronous:
 * no other upload can come between making a folder and using it.
 */
export class MadeFolders {
  readonly #made = new Set<string>();
  readonly #swept = new Set<string>();

  make(folder: string): void {
    const first = mkdirSync(folder, { recursive: true });
    if (first !== undefined) {
      // A new folder is durable once the folder that holds it is synced: from the uppermost new one down.
      let path = first;
      this.#made.add(path);
      syncFolder(dirname(path));
      for (const name of relative(first, folder).split(sep).filter(Boolean)) {
        syncFolder(path);
        path = join(path, name);
        this.#made.add(path);
      }
    }
    if (!this.#swept.has(folder)) {
      this.#swept.add(folder);
      removeOrphans(folder);
    }
  }

  removeEmpty(folder: string): void {
    for (let path = folder; this.#made.has(path); path = dirname(path)) {
      try {
        rmdirSync(path);
      } catch {
        return; // not empty: others write there, or did
      }
      this.#made.delete(path);
      this.#swept.delete(path);
    }
  }
}

/** Removes temporaries of processes of this machine that run no more (P3: no clean-up by hand). Gives their number. */
export function removeOrphans(folder: string): number {
  let removed = 0;
  for (const name of readdirSync(folder)) {
    const [, host, pid] = TEMPORARY.exec(name) ?? [];
    if (host !== HOST || isAlive(Number(pid))) continue;
    try {
      unlinkSync(join(folder, name));
      removed++;
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
  return removed;
}

/** A file's ETag as a Sink gives it. Files are replaced, never rewritten, so no two contents of a key share one. */
export function etagOfFile({ ino, mtimeNs, size }: BigIntStats): string {
  return `file:${[ino, mtimeNs, size].map((number) => number.toString(16)).join("-")}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

/**
 * Writes through a file descriptor: Bun's file writer reports success on a full disk. The descriptor is closed when the
 * writing ends, so that many finished parts can wait for their commit.
 */
export class FolderUpload implements Upload {
  #fd: number | undefined;
  /** Once the writing has ended: until the bytes are durable. */
  #synced: Promise<void> | undefined;
  #byteLength = 0;
  #state: "pending" | "committed" | "aborted" = "pending";

  private constructor(
    private readonly target: string,
    private readonly temporary: string,
    private readonly made: MadeFolders,
  ) {}

  static async create(target: string, made: MadeFolders): Promise<FolderUpload> {
    const folder = dirname(target);
    const upload = new FolderUpload(target, join(folder, temporaryName()), made);
    try {
      made.make(folder);
      upload.#fd = openSync(upload.temporary, "wx");
    } catch (error) {
      made.removeEmpty(folder);
      throw upload.#failed("write", error);
    }
    return upload;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#fd === undefined)
      throw new InternalError(`Cannot write ${urlOfPath(this.target)}: its writing has ended`);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw this.#failed("write", error);
    }
    this.#byteLength += bytes.length;
  }

  async slice(start: number, end = this.#byteLength): Promise<ArrayBuffer> {
    this.#endWriting();
    if (syncing.size > SYNCS) await Promise.race(syncing);
    const bytes = new Uint8Array(Math.max(0, end - start));
    let fd: number | undefined;
    try {
      fd = openSync(this.temporary, "r");
      for (let at = 0; at < bytes.length; ) {
        const read = readSync(fd, bytes, at, bytes.length - at, start + at);
        if (read === 0) throw new Error("it ends too early");
        at += read;
      }
      return bytes.buffer;
    } catch (error) {
      throw this.#failed("read back", error);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  async commit(expected: Expected = "anything"): Promise<string> {
    if (this.#state !== "pending")
      throw new InternalError(`Cannot commit ${urlOfPath(this.target)}: it is ${this.#state}`);
    this.#endWriting();
    try {
      await this.#synced;
      // Neither a rename nor a link changes any of it.
      const etag = etagOfFile(statSync(this.temporary, { bigint: true }));
      if (expected === "nothing") renameOntoNothing(this.temporary, this.target);
      else if (expected === "anything" || etagAt(this.target) === expected.etag)
        renameSync(this.temporary, this.target);
      else throw new ConditionFailed(`Cannot write ${urlOfPath(this.target)}: it is not what it was`);
      this.#state = "committed";
      syncFolder(dirname(this.target));
      return etag;
    } catch (error) {
      if (error instanceof ConditionFailed) throw error;
      if (codeOf(error) === "EEXIST")
        throw new ConditionFailed(`Cannot write ${urlOfPath(this.target)}: it exists already`);
      throw this.#failed("write", error);
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== "pending") return;
    this.#state = "aborted";
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    try {
      unlinkSync(this.temporary);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw this.#failed("remove", error);
    }
    this.made.removeEmpty(dirname(this.target));
  }

  /** What is written can be read back while it becomes durable. Only `commit` waits for that, and tells if it fails. */
  #endWriting(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    this.#synced = new Promise((resolve, reject) => {
      fsync(fd, (failed) => {
        close(fd, (error) => {
          if (failed ?? error) reject(failed ?? error);
          else resolve();
        });
      });
    });
    const settled: Promise<void> = this.#synced.catch(() => {}).then(() => void syncing.delete(settled));
    syncing.add(settled);
  }

  #failed(action: string, error: unknown): Error {
    if (error instanceof OutputError) return error;
    return new OutputError(`Cannot ${action} ${urlOfPath(this.target)}: ${stateOf(error)}`);
  }
}

// No system call renames under a condition: another process could still come between the look and the rename, a moment later.
export function etagAt(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && etagOfFile(stats);
}

/** A link, unlike a rename, fails when the name is taken. File systems without links get a look before the rename. */
function renameOntoNothing(temporary: string, target: string): void {
  try {
    linkSync(temporary, target);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error))) throw error;
    if (existsSync(target)) throw Object.assign(new Error(), { code: "EEXIST" });
    renameSync(temporary, target);
    return;
  }
  unlinkSync(temporary);
}

/** Makes the names in a folder durable, where the file system can do that for folders. */
export function syncFolder(path: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    fsyncSync(fd);
  } catch (error) {
    if (!["EACCES", "EPERM", "EINVAL", "EISDIR", "ENOTSUP"].includes(codeOf(error))) throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
