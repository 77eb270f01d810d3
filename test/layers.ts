// The rules of architecture.md's "Direction of dependencies" as plain data, and the reader of imports that checks them.
// layers.test.ts runs it over src/ and streams/, and over small wrong programs to show that it catches them.
import { posix } from "node:path";

/** One source text, its path relative to the repository, "/" separated. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import, `type` imports and `import("…")` included; `line` counts from 1. */
export interface Import {
  readonly specifier: string;
  /** Whether it is gone at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

interface Layer {
  /** Layers it may import from, besides itself and errors (src/errors.ts and the texts of suggestions). */
  readonly below: readonly string[];
  /** npm packages it may import, subpaths included. */
  readonly packages?: readonly string[];
  /** Bytes in, bytes or values out: no I/O, no environment, no logging. */
  readonly pure?: boolean;
}

/**
 * From the top down. "author" is what stream authors see (src/stream.ts, src/columns/…, src/index.ts, src/testing.ts):
 * the package "derive", below jobs and pipeline because they run what authors define.
 */
export const LAYERS: Readonly<Record<string, Layer>> = {
  main: { below: ["cli", "lambda", "jobs", "pipeline", "place", "version"] },
  cli: {
    below: [
      "lambda",
      "jobs",
      "pipeline",
      "compile",
      "author",
      "avro",
      "parquet",
      "survey",
      "heka",
      "storage",
      "place",
      "ports",
      "version",
    ],
    packages: ["citty", "consola"],
  },
  lambda: { below: ["jobs", "pipeline", "author", "storage", "place", "ports", "version"] },
  jobs: {
    below: [
      "pipeline",
      "compile",
      "author",
      "streams",
      "avro",
      "parquet",
      "heka",
      "storage",
      "place",
      "ports",
      "version",
    ],
  },
  // What is in raw messages, for people who do not know yet.
  survey: { below: ["heka"], pure: true },
  // The program's own texts, and what makes programs of them.
  compile: { below: ["author"] },
  // It opens places by their URL and never names a kind of storage.
  pipeline: {
    below: ["kernel", "compile", "author", "streams", "avro", "parquet", "heka", "ports", "place", "version"],
  },
  // All but src/*/assembly, which another compiler turns into WebAssembly.
  kernel: { below: ["author", "avro", "parquet", "heka"], pure: true },
  author: { below: ["avro", "heka"], pure: true },
  avro: { below: ["parquet"], packages: ["avsc"], pure: true },
  parquet: { below: [], packages: ["hyparquet", "hyparquet-writer", "hysnappy"], pure: true },
  heka: { below: [], packages: ["hysnappy"], pure: true },
  storage: { below: ["place", "ports"], packages: ["@aws-sdk", "@smithy/core", "@smithy/signature-v4"] },
  place: { below: ["storage", "ports"] },
  ports: { below: [] },
  streams: { below: [], packages: ["derive"], pure: true },
  version: { below: [] },
  errors: { below: [], pure: true },
};

/** Node's modules that only turn bytes or values into others, and so may be used anywhere. */
const PURE_MODULES = new Set(["node:assert", "node:buffer", "node:stream", "node:util", "node:zlib"]);

