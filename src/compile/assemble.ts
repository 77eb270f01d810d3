// From the program's kit and some streams to an executable: the second stage of the build, and all of `derive compile`.
import { chmod, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, posix, relative, resolve, sep } from "node:path";
import { OutputError, UsageError } from "../errors.ts";
import type { Kit } from "./kit.ts";

/** What stands in the kit for the two modules that differ from program to program. */
export const KIT_MODULE = "derive:kit";
export const STREAMS_MODULE = "derive:streams";

/** A stream to build in: its absolute path, and all its files by absolute path, itself first. */
export interface StreamToCompile {
  readonly path: string;
  readonly files: ReadonlyMap<string, string>;
}

/** Another runtime than the one that is running, for another machine. */
export interface Runtime {
  readonly executablePath?: string;
  readonly target?: Bun.Build.CompileTarget;
}

// Streams lie in folders that are there on no disk, so that the bytes do not tell where they were compiled.
const PROGRAM = "/derive-program/";
const STREAMS = "/derive-streams/";

/**
 * Writes an executable that has these streams built in. The bytes depend on the kit and the streams alone.
 * @throws {UsageError} where a stream cannot be bundled, with the file's own line. {OutputError} where it cannot be written.
 */
export async function assemble(
  kit: Kit,
  streams: readonly StreamToCompile[],
  outfile: string,
  runtime: Runtime = {},
): Promise<void> {
  const placed = streams.map(place);
  const target = resolve(outfile);
  const folder = await temporaryFolder(dirname(target));
  // The name of the file would go into the bytes.
  const made = join(folder, "derive");
  const cwd = process.cwd();
  try {
    process.chdir("/"); // the paths of chunks depend on it, whatever `root` says
    const result = await Bun.build({
      entrypoints: [`${PROGRAM}main.js`],
      root: "/",
      files: Object.fromEntries([
        ...Object.entries(kit).map(([name, text]) => [PROGRAM + name, text]),
        ...placed.flatMap(({ files }) => [...files]),
      ]),
      target: "bun",
      format: "esm", // bytecode defaults to cjs, which dies at start on top-level await
      minify: { whitespace: true }, // the kit is minified already; what streams call their errors is told
      bytecode: true,
      splitting: true, // with lazy imports: a command loads only what it runs
      sourcemap: "none",
      define: { "process.env.NODE_ENV": '"production"' },
      compile: {
        outfile: made,
        ...runtime,
        // The working directory is data: nothing in it may configure or run code in the program (P13).
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: true,
      },
      plugins: [modules(kit, placed)],
      throw: false,
    });
    if (!result.success) throw new UsageError(`Cannot compile: ${result.logs.map(String).join("; ")}`);
    await chmod(made, 0o755); // in an image it is run by users that are not its owner, whatever the umask here
    await rename(made, target);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new OutputError(`Cannot write ${outfile}: ${describe(error)}. Choose another place`);
  } finally {
    process.chdir(cwd);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Beside the output, so that it can be moved there at one instant. */
async function temporaryFolder(folder: string): Promise<string> {
  try {
    return await mkdtemp(join(folder, ".derive-compile-"));
  } catch (error) {
    throw new OutputError(`Cannot write into ${folder}: ${describe(error)}. Choose another place`);
  }
}

function describe(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
}

interface Placed {
  readonly name: string;
  /** Where its entry lies for the bundler. */
  readonly entry: string;
  /** The folder above all of its files, on the disk and for the bundler. */
  readonly above: string;
  readonly root: string;
  /** All files, by where they lie for the bundler. */
  readonly files: ReadonlyMap<string, string>;
  readonly sources: readonly { readonly path: string; readonly text: string }[];
}

function place({ path, files }: StreamToCompile, index: number): Placed {
  const above = folderAbove([...files.keys()]);
  const root = `${STREAMS}${index}/`;
  const placeOf = (file: string): string => root + slashed(relative(above, file));
  return {
    name: basename(path).replace(/\.[cm]?[jt]s$/, ""),
    entry: placeOf(path),
    above,
    root,
    files: new Map([...files].map(([file, text]) => [placeOf(file), text])),
    sources: [...files].map(([file, text]) => ({ path: slashed(relative(dirname(path), file)), text })),
  };
}

function slashed(path: string): string {
  return path.replaceAll(sep, "/");
}

function folderAbove(files: readonly string[]): string {
  let above = dirname(files[0]!);
  while (!files.every((file) => !relative(above, file).startsWith(".."))) above = dirname(above);
  return above;
}

/** The modules that are in no file: the kit itself, the list of streams, and what streams import. */
function modules(kit: Kit, placed: readonly Placed[]): Bun.BunPlugin {
  const list = placed.map(
    ({ name, sources, entry }) =>
      `{ name: ${JSON.stringify(name)}, sources: ${JSON.stringify(sources)}, load: () => import(${JSON.stringify(entry)}) }`,
  );
  const texts: Record<string, string> = {
    [KIT_MODULE]: `export const kit = JSON.parse(${JSON.stringify(JSON.stringify(kit))});`,
    [STREAMS_MODULE]: `export const compiled = [${list.join(", ")}];`,
  };
  return {
    name: "derive",
    setup(build) {
      build.onResolve({ filter: /^derive:/ }, ({ path }) => ({ path, namespace: "derive" }));
      build.onLoad({ filter: /.*/, namespace: "derive" }, ({ path }) => ({ contents: texts[path]!, loader: "js" }));
      // Streams get the program's own "derive", as they do when they run from a path.
      build.onResolve({ filter: /^derive(\/test)?$/ }, ({ path }) => ({
        path: `${PROGRAM}${path === "derive" ? "index" : "testing"}.js`,
      }));
      // What else streams import is looked for where they lie on the disk.
      build.onResolve({ filter: /^(?!bun$|bun:|node:|derive|\/)/ }, ({ path, importer }) => {
        const stream = placed.find(({ root }) => importer.startsWith(root));
        // A hook that looked at a path keeps the bundler from looking among the files that are on no disk.
        if (stream === undefined)
          return path.startsWith(".") ? { path: posix.resolve(importer, "..", path) } : undefined;
        const file = Bun.resolveSync(path, join(stream.above, posix.dirname(importer.slice(stream.root.length))));
        const virtual = stream.root + slashed(relative(stream.above, file));
        return { path: stream.files.has(virtual) ? virtual : file };
      });
    },
  };
}
