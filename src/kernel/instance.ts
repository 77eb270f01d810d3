// One kernel, ready to work: an instance of the WebAssembly with a memory of its own.
import type { ColumnExports } from "./columns.ts";
import { type Allocator, KernelMemory } from "./memory.ts";
import type { RowExports } from "./rows.ts";

/** The most that one kernel may take, in pages of 64 KiB: a mistake ends in an error, not in swapping. */
const MAX_PAGES = 16_384;

/** What the WebAssembly offers; assembly/*.ts says what it does. */
export interface KernelExports extends Allocator, ColumnExports, RowExports {}

export interface Kernel {
  readonly memory: KernelMemory;
  readonly exports: KernelExports;
}

export function createKernel(module: WebAssembly.Module): Kernel {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernel = exports as unknown as KernelExports;
  return { memory: new KernelMemory(memory, kernel), exports: kernel };
}
