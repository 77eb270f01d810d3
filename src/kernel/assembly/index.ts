// The kernel: all of the hot path that runs as WebAssembly, in AssemblyScript. Its driver is src/kernel/*.ts.

export { allocate, release } from "./memory";
