// Builds build/derive.d.ts.txt: the types of the packages "derive" and "derive/test" as one file, for editors and for
// `derive check`. Each source file that they lead to becomes an ambient module of its own, so nothing has to be renamed.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";

const root = join(import.meta.dir, "..");
const source = join(root, "src");
const built = join(root, "build/derive.d.ts.txt");

/** Public module to the file that it is made of. */
const MODULES = { derive: "index.ts", "derive/test": "testing.ts" };

/** What a stream may use of the platform: it turns values into values. console is for finding mistakes. */
const GLOBALS = `declare const console: Record<"log" | "error" | "warn" | "info" | "debug" | "table", (...values: unknown[]) => void>;
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array): string;
}
declare class URLSearchParams implements Iterable<[string, string]> {
  constructor(init?: string | Record<string, string>);
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string): boolean;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}
declare class URL {
  constructor(url: string, base?: string);
  static canParse(url: string, base?: string): boolean;
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
  readonly searchParams: URLSearchParams;
}
declare function structuredClone<T>(value: T): T;
declare function atob(text: string): string;
declare function btoa(text: string): string;
`;

function isStale(): boolean {
  if (!existsSync(built)) return true;
  const made = statSync(built).mtimeMs;
  const paths = [...new Bun.Glob("**/*.ts").scanSync({ cwd: source, absolute: true }), import.meta.path];
  return paths.some((path) => statSync(path).mtimeMs > made);
}

/** Builds the types where they are not up to date. Throws where a declaration does not follow from its file alone. */
export function buildTypes(): void {
  if (!isStale()) return;
  // Loaded only where it is needed, and at once: a preload of tests that waits for something loses its time limit.
  const ts: typeof import("typescript") = require("typescript");
  const names = new Map(Object.entries(MODULES).map(([name, file]) => [file, name]));
  const nameOf = (file: string): string => names.get(file) ?? `derive/internal/${file.replace(/\.ts$/, "")}`;
  const modules = new Map<string, string>();
  const pending: string[] = Object.values(MODULES);
  for (let file = pending.shift(); file !== undefined; file = pending.shift()) {
    if (modules.has(file)) continue;
    const from = file;
    const { outputText, diagnostics = [] } = ts.transpileDeclaration(readFileSync(join(source, file), "utf8"), {
      fileName: file,
      reportDiagnostics: true,
      compilerOptions: {
        isolatedDeclarations: true,
        declaration: true,
        target: ts.ScriptTarget.ESNext,
        stripInternal: true,
      },
    });
    const [fault] = diagnostics;
    if (fault)
      throw new Error(`Cannot make types of src/${file}: ${ts.flattenDiagnosticMessageText(fault.messageText, " ")}`);
    const text = outputText
      .replace(/(\bfrom |\bimport\()"(\.[^"]*)"/g, (_all, before: string, path: string) => {
        const target = posix.join(posix.dirname(from), path);
        pending.push(target);
        return `${before}"${nameOf(target)}"`;
      })
      .replace(/^(export )?declare /gm, "$1")
      .replace(/^export \{\};\n/m, "");
    modules.set(file, text);
  }
  const texts = [...modules].map(
    ([file, text]) => `declare module "${nameOf(file)}" {\n${text.trimEnd().replace(/^(?=.)/gm, "  ")}\n}\n`,
  );
  mkdirSync(join(root, "build"), { recursive: true });
  const runner = readFileSync(join(root, "node_modules/bun-types/test.d.ts"), "utf8").replace(
    'typeof import("./vendor/expect-type").expectTypeOf', // of another package, which would have to come along
    "any",
  );
  const title = '// The types of "derive", "derive/test" and "bun:test": written by `derive types`.\n';
  writeFileSync(built, [title, ...texts, GLOBALS, runner].join("\n"));
}

if (import.meta.main) buildTypes();
