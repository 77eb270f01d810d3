// One kernel, ready to work: an instance of the WebAssembly with a memory of its own.
import type { ColumnExports } from "./columns.ts";
import { type Allocator, KernelMemory } from "./memory.ts";
import { kernelModule } from "./module.ts";
import type { RowExports } from "./rows.ts";

/** Untouched pages cost nothing, growing costs a third of a millisecond, and each column of a row group would make it grow. */
const FIRST_PAGES = 2048;

/** The most that one kernel may take, in pages of 64 KiB: a mistake ends in an error, not in swapping. */
const MAX_PAGES = 16_384;

/** What the WebAssembly offers; assembly/*.ts says what it does. */
export interface KernelExports extends Allocator, ColumnExports, RowExports {
  initSnappy(): void;
  readBatch(reading: number, at: number, limit: number, isLast: number): void;
  readAgain(reading: number): void;
}

export interface Kernel {
  readonly memory: KernelMemory;
  readonly exports: KernelExports;
}

let shared: Promise<Kernel | undefined> | undefined;

/** The thread's kernel, as its memory is worth keeping; undefined where there is none. Used by one task at a time. */
export function sharedKernel(): Promise<Kernel | undefined> {
  shared ??= kernelModule().then((module) => module && createKernel(module));
  return shared;
}

/** The thread begins again with another kernel, if it still has some use for one. */
export function dropKernel(): void {
  shared = undefined;
}

export function createKernel(module: WebAssembly.Module): Kernel {
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MAX_PAGES });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernel = exports as unknown as KernelExports;
  kernel.initSnappy();
  return { memory: new KernelMemory(memory, kernel), exports: kernel };
}
