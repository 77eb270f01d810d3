// Small objects whose frames are known, made here: both eras' ways to lay out a message, blanks, signed headers, and what
// hostile files would hold.
import { compressSnappy, encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { readReal, realFiles, spansOf, utf8 } from "../heka/objects.ts";
import { dice } from "./mutant.ts";
import { type Known, known } from "./truth.ts";

export interface Part {
  readonly bytes: Uint8Array;
  readonly isFrame: boolean;
}

export const frame = (message: Uint8Array): Part => ({ bytes: encodeFrame(message), isFrame: true });
export const blank = (text: string): Part => ({ bytes: utf8(text), isFrame: false });

/** A small message like those of both eras; `seed` tells them apart. */
export function message(seed: number, extra: Uint8Array = new Uint8Array(0)): Uint8Array {
  return encodeMessage({
    uuid: Uint8Array.from({ length: 16 }, (_, i) => (seed * 37 + i * 11) & 0xff),
    timestamp: 1_445_990_400_000_000_000n + BigInt(seed),
    type: "telemetry",
    hostname: "test.example.com",
    payload: JSON.stringify({ seq: seed, text: "a b\nc ".repeat(1 + (seed % 3)) }),
    fields: [
      { name: "docType", type: "string", values: [seed % 2 === 0 ? "main" : "crash"] },
      { name: "sampleId", type: "double", values: [seed % 100], packed: true },
      { name: "counts", type: "integer", values: [seed, -seed, 2n ** 62n], packed: seed % 2 === 0 },
      ...(extra.length > 0 ? [{ name: "held", type: "bytes" as const, values: [extra] }] : []),
      { name: "last", type: "bool", values: [true] },
    ],
  });
}

/** A frame with all that a signed header holds. */
export function signedFrame(content: Uint8Array): Part {
  const { bytes } = frame(content);
  const header = bytes.subarray(2, 2 + bytes[1]!);
  const signature = [0x18, 1, 0x22, 2, 0x6d, 0x65, 0x28, 7, 0x32, 4, 0x1e, 0x1f, 0x0a, 0xff];
  const signed = [0x1e, header.length + signature.length, ...header, ...signature, 0x1f, ...content];
  return { bytes: Uint8Array.from(signed), isFrame: true };
}

const snappy = (seed: number): Part => frame(compressSnappy(message(seed)));
const plain = (seed: number): Part => frame(message(seed));

const short = (seed: number): Part => long(seed, 3);
const long = (seed: number, size: number): Part =>
  frame(encodeMessage({ uuid: new Uint8Array(16).fill(seed), timestamp: 1n, payload: `${seed}`.repeat(size) }));

/** By name. A few hundred bytes each, so that every bit of them can be tried. */
export const SMALL_OBJECTS: Readonly<Record<string, Known>> = {
  plain: known([plain(1), plain(2), plain(3), plain(4)]),
  snappy: known([snappy(1), snappy(2), snappy(3), snappy(4)]),
  mixed: known([snappy(1), plain(2), snappy(3), plain(4)]),
  blanks: known([blank("\n"), plain(1), blank("\r\n"), snappy(2), blank(" \t \n"), plain(3), blank("\n")]),
  signed: known([signedFrame(message(1)), plain(2), signedFrame(compressSnappy(message(3))), plain(4)]),
  alone: known([plain(1)]),
  // Each but the short ones ends with a long value, which would take what follows for its own where bytes of it are missing.
  tails: known([
    long(1, 300),
    short(2),
    short(3),
    short(4),
    long(5, 90),
    short(6),
    long(7, 200),
    long(8, 40),
    short(9),
  ]),
  // Frames inside a field's value, in the middle of a message and at its end.
  frames: known([
    plain(1),
    frame(message(2, new Uint8Array(Buffer.concat([plain(5).bytes, snappy(6).bytes])))),
    plain(3),
    frame(encodeMessage({ uuid: new Uint8Array(16), payload: Buffer.from(plain(7).bytes).toString("latin1") })),
    snappy(4),
  ]),
};

const REAL_FILES = ["test_plain", "test_snappy", "test_mixed", "test_telemetry_snappy", "test_invalid_utf8"];

function partsOf({ bytes }: Pick<Known, "bytes">): Part[] {
  return spansOf(bytes).map(({ kind, offset, length }) => {
    return { bytes: bytes.slice(offset, offset + length), isFrame: kind === "frame" };
  });
}

const realParts = (name: string): Part[] => partsOf({ bytes: readReal(`${name}.heka`) });

/** The small ones and, where they are, real ones: framed and not compressed as a whole, and one of frames of very different sizes. */
export const FUZZ_OBJECTS: Readonly<Record<string, Known>> = { ...SMALL_OBJECTS, ...realObjects() };

let files: Part[][] | undefined;

/** Of real files, or where there are none of the small objects, some frames in any order; `seed` chooses. */
export function mixed(seed: number): Known {
  const roll = dice(seed);
  files ??= realFiles === undefined ? Object.values(SMALL_OBJECTS).map(partsOf) : REAL_FILES.map(realParts);
  const [all, small] = [files, files.slice(0, 3)];
  return known(
    Array.from({ length: 2 + roll(5) }, () => {
      // Large ones now and then: they take their time, and small ones have more neighbours.
      const file = roll(4) === 0 ? all[roll(all.length)]! : small[roll(small.length)]!;
      const starts = [...file.keys()].filter((i) => file[i]!.isFrame);
      const first = starts[roll(starts.length)]!;
      return file.slice(first, first + 1 + roll(4));
    }).flat(),
  );
}

function realObjects(): Record<string, Known> {
  if (realFiles === undefined) return {};
  const [plain, snappy, mixed, large, largePlain] = REAL_FILES.map(realParts);
  const sizes = [
    plain![0]!,
    ...large!,
    snappy![0]!,
    snappy![1]!,
    ...large!,
    ...plain!.slice(1, 4),
    ...largePlain!,
    snappy![2]!,
  ];
  return { realPlain: known(plain!), realSnappy: known(snappy!), realMixed: known(mixed!), sizes: known(sizes) };
}
