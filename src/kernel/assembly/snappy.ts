// Raw Snappy blocks, two at a time: the steps of one block depend on each other, so that a processor has time for a second.
// Between steps the message scanner sees what is there already.
//
// A step reads an element's tag, looks its length and kind up in a table, and copies 32 bytes whatever the length, or 64: no
// other branch depends on the data. It is taken only where all of that stays within the block; the careful `element` does the rest.
// Blocks written in Go copy across 64 KiB boundaries, so nothing here assumes fragments.
import { afterVarint, begin, DONE, FAULT, Lane, MESSAGE_BYTES, Message, Outcome, readVarint, scan } from "./message";
import { Plan } from "./plan";
import { resolve } from "./resolve";

/**
 * For each tag: the element's length, four times the number of bytes of its offset << 8, the bytes of input it takes << 16, and
 * << 24 the high bits of a short offset. A literal has the offset 64 instead, which is no less than its length.
 */
const elements = memory.data(256 * 4, 16);
/** In place of a length: more bytes say it. */
const LONG: u32 = 0x80;
/** Of an entry >> 16. */
const INPUT_BYTES: usize = 0x3f;
const OFFSET_BITS: u32 = 0x740;
/** For each number of offset bytes, 0 to 4: which bits of the word behind the tag they are. */
const offsetMasks = memory.data<u32>([0, 0xff, 0xffff, 0xffffff, 0xffffffff]);

/** Input that a step may read beyond its tag, and output that it may write beyond its place. */
const STEP_INPUT: usize = 80;
const STEP_OUTPUT: usize = 64;
/** How far the first scan waits. */
const FIRST_BYTES: usize = 1024;

/** Fills the table; to be called once. */
export function initSnappy(): void {
  for (let tag: u32 = 0; tag < 256; tag++) {
    let entry: u32;
    const upper = tag >> 2;
    if ((tag & 3) === 0) entry = upper < 60 ? (upper + 1) | ((64 + upper + 2) << 16) : LONG | (upper - 59);
    else if ((tag & 3) === 1) entry = ((upper & 7) + 4) | (4 << 8) | (2 << 16) | ((tag >> 5) << 24);
    else entry = (upper + 1) | ((tag & 3) === 2 ? (8 << 8) | (3 << 16) : (16 << 8) | (5 << 16));
    store<u32>(elements + ((<usize>tag) << 2), entry);
  }
}

/** Copies 32 bytes, of more than 32 the next 32, too. What is behind the first `length` of them does not matter. */
function copy(to: usize, from: usize, length: u32): void {
  copy32(to, from);
  if (length > 32) copy32(to + 32, from + 32);
}

function copy32(to: usize, from: usize): void {
  const a = v128.load(from);
  const b = v128.load(from, 16);
  v128.store(to, a);
  v128.store(to, b, 16);
}

/** The output's end behind what `element` wrote. */
let written: usize = 0;

/**
 * One element at `input`, checked in full, its content to `output` in the block whose output begins at `base`. Gives where
 * the next one begins, and sets `written`; 0 where the element is broken.
 */
function element(input: usize, inputEnd: usize, output: usize, base: usize, outputEnd: usize): usize {
  const entry = load<u32>(elements + ((<usize>load<u8>(input)) << 2));
  let length: u64 = entry & 0xff;
  const extra = <usize>(entry >> 10) & 7;
  if (extra === 0) {
    let start = input + 1;
    if ((length & LONG) !== 0) {
      const size = <usize>length & 7;
      if (start + size > inputEnd) return 0;
      length = <u64>(load<u32>(start) & load<u32>(offsetMasks + (size << 2))) + 1;
      start += size;
    }
    if (length > <u64>(inputEnd - start) || length > <u64>(outputEnd - output)) return 0;
    memory.copy(output, start, <usize>length);
    written = output + <usize>length;
    return start + <usize>length;
  }
  if (input + 1 + extra > inputEnd || length > <u64>(outputEnd - output)) return 0;
  const offset = offsetOf(input, entry);
  if (offset === 0 || <usize>offset > output - base) return 0;
  // Byte by byte: a copy may reach into what it writes.
  written = output + <usize>length;
  for (let from = output - offset; output < written; output++, from++) store<u8>(output, load<u8>(from));
  return input + 1 + extra;
}

