// Builds the kernel (src/kernel/assembly, AssemblyScript) into build/kernel.base64.txt: WebAssembly as text, because the
// program is bundled from texts. By scripts/build.ts, and by test/setup.ts for tests that run from source.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const folder = join(root, "build");
const built = join(folder, "kernel.base64.txt");
const assembly = join(root, "src/kernel/assembly");

/** The compiler's options: no runtime (nothing is collected), the memory is the driver's, vectors and bulk copies. */
const OPTIONS = [
  ..."--runtime stub --importMemory --noExportMemory --enable simd --enable bulk-memory".split(" "),
  ..."-O3 --converge --noAssert".split(" "),
];

/** Whether the built kernel is missing or older than a source of it. */
function isStale(): boolean {
  if (!existsSync(built)) return true;
  const sources = [...new Bun.Glob("*.ts").scanSync({ cwd: assembly, absolute: true }), import.meta.path];
  return sources.some((path) => statSync(path).mtimeMs > statSync(built).mtimeMs);
}

/** Builds the kernel where it is not up to date. Throws with the compiler's words if it cannot be. */
export function buildKernel(): void {
  if (!isStale()) return;
  mkdirSync(folder, { recursive: true });
  const wasm = join(folder, `kernel-${process.pid}.wasm`);
  // By its own file and with this Bun: node_modules/.bin/asc asks for node, which a machine with only Bun does not have.
  const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
  const command = [process.execPath, compiler, join(assembly, "index.ts"), "-o", wasm, ...OPTIONS];
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd: root, stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`Cannot build the kernel: asc ended with exit code ${exitCode}\n${stderr}`);
  writeFileSync(built, readFileSync(wasm).toBase64());
  Bun.file(wasm).delete();
}

if (import.meta.main) buildKernel();
