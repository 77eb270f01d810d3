// What a stream threw, told in words that are ours or its author's: an error's text, name, class and stack may all hold what
// the stream was given (P12).

import { basename } from "node:path";
import { FormatError, ValueError } from "../errors.ts";
import { className } from "../thrown.ts";

/** What of a stream may be told: its files, whose words its author wrote before any ping came. */
export interface AuthorsWords {
  has(word: string): boolean;
  isFile(path: string): boolean;
}

/** The words of a stream's files, by absolute path. */
export function wordsOf(files: ReadonlyMap<string, string>): AuthorsWords {
  const texts = [...files.values()];
  return { has: (word) => texts.some((text) => text.includes(word)), isFile: (path) => files.has(path) };
}

/** The words of a stream that is built in: it makes up no paths. Its files are there when the program runs from source. */
export const BUILTIN_WORDS: AuthorsWords = {
  has: (word) => /^[\w.]*$/.test(word),
  isFile: (path) => path.startsWith(STREAMS),
};
const STREAMS = new URL("../../streams/", import.meta.url).pathname;

/** The cause under which a message that failed is counted. Never throws, whatever was thrown. */
export function causeOf(error: unknown, words: AuthorsWords): string {
  try {
    if (error instanceof ValueError) return `${pathInWords(error.path, words)} ${error.state}`;
    if (error instanceof FormatError) return error.message;
  } catch {
    // A proxy, with a trap that throws: described below.
  }
  return describeThrown(error, words);
}

/** The path that an error is about, in words that may be told; undefined where it is about none. Never throws. */
export function faultyPath(error: unknown, words: AuthorsWords): string | undefined {
  try {
    return error instanceof ValueError ? pathInWords(error.path, words) : undefined;
  } catch {
    return undefined;
  }
}

/** What stands for a record's own path. */
const RECORD = "record";

/**
 * A path with `*` for each key that stands in none of the author's files: a stream may have read it from a ping, as in
 * `message.double(["payload", "keyedHistograms", key, "sum"])`.
 */
function pathInWords(path: string, words: AuthorsWords): string {
  const known = (key: string) => key === "" || key === "*" || key === RECORD || words.has(key);
  return path
    .split(".")
    .map((key) => {
      const [, name = "", items = ""] = /^(.*?)((?:\[\])*)$/s.exec(key) ?? [];
      return known(name) ? key : `*${items}`;
    })
    .join(".");
}

/** What was thrown, by class and place in the stream's files: "TypeError at MyStream.ts:12". Never throws. */
export function describeThrown(error: unknown, words: AuthorsWords): string {
  try {
    const place = placeOf(error, words);
    const name = classInWords(error, words);
    return place ? `${name} at ${place}` : name;
  } catch {
    return "an error that cannot be read";
  }
}

// A class may be named after a value, too.
function classInWords(error: unknown, words: AuthorsWords): string {
  const name: unknown = error instanceof Error ? Object.getPrototypeOf(error)?.constructor?.name : undefined;
  const isAuthors = typeof name === "string" && /^[A-Za-z_$][\w$]{0,60}$/.test(name) && words.has(`class ${name}`);
  return isAuthors ? name : className(error);
}

// The innermost frame in a file of the stream. Lines of the error's own text may look like frames: they name no such file.
export function placeOf(error: unknown, words: AuthorsWords): string | undefined {
  const stack = error instanceof Error ? error.stack : undefined;
  if (typeof stack !== "string") return undefined;
  for (const line of stack.split("\n")) {
    const [, path = "", number] =
      /(?:\(|at |@)(?:file:\/\/)?(\/[^()]*?\.[cm]?[jt]sx?):(\d{1,7}):\d+\)?$/.exec(line.trim()) ?? [];
    if (words.isFile(path)) return `${basename(path)}:${number}`;
  }
  return undefined;
}
