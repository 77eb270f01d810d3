// The kernel: all of the hot path that runs as WebAssembly, in AssemblyScript. Its driver is src/kernel/*.ts.

export {
  appendRows,
  bytesOf,
  finish,
  freeColumn,
  growthOfRows,
  newColumn,
  putBoolean,
  putDouble,
  putInt,
  putLong,
  putNull,
  putText,
  reset,
  rowsWithin,
} from "./columns";
export { readAgain, readBatch } from "./frames";
export { allocate, release } from "./memory";
export { initSnappy } from "./snappy";
