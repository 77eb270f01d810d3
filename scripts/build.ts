// Builds ./derive: one executable with Bun's runtime, all commands and the built-in streams inside. With the names of
// architectures (`bun scripts/build.ts amd64 arm64`) it builds build/<architecture>/derive for Linux instead, for Dockerfile.lambda.
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assemble, KIT_MODULE, STREAMS_MODULE } from "../src/compile/assemble.ts";
import type { Kit } from "../src/compile/kit.ts";
import { ARCHITECTURES, type Architecture, isArchitecture, isOwn, runtimeFor } from "./runtime.ts";
import { buildTypes } from "./types.ts";
import { buildWebAssembly } from "./webassembly.ts";

const root = join(import.meta.dir, "..");

/**
 * First stage: the program as texts. Its own list of streams and its kit are left open, for `assemble` to fill in. `derive`
 * and `derive/test` are entries too: what streams import must be what the program runs with.
 */
async function makeKit(): Promise<Kit> {
  const result = await Bun.build({
    entrypoints: ["main", "index", "testing"].map((name) => join(root, `src/${name}.ts`)),
    target: "bun",
    format: "esm",
    minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true }, // names: errors are told apart by class
    splitting: true,
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [
      {
        name: "open modules",
        setup(build) {
          build.onResolve({ filter: /\/compile\/kit\.ts$/ }, () => ({ path: KIT_MODULE, external: true }));
          build.onResolve({ filter: /\/compile\/streams\.ts$/ }, () => ({ path: STREAMS_MODULE, external: true }));
        },
      },
    ],
    throw: false,
  });
  if (!result.success) throw new Error(result.logs.map(String).join("\n"));
  const texts = result.outputs.map(async (output) => [output.path.replace(/^\.\//, ""), await output.text()] as const);
  return Object.fromEntries((await Promise.all(texts)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Second stage, for this machine where no architecture is named. */
async function build(kit: Kit, name: string, architecture?: Architecture): Promise<void> {
  const started = performance.now();
  const outfile = join(root, name);
  const runtime = architecture && { executablePath: await runtimeFor(architecture), target: TARGETS[architecture] };
  await mkdir(dirname(outfile), { recursive: true });
  await assemble(kit, [], outfile, runtime);
  const version = architecture === undefined || isOwn(architecture) ? versionOf(outfile) : "(not started here)";
  const megabytes = Bun.file(outfile).size / 1e6;
  const seconds = (performance.now() - started) / 1000;
  console.error(`Built ./${name} ${version} (${megabytes.toFixed(0)} MB) in ${seconds.toFixed(1)} s`);
}

const TARGETS = { amd64: "bun-linux-x64", arm64: "bun-linux-arm64" } as const;

// A binary can be written and still die at start: run it once.
function versionOf(binary: string): string {
  const check = Bun.spawnSync([binary, "--version"], { stderr: "inherit" });
  if (check.exitCode !== 0) {
    console.error(`Cannot use the built binary: ${binary} --version ended with exit code ${check.exitCode}`);
    process.exit(1);
  }
  return check.stdout.toString().trim();
}

buildWebAssembly(); // parts of the program, as texts
buildTypes();
const kit = await makeKit();
const architectures = process.argv.slice(2);
if (architectures.length === 0) await build(kit, "derive");
for (const architecture of architectures) {
  if (!isArchitecture(architecture)) {
    console.error(`Cannot build for ${architecture}: it is none of ${ARCHITECTURES.join(", ")}`);
    process.exit(2);
  }
  await build(kit, `build/${architecture}/derive`, architecture);
}
