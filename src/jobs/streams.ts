// Which streams there are, and what a stream's file says. Files are only named here; a worker thread loads them.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { compiled } from "../compile/streams.ts";
import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import type { StreamRef } from "../pipeline/load.ts";
import type { StreamFacts } from "../pipeline/protocol.ts";
import type { Place } from "../storage/ports.ts";
import { WorkerPool } from "./pool.ts";
import { ownStreams } from "./stream-sources.ts";
import type { Limits } from "./watch.ts";

export type { StreamFacts, StreamRef };

/** A stream's name and where it is. */
export interface Available {
  readonly name: string;
  readonly ref: StreamRef;
}

/** All streams that a name finds: the built-in ones, then `streams/*.ts` below `folder`. */
export function availableStreams(folder: string = process.cwd()): Available[] {
  const builtin = [...ownStreams, ...compiled.map(({ name }) => name)];
  const files = streamFiles(join(folder, "streams")).map((path) => ({ name: basename(path, ".ts"), ref: { path } }));
  return [
    ...builtin.map((name) => ({ name, ref: { builtin: name } })),
    ...files.filter(({ name }) => !builtin.includes(name)),
  ];
}

// Tests and the list of the streams lie beside the streams.
function streamFiles(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => /^[^.]+\.ts$/.test(name) && name !== "index.ts")
    .sort()
    .map((name) => join(folder, name));
}

/**
 * What `<stream>` means on the command line: a path ending in .ts, a built-in name, or the name of a file below
 * `folder`/streams. Throws UsageError where there is no such stream.
 */
export function resolveStream(nameOrPath: string, folder: string = process.cwd()): StreamRef {
  if (/\.[cm]?ts$/.test(nameOrPath)) {
    const path = resolve(folder, nameOrPath);
    if (!existsSync(path)) throw new UsageError(`Cannot find stream ${nameOrPath}: there is no file ${path}`);
    return { path };
  }
  const found = availableStreams(folder);
  const match = found.find(({ name }) => name === nameOrPath);
  if (match) return match.ref;
  const names = found.map(({ name }) => name);
  throw new UsageError(
    `Cannot find stream ${nameOrPath}: it is not built in, and there is no ${join("streams", `${nameOrPath}.ts`)} here.` +
      `${didYouMean(nameOrPath, names)} \`derive streams\` lists them; a path ending in .ts works too`,
  );
}

/**
 * What the stream's file says. It is loaded in a thread of the pool, which gets ready to read `from`, where that is given.
 * Throws UsageError where the file is no stream.
 */
export async function describeIn(pool: WorkerPool, stream: StreamRef, from?: Place | string): Promise<StreamFacts> {
  return (await pool.ask<"facts">({ kind: "describe", stream, from })).facts;
}

/** The same in a thread of its own, for those who run nothing else. */
export async function describeStream(ref: StreamRef, limits?: Limits): Promise<StreamFacts> {
  const pool = new WorkerPool(1, limits);
  try {
    return await describeIn(pool, ref);
  } finally {
    pool.close();
  }
}
