// Damage made up from a seed: a kind of it, and where. The same seed gives the same mutant.
import type { Change, Known } from "./truth.ts";

/** Numbers from a seed, each from 0 up to but not including `below`. */
export type Dice = (below: number) => number;

export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    // mulberry32: small, and good enough for its 32 bits
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export interface Mutant {
  readonly kind: string;
  /** In order, none of them overlapping. */
  readonly changes: readonly Change[];
}

const SIZES = [1, 1, 2, 3, 4, 7, 16, 50, 200, 1000];

/** Bytes that look like parts of frames more often than random ones do. */
function noise(roll: Dice, length: number): Uint8Array {
  const telling = [0x1e, 0x1e, 0x1f, 0x08, 0x02, 0x0a, 0x20, 0x00, 0xff];
  const single = roll(3) === 0 ? telling[roll(telling.length)] : undefined;
  return Uint8Array.from({ length }, () => single ?? (roll(2) === 0 ? roll(256) : telling[roll(telling.length)]!));
}

/** Of the object's own bytes. */
function piece(roll: Dice, bytes: Uint8Array): Uint8Array {
  const from = roll(bytes.length);
  return bytes.slice(from, from + SIZES[roll(SIZES.length)]!);
}

const none = new Uint8Array(0);

export function mutate(object: Known, seed: number): Mutant {
  const { bytes, frames } = object;
  const roll = dice(seed);
  const place = (): { at: number; length: number } => {
    // Headers are few bytes of many, and what matters most.
    const at =
      roll(2) === 0 ? roll(bytes.length) : Math.min(bytes.length - 1, frames[roll(frames.length)]!.start + roll(8));
    return { at, length: Math.min(bytes.length - at, SIZES[roll(SIZES.length)]!) };
  };
  const kind = roll(8);
  if (kind === 0) {
    const count = 1 + roll(3);
    const places = Array.from({ length: count }, () => place().at);
    const changes = [...new Set(places)]
      .sort((a, b) => a - b)
      .map((at) => ({ at, removed: 1, inserted: Uint8Array.of(bytes[at]! ^ (1 << roll(8))) }));
    return { kind: "bits flipped", changes };
  }
  const { at, length } = place();
  switch (kind) {
    case 1:
      return { kind: "overwritten", changes: [{ at, removed: length, inserted: noise(roll, length) }] };
    case 2: {
      const inserted = piece(roll, bytes).subarray(0, bytes.length - at);
      return { kind: "overwritten with its own", changes: [{ at, removed: inserted.length, inserted }] };
    }
    case 3:
      return { kind: "inserted", changes: [{ at, removed: 0, inserted: noise(roll, length) }] };
    case 4:
      return { kind: "inserted of its own", changes: [{ at, removed: 0, inserted: piece(roll, bytes) }] };
    case 5:
      return { kind: "removed", changes: [{ at, removed: length, inserted: none }] };
    case 6:
      return { kind: "cut off", changes: [{ at, removed: bytes.length - at, inserted: none }] };
    default:
      return { kind: "another length", changes: [otherLength(object, roll)] };
  }
}

/** The length in a frame's header is another one, written in as many bytes where it can be. */
function otherLength({ bytes, frames }: Known, roll: Dice): Change {
  const { start, end } = frames[roll(frames.length)]!;
  const width = bytes[start + 1]! - 1;
  const messageStart = start + 3 + bytes[start + 1]!;
  const ends = [
    roll(bytes.length + 1),
    end + 1,
    end - 1,
    end + roll(300),
    frames[roll(frames.length)]!.start,
    bytes.length,
  ];
  const lengths = [...ends.map((to) => Math.max(0, to - messageStart)), 64 * 1024 * 1024, 2 ** 31, 2 ** 32 - 1, 0];
  let rest = lengths[roll(lengths.length)]!;
  const digits: number[] = [];
  do {
    digits.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  // Zeros at the end make a varint longer, and are read the same.
  while (digits.length < width) digits.push(0x80);
  digits[digits.length - 1]! &= 0x7f;
  return { at: start + 3, removed: width, inserted: Uint8Array.from(digits) };
}
