// The kernel's WebAssembly as the build left it: in the program, or beside its sources.

let loaded: Promise<WebAssembly.Module | undefined> | undefined;

/** The kernel, compiled once; undefined where there is none: not built, or no WebAssembly with vectors. */
export function kernelModule(): Promise<WebAssembly.Module | undefined> {
  loaded ??= load();
  return loaded;
}

/** For a thread that gets the kernel from another one, and need not compile it. */
export function expectModule(module: Promise<WebAssembly.Module | undefined>): void {
  loaded = module;
}

async function load(): Promise<WebAssembly.Module | undefined> {
  try {
    // Text, so that a program made of texts (`derive compile`) carries it along.
    const { default: base64 } = await import("../../build/kernel.base64.txt", { with: { type: "text" } });
    return new WebAssembly.Module(Uint8Array.fromBase64(base64));
  } catch {
    // Everything works without it, but slower: pipeline/task.ts takes the plain way.
    return undefined;
  }
}
