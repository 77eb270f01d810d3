// Objects made to hurt: each has five sound frames before and after what is hostile, and says what is to be made of it.
import { gzipSync, zstdCompressSync } from "node:zlib";
import { compressSnappy, encodeFrame, encodeMessage, type FieldInit, type MessageInit } from "../../src/heka/writer.ts";

export interface Hostile {
  /** Made when it is needed: some are large. */
  readonly bytes: () => Uint8Array;
  /** Of `derive cat --count --json`, where it is other than ten sound frames. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Causes under which records of the test's stream fail. */
  readonly failures?: Readonly<Record<string, number>>;
  /** Seconds rather than a moment: for npm run fuzz. */
  readonly slow?: true;
}

const MiB = 1 << 20;

/** A message whose id the test's stream wants, with a ping that has a.b. */
export function message(id: string, init: MessageInit = {}): Uint8Array {
  const fields: FieldInit[] = [{ name: "id", type: "string", values: [id] }, ...(init.fields ?? [])];
  return encodeMessage({ uuid: new Uint8Array(16), timestamp: 1n, payload: '{"a":{"b":1}}', ...init, fields });
}

const sound = (from: number): Buffer =>
  Buffer.concat(Array.from({ length: 5 }, (_, i) => encodeFrame(message(`sound${from + i}`))));
const between = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat([sound(0), ...parts, sound(5)]));

export function varint(value: number | bigint, width = 1): number[] {
  const digits: number[] = [];
  for (let rest = BigInt(value); rest > 0n || digits.length < width; rest >>= 7n)
    digits.push(Number(rest & 0x7fn) | 0x80);
  digits[digits.length - 1]! &= 0x7f;
  return digits;
}

/** A header that claims so many bytes. */
export function header(length: number | bigint, width = 1): Uint8Array {
  const digits = varint(length, width);
  return Uint8Array.from([0x1e, digits.length + 1, 0x08, ...digits, 0x1f]);
}

const claiming = (length: number | bigint): Hostile => ({
  bytes: () => between(header(length)),
  counts: { bytesDamaged: header(length).length },
});

/** Header within header, all of which claim to end at the same place, behind a byte that is none. */
function nested(size: number, tail: number, content: Uint8Array): Uint8Array {
  const step = 8 + content.length;
  const out = new Uint8Array(2 + Math.floor(size / step) * step);
  out.set([0x1e, 0x78]);
  for (let at = 2; at < out.length; at += step) {
    out.set(header(out.length - at - 8 + tail, 4), at);
    out.set(content, at + 8);
  }
  return out;
}

/** The same, each of which is a Snappy block that is whole, grows to many times its size, and holds no message. */
function nestedBlocks(size: number, copies: number): Uint8Array {
  const blocks = Math.floor(size / 20) * 20;
  const out = new Uint8Array(2 + blocks + copies * 3);
  out.set([0x1e, 0x78]);
  for (let at = 2; at + 20 <= 2 + blocks; at += 20) {
    const literal = 2 + blocks - (at + 16);
    out.set(header(out.length - at - 8, 4), at);
    out.set(varint(literal + copies * 64, 4), at + 8);
    out.set([0xf8, literal - 1, (literal - 1) >> 8, (literal - 1) >> 16, 0x0a, 0x02, 0x61, 0x61], at + 12);
  }
  for (let i = 0; i < copies; i++) out.set([0xfe, 1, 0], 2 + blocks + i * 3);
  return out;
}

const block = (init: MessageInit): Uint8Array => encodeFrame(compressSnappy(message("block", init)));
const decoded = (count: number): Record<string, number> => ({ frames: count, decoded: count });
const undecodable: Record<string, number> = { frames: 11, undecodable: 1 };
const deep = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);
const tooDeep = (path: string): Record<string, number> => ({ [`${path} is in JSON deeper than 500 levels`]: 1 });
const hit = (bytes: Uint8Array): Hostile => ({ bytes: () => between(bytes), counts: { bytesDamaged: bytes.length } });
const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__defineGetter__"];

