// The files that stream authors name for `derive check` and `derive test`: streams and the tests beside them.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { resolveStream } from "../jobs/streams.ts";

const TEST = /\.test\.[cm]?tsx?$/;

/** Absolute paths of the streams that words name, or of all below ./streams. Throws UsageError where there is none. */
export function authorsStreams(words: readonly string[], does: string): string[] {
  if (words.length > 0) return words.map((word) => pathOf(word, does));
  const folder = resolve("streams");
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const paths = names.filter((name) => /\.ts$/.test(name) && !TEST.test(name)).sort();
  if (paths.length === 0) {
    throw new UsageError(
      `Cannot ${does}: there are no streams in ${folder}. Name one, or begin with \`derive new MyStream\``,
    );
  }
  return paths.map((name) => join(folder, name));
}

function pathOf(word: string, does: string): string {
  const ref = resolveStream(word);
  if ("path" in ref) return ref.path;
  throw new UsageError(`Cannot ${does} ${word}: it is built in, and has no file here. Name a path ending in .ts`);
}

export function isTest(path: string): boolean {
  return TEST.test(path);
}

/** The tests of a stream: files beside it, or in a folder `test` there, that are called like it. A test is its own. */
export function testsOf(path: string): string[] {
  if (isTest(path)) return [path];
  const stem = path.replace(/\.[cm]?tsx?$/, "");
  const beside = [`${stem}.test.ts`, join(dirname(path), "test", `${stem.slice(dirname(path).length + 1)}.test.ts`)];
  return beside.filter((candidate) => existsSync(candidate));
}