/** The offset of a copy whose tag is at `input`. */
function offsetOf(input: usize, entry: u32): u32 {
  return (load<u32>(input, 1) & load<u32>(offsetMasks + (<usize>(entry >> 8) & 0xff))) | ((entry >> 16) & OFFSET_BITS);
}

/** Decompresses the rest of a block, all checks made; false where it is broken. */
function decompressRest(message: Message, input: usize, output: usize): bool {
  const inputEnd = message.inputEnd;
  const end = message.end;
  while (input < inputEnd) {
    input = element(input, inputEnd, output, message.bytes, end);
    if (input === 0) return false;
    output = written;
  }
  return output === end;
}

/**
 * What comes next for a message that is decompressed up to `output`: the place of output to stop at next, or 0 when it is
 * read, or broken.
 */
function resume(plan: Plan, message: Message, input: usize, output: usize): usize {
  if (input + STEP_INPUT < message.inputEnd && output + STEP_OUTPUT < message.end) {
    const needed = scan(plan, message, output);
    if (needed === DONE && message.stopped !== 0) {
      message.outcome = resolve(plan, message, message.row);
      return 0;
    }
    // A last member may be passed before it is there.
    if (needed === DONE) return message.end - STEP_OUTPUT;
    if (needed !== FAULT) return min(needed, message.end - STEP_OUTPUT);
    message.outcome = Outcome.odd;
    return 0;
  }
  const isWhole = decompressRest(message, input, output) && scan(plan, message, message.end) === DONE;
  message.outcome = isWhole ? resolve(plan, message, message.row) : Outcome.odd;
  return 0;
}

/** The messages of the batch that `readBlocks` has not begun. */
let waiting: usize = 0;
let waitingEnd: usize = 0;

/** The next message that is a block, begun in `lane`; null where there is none. */
function nextBlock(plan: Plan, lane: Lane): Message | null {
  while (waiting < waitingEnd) {
    const message = changetype<Message>(waiting);
    waiting += MESSAGE_BYTES;
    if (message.compressed === 0 || message.skipped !== 0) continue;
    begin(plan, message, lane);
    return message;
  }
  return null;
}

