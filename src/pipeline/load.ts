// Streams from their files: the package "derive" is given to them from inside the program, so they need no build and no
// node_modules. Runs in worker threads only: the main thread never executes a stream's code.
import { realpathSync } from "node:fs";
import { basename } from "node:path";
import type { AvroRecord } from "../avro/literal.ts";
import { parseSchema, type Schema } from "../avro/schema.ts";
import { compiled } from "../compile/streams.ts";
import { UsageError } from "../errors.ts";
import * as derive from "../index.ts";
import { type DerivedStream, isDerivedStream } from "../stream.ts";
import { type AuthorsWords, BUILTIN_WORDS, describeThrown, placeOf, wordsOf } from "./causes.ts";
import { streamFiles } from "./stream-files.ts";

/** Which stream: one that is built in, by its name, or a file's absolute path. */
export type StreamRef = { readonly builtin: string } | { readonly path: string };

/** A stream ready to run. */
export interface LoadedStream {
  readonly name: string;
  readonly definition: DerivedStream;
  readonly literal: AvroRecord;
  readonly schema: Schema;
  /** What may be told of an error of its own. */
  readonly words: AuthorsWords;
}

/** Whether a stream is one of streams/, which does nothing that has to be watched. */
export function isOwn(ref: StreamRef): boolean {
  return "builtin" in ref && !compiled.some(({ name }) => name === ref.builtin);
}

let offered = false;

// A bare name can be offered at run time by `module`, not by `onResolve` (bun.md).
function offerPackage(): void {
  if (offered) return;
  offered = true;
  Bun.plugin({
    name: "derive",
    setup(build) {
      build.module("derive", () => ({ exports: { ...derive }, loader: "object" }));
      build.module("derive/test", async () => ({ exports: { ...(await import("../testing.ts")) }, loader: "object" }));
    },
  });
}

/** Loads a stream and its schema. Throws UsageError, with the file's own line where the fault has one. */
export async function loadStream(ref: StreamRef): Promise<LoadedStream> {
  const words = "builtin" in ref ? wordsOfBuiltin(ref.builtin) : await wordsOfFile(ref.path);
  const definition = "builtin" in ref ? await importBuiltin(ref.builtin) : await importFile(ref.path, words);
  const name = definition.name ?? ("builtin" in ref ? ref.builtin : basename(ref.path).replace(/\.[cm]?[jt]s$/, ""));
  try {
    const literal = definition.schema(name);
    return { name, definition, literal, schema: parseSchema(literal), words };
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`Cannot use stream ${name}: ${error.message}`);
    throw new UsageError(`Cannot use stream ${name}: buildSchema threw ${describeThrown(error, words)}`);
  }
}

/** The streams of this program, by name: those of streams/, and those that `derive compile` added. */
async function importBuiltin(name: string): Promise<DerivedStream> {
  const added = compiled.find((stream) => stream.name === name);
  if (added !== undefined) return checkExport((await added.load()).default, name);
  const { streams } = await import("../../streams/index.ts");
  const load = Object.hasOwn(streams, name) ? streams[name] : undefined;
  if (load === undefined) throw new UsageError(`Cannot find stream ${name}: no such stream is built in`);
  return (await load()).default;
}

function wordsOfBuiltin(name: string): AuthorsWords {
  const added = compiled.find((stream) => stream.name === name);
  return added ? wordsOf(new Map(added.sources.map(({ path, text }) => [path, text]))) : BUILTIN_WORDS;
}

async function wordsOfFile(path: string): Promise<AuthorsWords> {
  try {
    return wordsOf(await streamFiles(realpathSync(path)));
  } catch {
    return wordsOf(new Map()); // loading it tells what is wrong
  }
}

async function importFile(path: string, words: AuthorsWords): Promise<DerivedStream> {
  offerPackage();
  let loaded: { default?: unknown };
  try {
    loaded = await import(Bun.pathToFileURL(realpathSync(path)).href);
  } catch (error) {
    throw new UsageError(`Cannot load stream ${path}: ${describeLoadFault(error, path, words)}`);
  }
  return checkExport(loaded.default, path);
}

function checkExport(value: unknown, path: string): DerivedStream {
  if (isDerivedStream(value)) return value;
  throw new UsageError(
    `Cannot use ${path} as a stream: its default export is not one. Write \`export default defineStream({ … })\` with defineStream from "derive"`,
  );
}

// Build and resolve messages of Bun carry a position; anything else was thrown by the file's own top level. Their texts
// are about the stream's source, never about pings: no message has been read yet.
function describeLoadFault(error: unknown, path: string, words: AuthorsWords): string {
  try {
    return loadFaults(error, path, words);
  } catch {
    return describeThrown(error, words); // what a stream throws may throw when it is looked at
  }
}

function loadFaults(error: unknown, path: string, words: AuthorsWords): string {
  const faults = error instanceof AggregateError ? error.errors : [error];
  return faults
    .map((fault) => {
      const { position, message } = fault as {
        position?: { file?: string; line: number; column: number };
        message?: string;
      };
      const where = position ? `${position.file || path}:${position.line}:${position.column}: ` : "";
      return `${where}${message ?? String(fault)}${position ? "" : placeInStream(fault, words)}`;
    })
    .join("; ");
}

function placeInStream(error: unknown, words: AuthorsWords): string {
  const place = placeOf(error, words);
  return place ? ` (at ${place})` : "";
}
