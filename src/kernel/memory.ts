// The kernel's memory as seen from here: views that survive its growing, and blocks in it.
import { InternalError } from "../errors.ts";

/** What the kernel's own memory.ts offers. */
export interface Allocator {
  allocate(bytes: number): number;
  release(block: number, bytes: number): void;
}

/** Blocks and views of one kernel. */
export class KernelMemory {
  #buffer: ArrayBuffer | undefined;
  #bytes = Buffer.alloc(0);
  #words = new Uint32Array(0);
  #view = new DataView(new ArrayBuffer(0));

  constructor(
    readonly memory: WebAssembly.Memory,
    private readonly allocator: Allocator,
  ) {}

  /** All of it. Views are good until the kernel runs or allocates: both may make it grow. */
  get bytes(): Buffer {
    this.#refresh();
    return this.#bytes;
  }

  /** All of it as 32-bit words. */
  get words(): Uint32Array {
    this.#refresh();
    return this.#words;
  }

  get view(): DataView {
    this.#refresh();
    return this.#view;
  }

  /** The place of a block of `bytes` bytes, not cleared, at a multiple of 64. */
  allocate(bytes: number): number {
    const block = this.allocator.allocate(bytes) >>> 0;
    if (block === 0) throw new InternalError(`Cannot get ${bytes} bytes of memory for the kernel`);
    return block;
  }

  /** Gives a block back; `bytes` as it was asked for. */
  release(block: number, bytes: number): void {
    this.allocator.release(block, bytes);
  }

  #refresh(): void {
    const { buffer } = this.memory;
    if (buffer === this.#buffer) return;
    this.#buffer = buffer as ArrayBuffer;
    this.#bytes = Buffer.from(buffer);
    this.#words = new Uint32Array(buffer);
    this.#view = new DataView(buffer);
  }
}
