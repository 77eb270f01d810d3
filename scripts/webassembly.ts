// Builds the kernel (src/kernel/assembly, AssemblyScript) and the CRCs of S3 (src/storage/assembly) into build/*.base64.txt:
// WebAssembly as text, because the program is bundled from texts. By scripts/build.ts, and by test/setup.ts for tests that run
// from source.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const folder = join(root, "build");

/** By the names of what is built: the sources, and the one that says what is offered. */
const MODULES = {
  kernel: { assembly: join(root, "src/kernel/assembly"), entry: "index.ts" },
  crc: { assembly: join(root, "src/storage/assembly"), entry: "crc.ts" },
} as const;

type Name = keyof typeof MODULES;

/** The compiler's options: no runtime (nothing is collected), the memory is the driver's, vectors and bulk copies. */
const OPTIONS = [
  ..."--runtime stub --importMemory --noExportMemory --enable simd --enable bulk-memory".split(" "),
  ..."-O3 --converge --noAssert".split(" "),
];

const builtOf = (name: Name): string => join(folder, `${name}.base64.txt`);

/** Whether what is built is missing or older than a source of it. */
function isStale(name: Name): boolean {
  const built = builtOf(name);
  if (!existsSync(built)) return true;
  const sources = [...new Bun.Glob("*.ts").scanSync({ cwd: MODULES[name].assembly, absolute: true }), import.meta.path];
  return sources.some((path) => statSync(path).mtimeMs > statSync(built).mtimeMs);
}

function build(name: Name): void {
  mkdirSync(folder, { recursive: true });
  const wasm = join(folder, `${name}-${process.pid}.wasm`);
  // By its own file and with this Bun: node_modules/.bin/asc asks for node, which a machine with only Bun does not have.
  const compiler = join(root, "node_modules/assemblyscript/bin/asc.js");
  const { assembly, entry } = MODULES[name];
  const command = [process.execPath, compiler, join(assembly, entry), "-o", wasm, ...OPTIONS];
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd: root, stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`Cannot build the ${name}: asc ended with exit code ${exitCode}\n${stderr}`);
  writeFileSync(builtOf(name), readFileSync(wasm).toBase64());
  Bun.file(wasm).delete();
}

/** Builds what is not up to date. Throws with the compiler's words if it cannot be. */
export function buildWebAssembly(): void {
  for (const name of ["kernel", "crc"] as const) if (isStale(name)) build(name);
}

if (import.meta.main) buildWebAssembly();
