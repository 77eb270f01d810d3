// A walk into JSON text by keys, passing over what is not wanted 64 bytes at a time. The rules are those of heka/json.ts, to
// the letter: what is broken there is broken here, what is passed unread there is passed here.
import { Key } from "./plan";
import { equal } from "./text";

/** Arrays and objects within each other, as in heka/json.ts. */
const MAX_DEPTH: i32 = 500;

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const BACKSLASH: u8 = 0x5c;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

/** What a walk came to. */
export enum Walk {
  absent,
  found,
  /** Broken, too deep, or with escapes in keys on the way: heka/json.ts says what it is. */
  odd,
}

/** Where the value lies that `walk` found. */
export let valueStart: usize = 0;
export let valueEnd: usize = 0;

/** One step of the way that was walked last: its key, and the value it came to. */
@unmanaged
class Step {
  key: usize;
  start: usize;
  end: usize;
}

/** Containers nest no deeper, and the last step may be none. */
const steps = memory.data((MAX_DEPTH + 1) * offsetof<Step>(), 8);
let stepCount: u32 = 0;
/** Where the text begins, which tells it from others; 0: no way is known. */
let wayStart: usize = 0;
/** The key that is missing behind the last step; 0: none is known to be. */
let missingKey: usize = 0;

/** To be called before texts that lie where others lay. */
export function forgetWay(): void {
  wayStart = 0;
}

/**
 * Walks from the text in `start`–`end` by the keys from the one at `from` on; the first of equal keys counts. Paths that begin
 * with the same keys mostly come one after another, so a way is gone on from where it leaves that of the path before.
 */
export function walk(start: usize, end: usize, keys: usize, keyCount: u32, from: u32): Walk {
  let position = from;
  if (start === wayStart) {
    let known: u32 = 0;
    while (known < stepCount && position < keyCount && stepAt(known).key === keyAt(keys, position).start) {
      known++;
      position++;
    }
    if (position < keyCount) {
      if (known === stepCount && keyAt(keys, position).start === missingKey) return Walk.absent;
      stepCount = known;
      missingKey = 0;
    }
    if (known > 0) {
      const step = stepAt(known - 1);
      valueStart = step.start;
      valueEnd = step.end;
    }
  } else {
    wayStart = start;
    stepCount = 0;
    missingKey = 0;
  }
  if (position === from) {
    valueStart = skipSpace(start, end);
    valueEnd = end;
    // A byte order mark may come first.
    if (from < keyCount && valueStart < valueEnd && load<u8>(valueStart) === 0xef) return Walk.odd;
  }
  for (; position < keyCount; position++) {
    if (valueStart >= valueEnd || load<u8>(valueStart) !== OPEN_BRACE) return Walk.absent;
    const key = keyAt(keys, position);
    const found = findMember(valueStart + 1, valueEnd, key.start, key.length, <i32>(position - from) + 1);
    if (found !== Walk.found) {
      // Where it is odd no other path of this message is asked for.
      missingKey = key.start;
      return found;
    }
    const step = stepAt(stepCount++);
    step.key = key.start;
    step.start = valueStart;
    step.end = valueEnd;
  }
  return Walk.found;
}

function keyAt(keys: usize, position: u32): Key {
  return changetype<Key>(keys + <usize>position * offsetof<Key>());
}

function stepAt(position: u32): Step {
  return changetype<Step>(steps + <usize>position * offsetof<Step>());
}

/** Finds a member of the object whose brace lies before `at` and which is `depth` deep. */
function findMember(at: usize, end: usize, key: usize, keyLength: u32, depth: i32): Walk {
  let first = true;
  while (true) {
    at = skipSpace(at, end);
    if (at < end && load<u8>(at) === CLOSE_BRACE) return Walk.absent;
    if (!first) {
      if (at >= end || load<u8>(at) !== COMMA) return Walk.odd;
      at = skipSpace(at + 1, end);
    }
    first = false;
    if (at >= end || load<u8>(at) !== QUOTE) return Walk.odd;
    const keyStart = at + 1;
    at = stringEnd(keyStart, end);
    if (at === 0 || escaped) return Walk.odd;
    const length = <u32>(at - 1 - keyStart);
    at = skipSpace(at, end);
    if (at >= end || load<u8>(at) !== COLON) return Walk.odd;
    const value = skipSpace(at + 1, end);
    at = endOfValue(value, end, depth);
    if (at === 0) return Walk.odd;
    if (length === keyLength && equal(keyStart, key, length)) {
      valueStart = value;
      valueEnd = at;
      return Walk.found;
    }
  }
}

