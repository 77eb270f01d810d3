// The files a stream is made of: its entry and what that imports by relative paths. Imports that only bring types are left
// out: they cannot change a row.

import { readFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { UsageError } from "../errors.ts";

const LOADERS: Record<string, "ts" | "tsx" | "js" | "jsx"> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".jsx": "jsx",
};

/**
 * Absolute path to text, the entry first.
 * @throws {UsageError} when a file is missing.
 */
export async function streamFiles(entry: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const pending = [resolve(entry)];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (texts.has(path)) continue;
    const text = readSource(path);
    texts.set(path, text);
    for (const specifier of relativeImports(path, text)) pending.push(resolveImport(specifier, path));
  }
  return texts;
}

function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`Cannot read stream file ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function relativeImports(path: string, text: string): string[] {
  const loader = LOADERS[extname(path)];
  if (loader === undefined) return [];
  try {
    const imports = new Bun.Transpiler({ loader }).scanImports(text);
    return imports.map((one) => one.path).filter((specifier) => /^\.\.?(\/|$)/.test(specifier));
  } catch {
    return []; // a syntax error, which loading the stream reports with its line
  }
}

function resolveImport(specifier: string, from: string): string {
  try {
    return Bun.resolveSync(specifier, dirname(from));
  } catch {
    throw new UsageError(`Cannot find ${JSON.stringify(specifier)}, which ${from} imports: there is no such file`);
  }
}