export const HOSTILE: Readonly<Record<string, Hostile>> = {
  "length 2 GiB": claiming(2 ** 31),
  "length 4 GiB less 1": claiming(2 ** 32 - 1),
  "length 4 GiB": claiming(2 ** 32),
  "length 2 to the 64th less 1": claiming(2n ** 64n - 1n),
  "length 64 MiB and 1": claiming(64 * MiB + 1),
  "length 63 MiB": claiming(63 * MiB),
  "length 63 MiB of an object that has them": {
    bytes: () => {
      const padded = encodeFrame(
        message("padded", { fields: [{ name: "pad", type: "bytes", values: [new Uint8Array(MiB)] }] }),
      );
      return between(header(63 * MiB), ...Array.from({ length: 65 }, () => padded));
    },
    counts: { ...decoded(75), bytesDamaged: header(63 * MiB).length },
  },
  "a block that claims 4 GiB": {
    bytes: () => between(encodeFrame(Uint8Array.from([...varint(2 ** 32 - 1), 0, 1, 2]))),
    counts: undecodable,
  },
  "a block of 64 MiB and 1": {
    bytes: () => between(encodeFrame(Uint8Array.from([...varint(64 * MiB + 1), ...new Uint8Array(3.2 * MiB)]))),
    counts: undecodable,
  },
  "two blocks of 60 MiB": {
    bytes: () => between(...Array.from({ length: 2 }, () => block({ payload: "x".repeat(60 * MiB) }))),
    counts: decoded(12),
  },
  "eight blocks of 60 MiB": {
    bytes: () => between(...Array.from({ length: 8 }, () => block({ payload: '{"a":'.repeat(12 * MiB) }))),
    counts: decoded(18),
    failures: { "a.b is in JSON deeper than 500 levels": 8 },
    slow: true,
  },
  "a gzip bomb between frames": {
    bytes: () => gzipSync(Buffer.concat([sound(0), new Uint8Array(100 * MiB), sound(5)])),
    counts: { bytesDamaged: 100 * MiB },
  },
  "a gzip bomb of marks": {
    bytes: () => gzipSync(Buffer.concat([sound(0), Buffer.alloc(200 * MiB, 0x1e), sound(5)])),
    counts: { bytesDamaged: 200 * MiB },
    slow: true,
  },
  "a zstd bomb of newlines": {
    bytes: () => zstdCompressSync(Buffer.concat([sound(0), Buffer.alloc(50 * MiB, "\n"), sound(5)])),
    counts: { bytesBlank: 50 * MiB },
  },
  "a zstd bomb of zeros": {
    bytes: () => zstdCompressSync(Buffer.concat([sound(0), new Uint8Array(2000 * MiB), sound(5)])),
    counts: { bytesDamaged: 2000 * MiB },
    slow: true,
  },
  "200,000 fields": {
    bytes: () => {
      const fields = Array.from(
        { length: 200_000 },
        (_, i): FieldInit => ({ name: `f${i}`, type: "integer", values: [i] }),
      );
      return between(encodeFrame(message("many", { fields })));
    },
    counts: undecodable,
  },
  "60,000 fields, twenty times": {
    bytes: () => {
      const fields = Array.from(
        { length: 60_000 },
        (_, i): FieldInit => ({ name: `f${i}`, type: "integer", values: [i] }),
      );
      return between(...Array.from({ length: 20 }, () => encodeFrame(message("many", { fields }))));
    },
    counts: decoded(30),
    slow: true,
  },
  "JSON 5 million levels deep": {
    bytes: () => between(encodeFrame(message("deep", { payload: `{"a":${deep("[", "]", 5_000_000)}}` }))),
    counts: decoded(11),
    failures: tooDeep("a.b"),
  },
  "JSON 5 million levels deep and not closed, in a block": {
    bytes: () => between(block({ payload: `{"a":{"b":${'{"b":'.repeat(5_000_000)}` })),
    counts: decoded(11),
    failures: tooDeep("a.b"),
  },
  "JSON 5 million levels deep in a section": {
    bytes: () => {
      const fields: FieldInit[] = [{ name: "environment.system", type: "string", values: [deep("[", "]", 5_000_000)] }];
      return between(encodeFrame(message("deep", { fields })));
    },
    counts: decoded(11),
    failures: tooDeep("environment"),
  },
  "a text of 63 MiB": {
    bytes: () => {
      const fields: FieldInit[] = [{ name: "text", type: "string", values: ["\u00e9".repeat(31.5 * MiB)] }];
      return between(encodeFrame(message("long", { fields })));
    },
    counts: decoded(11),
  },
  "texts of 20 MiB, eight times": {
    bytes: () => {
      const texts = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(20 * MiB));
      const frames = texts.map((text) =>
        encodeFrame(message("long", { fields: [{ name: "text", type: "string", values: [text] }] })),
      );
      return between(...frames);
    },
    counts: decoded(18),
    slow: true,
  },
  "a text of 60 MiB that JSON makes six times longer": {
    bytes: () => between(encodeFrame(message("long", { payload: "\u0001".repeat(60 * MiB) }))),
    counts: decoded(11),
    slow: true,
  },
  "headers within each other": hit(nested(MiB, 0, new Uint8Array(0))),
  "headers within each other, to the end of the object": hit(nested(MiB, sound(5).length, new Uint8Array(0))),
  // Each begins like a message, and goes on like one for a while.
  "headers and members within each other": hit(nested(MiB, 0, Uint8Array.of(0x10, 1, 0x0a))),
  "blocks within each other": hit(nestedBlocks(MiB, 100_000)),
  "16 MiB of headers within each other": {
    ...hit(nested(MiB, 0, new Uint8Array(0))),
    bytes: () => between(nested(16 * MiB, 0, new Uint8Array(0))),
    counts: { bytesDamaged: 16 * MiB + 2 },
    slow: true,
  },
  "marks only": hit(new Uint8Array(MiB).fill(0x1e)),
  "names that objects have": {
    bytes: () => {
      const frames = names.map((name) =>
        encodeFrame(
          message(name, {
            payload: `{"a":{"b":1},"${name}":{"polluted":"yes"},"environment":{"${name}":null}}`,
            fields: [
              { name, type: "string", values: ['{"polluted":"yes"}'] },
              { name: `environment.${name}`, type: "string", values: ['{"polluted":"yes"}'] },
            ],
          }),
        ),
      );
      return between(...frames);
    },
    counts: decoded(10 + names.length),
  },
};
