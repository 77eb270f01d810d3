// Builds ./derive: one executable with Bun's runtime, all commands and the built-in streams inside.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { buildKernel } from "./kernel.ts";

const root = join(import.meta.dir, "..");
const outfile = join(root, "derive");

const started = performance.now();
await rm(outfile, { force: true });
buildKernel(); // part of the program, as text
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

// A binary can be written and still die at start: run it once.
const check = Bun.spawnSync([outfile, "--version"], { stderr: "inherit" });
if (check.exitCode !== 0) {
  console.error(`Cannot use the built binary: ${outfile} --version ended with exit code ${check.exitCode}`);
  process.exit(1);
}
const megabytes = Bun.file(outfile).size / 1e6;
console.error(
  `Built ./derive ${check.stdout.toString().trim()} (${megabytes.toFixed(0)} MB) in ${((performance.now() - started) / 1000).toFixed(1)} s`,
);
