// CRC-32C and CRC-64/NVME of bytes, by WebAssembly with vectors (assembly/crc.ts): the SDK's JavaScript takes some twenty times
// as long, and CRC-64/NVME is what S3 gives every object that brings no other.

interface Exports {
  readonly input: WebAssembly.Global;
  readonly inputBytes: WebAssembly.Global;
  initTables(): void;
  crc32c(before: bigint, length: number): bigint;
  crc64nvme(before: bigint, length: number): bigint;
}

interface Crcs {
  readonly exports: Exports;
  /** Where bytes are put for it. */
  readonly input: Uint8Array;
}

const BYTES = { CRC32C: 4, CRC64NVME: 8 } as const;
const FUNCTIONS = { CRC32C: "crc32c", CRC64NVME: "crc64nvme" } as const;

let loaded: Promise<Crcs | undefined> | undefined;

/** A CRC of bytes that come in pieces, undefined where there is no WebAssembly with vectors. */
export async function crcSum(name: keyof typeof BYTES) {
  loaded ??= load();
  const crcs = await loaded;
  if (crcs === undefined) return undefined;
  const { exports, input } = crcs;
  let crc = 0n;
  return {
    update(chunk: Uint8Array): void {
      for (let at = 0; at < chunk.length; at += input.length) {
        const piece = chunk.subarray(at, at + input.length);
        input.set(piece);
        crc = exports[FUNCTIONS[name]](crc, piece.length);
      }
    },
    /** The highest byte first, as S3 writes it. */
    digest(): Uint8Array {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(crc);
      return bytes.subarray(8 - BYTES[name]);
    },
  };
}

/** Once for each thread: nothing is left in its memory from one call to the next, so all sums share it. */
async function load(): Promise<Crcs | undefined> {
  try {
    const { default: base64 } = await import("../../build/crc.base64.txt", { with: { type: "text" } });
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    const module = new WebAssembly.Module(Uint8Array.fromBase64(base64));
    const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
    exports.initTables();
    return { exports, input: new Uint8Array(memory.buffer, exports.input.value, exports.inputBytes.value) };
  } catch {
    return undefined;
  }
}

/** Of 64 KiB. */
const PAGES = 5;
