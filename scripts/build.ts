// Builds ./derive: one executable with Bun's runtime, all commands and the built-in streams inside. With the names of
// architectures (`bun scripts/build.ts amd64 arm64`) it builds build/<architecture>/derive for Linux instead, for Dockerfile.lambda.
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildKernel } from "./kernel.ts";
import { ARCHITECTURES, type Architecture, isArchitecture, isOwn, runtimeFor } from "./runtime.ts";

const root = join(import.meta.dir, "..");

/** Builds for this machine where no architecture is named. Ends the program where it cannot. */
async function build(name: string, architecture?: Architecture): Promise<void> {
  const started = performance.now();
  const outfile = join(root, name);
  await rm(outfile, { force: true });
  const result = await Bun.build({
    entrypoints: [join(root, "src/main.ts")],
    target: "bun",
    format: "esm", // bytecode defaults to cjs, which dies at start on top-level await
    minify: { whitespace: true, syntax: true, identifiers: true, keepNames: true }, // names: errors are told apart by class
    bytecode: true,
    splitting: true, // with lazy imports: a command loads only what it runs
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile,
      ...(architecture && { executablePath: await runtimeFor(architecture), target: TARGETS[architecture] }),
      // The working directory is data: nothing in it may configure or run code in the program (P13).
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: true,
    },
    throw: false,
  });
  if (!result.success) {
    for (const log of result.logs) console.error(String(log));
    process.exit(1);
  }
  await chmod(outfile, 0o755); // in an image it is run by users that are not its owner, whatever the umask here
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

buildKernel(); // part of the program, as text
const architectures = process.argv.slice(2);
if (architectures.length === 0) await build("derive");
for (const architecture of architectures) {
  if (!isArchitecture(architecture)) {
    console.error(`Cannot build for ${architecture}: it is none of ${ARCHITECTURES.join(", ")}`);
    process.exit(2);
  }
  await build(`build/${architecture}/derive`, architecture);
}
