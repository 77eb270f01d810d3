// node:zlib takes 4 ms to load, so it is loaded where something is compressed.

export function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}
