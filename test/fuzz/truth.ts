// What damage may cost (P6), said again without the framer: an object whose frames are known, and what is owed of them
// after bytes of it were changed, inserted or removed.
import type { Span } from "../../src/heka/frames.ts";

/** An object made of known frames; `start` and `end` in bytes. Between frames there are blanks only, or nothing. */
export interface Known {
  readonly bytes: Uint8Array;
  readonly frames: readonly { readonly start: number; readonly end: number }[];
}

/** `removed` bytes at `at` gave way to `inserted`; damage in place is as many of both. */
export interface Change {
  readonly at: number;
  readonly removed: number;
  readonly inserted: Uint8Array;
}

export function known(parts: readonly { bytes: Uint8Array; isFrame: boolean }[]): Known {
  const frames: { start: number; end: number }[] = [];
  let at = 0;
  for (const { bytes, isFrame } of parts) {
    if (isFrame) frames.push({ start: at, end: at + bytes.length });
    at += bytes.length;
  }
  return { bytes: new Uint8Array(Buffer.concat(parts.map(({ bytes }) => bytes))), frames };
}

export function changed({ bytes }: Known, changes: readonly Change[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { at, removed, inserted } of changes) {
    parts.push(bytes.subarray(from, at), inserted);
    from = at + removed;
  }
  return new Uint8Array(Buffer.concat([...parts, bytes.subarray(from)]));
}

/**
 * What is wrong with the spans that were read after a change, in words; empty where every promise was kept. Changes must
 * not overlap and come in order.
 */
export function brokenPromises(
  before: Known,
  changes: readonly Change[],
  after: Uint8Array,
  spans: readonly Span[],
): string[] {
  const wrong: string[] = [];
  let offset = 0;
  for (const span of spans) {
    if (span.offset !== offset || span.length <= 0)
      wrong.push(`a span at ${span.offset} where one at ${offset} was due`);
    offset = span.offset + span.length;
  }
  if (offset !== after.length) wrong.push(`spans end at ${offset} of ${after.length}`);

  const read = new Map(spans.flatMap((span) => (span.kind === "frame" ? [[span.offset, span.length]] : [])));
  const shift = (at: number): number =>
    changes.reduce((sum, one) => (one.at + one.removed <= at ? sum + one.inserted.length - one.removed : sum), at);
  const inPlace = changes.every(({ removed, inserted }) => removed === inserted.length);
  const kept: number[] = [];
  const lost: number[] = [];
  const excused = swallowed(before, changes, after, shift);
  const forged = forgedFrames(changes, read);
  for (const { start, end } of before.frames) {
    if (changes.some((one) => isHit(one, start, end))) continue;
    const at = shift(start);
    if (read.get(at) === end - start) kept.push(at);
    else if (!excused(at) && !forged.some((one) => one.start < at + end - start && one.end > at)) lost.push(start);
  }
  const allowed = inPlace ? 0 : changes.length;
  if (lost.length > allowed) wrong.push(`frames at ${lost} were lost`);
  return wrong;
}

/** Frames read whose mark was not there before: nobody can tell a whole frame that was put in from one that was. */
function forgedFrames(changes: readonly Change[], read: ReadonlyMap<number, number>): { start: number; end: number }[] {
  const marks = new Set<number>();
  let moved = 0;
  for (const { at, removed, inserted } of changes) {
    for (let i = 0; i < inserted.length; i++) if (inserted[i] === 0x1e) marks.add(at + moved + i);
    moved += inserted.length - removed;
  }
  return [...read].flatMap(([start, length]) => (marks.has(start) ? [{ start, end: start + length }] : []));
}

function isHit({ at, removed }: Change, start: number, end: number): boolean {
  return removed === 0 ? at > start && at < end : at < end && at + removed > start;
}

/** Whether a frame lies in what the length of a frame that was hit now spans, exactly to a later boundary. */
function swallowed(
  { frames, bytes }: Known,
  changes: readonly Change[],
  after: Uint8Array,
  shift: (at: number) => number,
): (at: number) => boolean {
  // Between frames are blanks only: each of their bytes may follow a frame. So may a frame that a field's value holds, for
  // whoever reads from its mark.
  const isBoundary = (to: number): boolean =>
    to === shift(bytes.length) ||
    statedEnd(after, to) >= 0 ||
    frames.some(({ end }, i) => to >= shift(end) && to <= shift(frames[i + 1]?.start ?? bytes.length));
  const ranges: { from: number; to: number }[] = [];
  for (const { start, end } of frames) {
    if (!changes.some((one) => isHit(one, start, end))) continue;
    const to = statedEnd(after, shift(start));
    if (isBoundary(to)) ranges.push({ from: shift(start), to });
  }
  return (at) => ranges.some(({ from, to }) => at > from && at < to);
}

/** Where the frame at `at` ends by its own header; -1 where there is none. */
function statedEnd(bytes: Uint8Array, at: number): number {
  const header = bytes.subarray(at + 2, at + 2 + bytes[at + 1]!);
  if (bytes[at] !== 0x1e || bytes[at + 2 + header.length] !== 0x1f) return -1;
  const varint = (from: number): { value: number; to: number } => {
    let to = from;
    while (header[to]! >= 0x80) to++;
    const digits = [...header.subarray(from, to + 1)];
    return { value: digits.reduceRight((sum, digit) => sum * 128 + (digit & 0x7f), 0), to: to + 1 };
  };
  // Length, hash function, signer, key version, HMAC, in any order; the first length counts.
  let length = -1;
  for (let from = 0; from < header.length; ) {
    const tag = header[from]!;
    const { value, to } = varint(from + 1);
    if (![0x08, 0x18, 0x22, 0x28, 0x32].includes(tag) || to > header.length) return -1;
    if (tag === 0x08 && length < 0) length = value;
    from = tag === 0x22 || tag === 0x32 ? to + value : to;
    if (from > header.length) return -1;
  }
  return length < 0 ? -1 : at + 3 + header.length + length;
}