export function skipSpace(at: usize, end: usize): usize {
  while (at < end) {
    const byte = load<u8>(at);
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

/** The end of the value at `at`; 0 where it has none. */
function endOfValue(at: usize, end: usize, depth: i32): usize {
  if (at >= end) return 0;
  const first = load<u8>(at);
  if (first === QUOTE) return stringEnd(at + 1, end);
  if ((first & 0xdf) === 0x5b) return containerEnd(at, end, depth);
  const start = at;
  while (at < end && isScalar(load<u8>(at))) at++;
  return at > start ? at : 0;
}

/** Whether a byte may go on a number or a literal; what these hold is checked when they are asked for. */
function isScalar(byte: u8): bool {
  const bracket = byte & 0xdf;
  return byte > 0x20 && byte !== COMMA && byte !== COLON && byte !== QUOTE && bracket !== 0x5b && bracket !== 0x5d;
}

/** Whether the string that `stringEnd` passed last has a backslash. */
let escaped = false;

/** The end of a string whose quote lies before `at`; 0 where it has none. */
function stringEnd(at: usize, end: usize): usize {
  const quote = i8x16.splat(QUOTE);
  const backslash = i8x16.splat(BACKSLASH);
  escaped = false;
  while (at < end) {
    const bytes = v128.load(at);
    const marks = <u32>i8x16.bitmask(v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)));
    if (marks === 0) {
      at += 16;
      continue;
    }
    at += ctz(marks);
    if (at >= end) return 0;
    if (load<u8>(at) === QUOTE) return at + 1;
    escaped = true;
    at += 2;
  }
  return 0;
}

/** A bit for each of the 64 bytes from `at` on that is `byte`, under `mask`. */
function marksOf(at: usize, byte: v128, mask: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.and(v128.load(at), mask), byte))) |
    ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.and(v128.load(at, 16), mask), byte)))) << 16) |
    ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.and(v128.load(at, 32), mask), byte)))) << 32) |
    ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.and(v128.load(at, 48), mask), byte)))) << 48)
  );
}

/**
 * The end of the array or object at `at`, which lies in `depth` others; 0 where it has none, or nests too deeply. Brackets
 * are counted, whatever their kind; those in strings do not count.
 */
function containerEnd(at: usize, end: usize, depth: i32): usize {
  const outside = depth++;
  if (depth > MAX_DEPTH) return 0;
  const all = i8x16.splat(-1);
  const eitherKind = i8x16.splat(<i8>0xdf);
  const quote = i8x16.splat(QUOTE);
  const backslash = i8x16.splat(BACKSLASH);
  const open = i8x16.splat(0x5b);
  const close = i8x16.splat(0x5d);
  inString = 0;
  skipsNext = false;
  for (at++; at < end; at += 64) {
    const left = end - at;
    const within: u64 = left < 64 ? ((<u64>1) << left) - 1 : ~(<u64>0);
    const strings = stringsIn(marksOf(at, quote, all) & within, marksOf(at, backslash, all) & within);
    const outsideStrings = within & ~strings;
    const opens = marksOf(at, open, eitherKind) & outsideStrings;
    const closes = marksOf(at, close, eitherKind) & outsideStrings;
    const opened = <i32>popcnt(opens);
    const closed = <i32>popcnt(closes);
    if (closed < depth - outside && depth + opened <= MAX_DEPTH) {
      depth += opened - closed;
      continue;
    }
    let brackets = opens | closes;
    while (brackets !== 0) {
      const bit = brackets & -brackets;
      brackets ^= bit;
      if ((opens & bit) !== 0) {
        if (++depth > MAX_DEPTH) return 0;
      } else if (--depth === outside) {
        return at + <usize>ctz(bit) + 1;
      }
    }
  }
  return 0;
}

/** All bits set where a block begins in a string. */
let inString: u64 = 0;
/** Whether the first byte of a block follows a backslash in a string. */
let skipsNext = false;

/** A bit for each byte of a block that lies in a string, of a string's quotes the first one too. */
function stringsIn(quotes: u64, backslashes: u64): u64 {
  if (backslashes === 0 && !skipsNext) {
    const strings = prefixXor(quotes) ^ inString;
    inString = <u64>(<i64>strings >> 63);
    return strings;
  }
  // A backslash takes the next byte out of the count, but only in a string: so quotes and backslashes are met in order.
  let marks = quotes | backslashes;
  if (skipsNext) marks &= ~(<u64>1);
  skipsNext = false;
  let strings: u64 = 0;
  let open = inString !== 0;
  let since: u64 = 1;
  while (marks !== 0) {
    const bit = marks & -marks;
    marks ^= bit;
    if ((quotes & bit) !== 0) {
      if (open) strings |= bit - since;
      open = !open;
      since = bit;
    } else if (open) {
      const next = bit << 1;
      skipsNext = next === 0;
      marks &= ~next;
    }
  }
  if (open) strings |= 0 - since;
  inString = open ? ~(<u64>0) : 0;
  return strings;
}

/** Bit i of the result: whether an odd number of bits 0 to i are set. */
function prefixXor(bits: u64): u64 {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  bits ^= bits << 32;
  return bits;
}