/** Reads every compressed message of `count` at `messages`. */
export function readBlocks(plan: Plan, messages: usize, count: u32): void {
  waiting = messages;
  waitingEnd = messages + count * MESSAGE_BYTES;
  const laneA = changetype<Lane>(plan.laneA);
  const laneB = changetype<Lane>(plan.laneB);
  let a = nextBlock(plan, laneA);
  let b = nextBlock(plan, laneB);
  if (a === null) return;
  let aInput = blockStart(a);
  let aLast = a.inputEnd - STEP_INPUT;
  let aBase = a.bytes;
  let aOutput = aBase;
  let aStop = firstStop(a);
  if (b === null) {
    readAlone(plan, a, aInput, aOutput, aStop);
    return;
  }
  let bInput = blockStart(b);
  let bLast = b.inputEnd - STEP_INPUT;
  let bBase = b.bytes;
  let bOutput = bBase;
  let bStop = firstStop(b);
  while (true) {
    // While there is room all four are negative. No function is called in here: what is needed after a call would be kept in
    // memory, not in registers.
    while (<i32>((aInput - aLast) & (bInput - bLast) & (aOutput - aStop) & (bOutput - bStop)) < 0) {
      const aEntry = load<u32>((<usize>load<u8>(aInput)) << 2, elements);
      const aUpper = aEntry >> 16;
      const aLength = aEntry & 0xff;
      const aKind = <usize>(aEntry >> 8) & 0xff;
      const aOffset = (load<u32>(aInput, 1) & load<u32>(aKind, offsetMasks)) | (aUpper & OFFSET_BITS);
      if (<i32>((aOffset - aLength) | (<u32>(aOutput - aBase) - aOffset)) < 0) break;
      copy(aOutput, select<usize>(aOutput - aOffset, aInput + 1, aKind !== 0), aLength);
      aOutput += aLength;
      aInput += <usize>aUpper & INPUT_BYTES;
      const bEntry = load<u32>((<usize>load<u8>(bInput)) << 2, elements);
      const bUpper = bEntry >> 16;
      const bLength = bEntry & 0xff;
      const bKind = <usize>(bEntry >> 8) & 0xff;
      const bOffset = (load<u32>(bInput, 1) & load<u32>(bKind, offsetMasks)) | (bUpper & OFFSET_BITS);
      if (<i32>((bOffset - bLength) | (<u32>(bOutput - bBase) - bOffset)) < 0) break;
      copy(bOutput, select<usize>(bOutput - bOffset, bInput + 1, bKind !== 0), bLength);
      bOutput += bLength;
      bInput += <usize>bUpper & INPUT_BYTES;
    }
    const aHasRoom = <i32>((aInput - aLast) & (aOutput - aStop)) < 0;
    const bHasRoom = <i32>((bInput - bLast) & (bOutput - bStop)) < 0;
    if (aHasRoom && bHasRoom) {
      // One of them, or both, at an element that is not for a step. Where that is broken no input is left, and output missing:
      // `resume` finds the message broken.
      aInput = element(aInput, a.inputEnd, aOutput, a.bytes, a.end);
      if (aInput === 0) aInput = a.inputEnd;
      else aOutput = written;
      bInput = element(bInput, b.inputEnd, bOutput, b.bytes, b.end);
      if (bInput === 0) bInput = b.inputEnd;
      else bOutput = written;
      continue;
    }
    if (!aHasRoom) {
      aStop = resume(plan, a, aInput, aOutput);
      if (aStop === 0) {
        a = nextBlock(plan, laneA);
        if (a === null) {
          readAlone(plan, b, bInput, bOutput, bStop);
          return;
        }
        aInput = blockStart(a);
        aLast = a.inputEnd - STEP_INPUT;
        aBase = a.bytes;
        aOutput = aBase;
        aStop = firstStop(a);
      }
    }
    if (!bHasRoom) {
      bStop = resume(plan, b, bInput, bOutput);
      if (bStop === 0) {
        b = nextBlock(plan, laneB);
        if (b === null) {
          readAlone(plan, a, aInput, aOutput, aStop);
          return;
        }
        bInput = blockStart(b);
        bLast = b.inputEnd - STEP_INPUT;
        bBase = b.bytes;
        bOutput = bBase;
        bStop = firstStop(b);
      }
    }
  }
}

/** Where a block's elements begin: behind its length, which frames.ts has read. */
function blockStart(message: Message): usize {
  readVarint(message.input, message.inputEnd);
  return afterVarint();
}

function firstStop(message: Message): usize {
  return min(message.bytes + FIRST_BYTES, message.end - STEP_OUTPUT);
}

/** One message to its end, when there is no second one to read along with it. */
function readAlone(plan: Plan, message: Message, input: usize, output: usize, stop: usize): void {
  const last = message.inputEnd - STEP_INPUT;
  const base = message.bytes;
  do {
    while (<i32>((input - last) & (output - stop)) < 0) {
      const entry = load<u32>(elements + ((<usize>load<u8>(input)) << 2));
      const length = entry & 0xff;
      const offset = offsetOf(input, entry);
      if (<i32>((offset - length) | (<u32>(output - base) - offset)) < 0) {
        input = element(input, message.inputEnd, output, message.bytes, message.end);
        if (input === 0) {
          input = message.inputEnd;
          break;
        }
        output = written;
      } else {
        copy(output, select<usize>(output - offset, input + 1, (entry & 0xff00) !== 0), length);
        output += length;
        input += <usize>(entry >> 16) & INPUT_BYTES;
      }
    }
    stop = resume(plan, message, input, output);
  } while (stop !== 0);
}