const IMPURE_CODE =
  /\bconsole\s*\.|\bprocess\s*\.\s*(env|argv|stdout|stderr|stdin|exit|exitCode|cwd|on)\b|\bBun\s*\.\s*(file|write|env|argv|spawn|spawnSync|stdin|stdout|stderr|connect|listen|serve|sleep|main|\$)\b|(?<![.\w])fetch\s*\(/;
const EXIT_CODE = /\bprocess\s*\.\s*(exit\s*\(|exitCode\b)/;

/** The layer of a file: its folder below src/, with the files directly in src/ sorted by hand. */
export function layerOf(path: string): string | undefined {
  const [top, folder, file] = path.split("/");
  if (top === "streams") return "streams";
  if (path === "package.json") return "version";
  if (path === "build/kernel.base64.txt") return "kernel";
  if (path === "build/crc.base64.txt") return "storage";
  if (path === "build/derive.d.ts.txt") return "cli";
  if (top !== "src" || folder === undefined) return undefined;
  if (path === "src/storage/ports.ts" || path === "src/storage/keys.ts") return "ports";
  if (path === "src/storage/place.ts") return "place";
  if (file !== undefined && folder !== "columns") return folder;
  const name = folder.replace(/\.ts$/, "");
  if (["main", "version"].includes(name)) return name;
  if (["errors", "nearest", "thrown", "told"].includes(name)) return "errors";
  if (["stream", "stream-check", "filtered", "columns", "infer", "index", "testing"].includes(name)) return "author";
  return undefined;
}

/** What is imported but no source. */
const BUILT = new Set(["package.json", "build/kernel.base64.txt", "build/crc.base64.txt", "build/derive.d.ts.txt"]);

const STATIC = /^[ \t]*(?:import\s*|(?:import|export)\b(?:[\s\w$*{},]|\/\/[^\n]*\n)*?\bfrom\s*)["']([^"'\n]+)["']/gm;
const DYNAMIC = /\bimport\s*\(\s*["'`]([^"'`\n]+)["'`]/g;

/** Every import of a TypeScript text, in the order of lines. Those in comments do not count. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const pattern of [STATIC, DYNAMIC]) {
    for (const match of text.matchAll(pattern)) {
      const before = text.slice(text.lastIndexOf("\n", match.index) + 1, match.index);
      if (/\/\/|^\s*\*|\/\*/.test(before)) continue;
      const words = match[0].length - match[0].trimStart().length;
      const typeOnly = /^\s*(import|export)\s+type\b/.test(match[0]);
      found.push({ specifier: match[1]!, typeOnly, line: text.slice(0, match.index + words).split("\n").length });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

/** All breaches of the rules among `files`, each as "path:line: what is wrong", and import cycles as "cycle: a -> b -> a". */
export function checkLayers(files: readonly SourceFile[]): string[] {
  const breaches: string[] = [];
  const edges = new Map<string, string[]>();
  const known = new Set(files.map((file) => file.path));
  for (const { path, text } of files) {
    const name = layerOf(path);
    const layer = name === undefined ? undefined : LAYERS[name];
    if (name === undefined || layer === undefined) {
      breaches.push(`${path}:1: belongs to no layer; name it in test/layers.ts`);
      continue;
    }
    for (const { specifier, line, typeOnly } of importsOf(text)) {
      const breach = (what: string) => breaches.push(`${path}:${line}: ${what}`);
      if (!specifier.startsWith(".")) {
        const why = checkPackage(specifier, name, layer);
        if (why !== undefined) breach(why);
        continue;
      }
      const target = posix.join(posix.dirname(path), specifier);
      if (!typeOnly) edges.set(path, [...(edges.get(path) ?? []), target]);
      const to = layerOf(target);
      if (to === undefined) breach(`imports ${target}, which belongs to no layer`);
      else if (to !== name && to !== "errors" && !layer.below.includes(to)) breach(`${name} imports ${to} (${target})`);
      else if (!BUILT.has(target) && !target.endsWith(".txt") && !known.has(target))
        breach(`imports ${target}, which is not there`);
    }
    text.split("\n").forEach((code, index) => {
      if (/^\s*(\/\/|\*|\/\*)/.test(code)) return;
      const breach = (what: string) => breaches.push(`${path}:${index + 1}: ${what}`);
      if (layer.pure && IMPURE_CODE.test(code)) breach(`${name} does I/O, reads the environment or logs`);
      if (name !== "main" && name !== "cli" && EXIT_CODE.test(code)) breach(`${name} sets an exit code; only cli may`);
    });
  }
  return [...breaches, ...cycles(edges)];
}

function checkPackage(specifier: string, name: string, layer: Layer): string | undefined {
  if (specifier.startsWith("node:") || specifier === "bun") {
    if (!layer.pure || PURE_MODULES.has(specifier.replace(/^(node:\w+)\/.*/, "$1"))) return undefined;
    return `${name} imports ${specifier}, but does no I/O`;
  }
  const owned = layer.packages?.some((one) => specifier === one || specifier.startsWith(one + "/"));
  return owned ? undefined : `${name} imports the package ${specifier}`;
}

/** One line for each cycle of run-time imports met on a walk in depth. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string) => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push("cycle: " + [...trail.slice(at), path].join(" -> "));
    if (at >= 0 || done.has(path)) return;
    trail.push(path);
    for (const next of edges.get(path) ?? []) visit(next);
    trail.pop();
    done.add(path);
  };
  for (const path of edges.keys()) visit(path);
  return found;
}
