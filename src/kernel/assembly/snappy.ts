// Raw Snappy blocks, two at a time: the steps of one block depend on each other, so that a processor has time for a second.
// Between steps the message scanner sees what is there already.
//
// A step reads an element's tag, looks up in tables what it says, and copies 64 bytes whatever the length: no branch depends on
// the data. Where the next element begins is known after two loads and an addition, which is what a block's speed hangs on.
// Steps are taken while what they write stays within the block. What they read may lie behind it, up to INPUT_SLACK of the
// driver's layout.ts: that is found when they pause, before anything of it is used. What is not for a step the careful `element`
// does. Blocks written in Go copy across 64 KiB boundaries, so nothing here assumes fragments.
import { begin, Lane, MESSAGE_BYTES, Message, Outcome } from "./message";
import { Plan } from "./plan";
import { resolve } from "./resolve";
import { DONE, FAULT, scan } from "./scan";
import { afterVarint, readVarint } from "./varint";

/** For each tag the element's length. */
const lengths = memory.data(256);
/** For each tag the bytes of input that the element takes. */
const takens = memory.data(256);
/**
 * For each tag which of the 32 bits behind it are a copy's offset (none of a literal's), and << 32 the high bits of a short
 * offset. A literal has the offset 64, which is no less than its length, and a copy with an offset of 32 bits, which no encoder
 * in use writes, has 0: it is not for a step.
 */
const offsets = memory.data(256 * 8, 16);
/** In place of a length: more bytes say it. With it a literal is longer than its offset, and not for a step. */
const LONG: u32 = 0x80;

/** A literal that is no longer is copied in vectors: calling the engine's own copy takes longer than that. */
const STEPPED: usize = 1024;
/** How far the first scan waits. */
const FIRST_BYTES: usize = 1024;
/** So much output is there between two pauses at most. Of broken elements a byte of it may take three of input. */
const FARTHEST: usize = 32 << 10;
/** Where the input goes on behind a broken element: farther than any ends. */
const BROKEN: usize = usize.MAX_VALUE;

/** Fills the tables; to be called once. */
export function initSnappy(): void {
  for (let tag: u32 = 0; tag < 256; tag++) {
    const upper = tag >> 2;
    if ((tag & 3) === 0) enter(tag, upper < 60 ? upper + 1 : LONG | (upper - 59), upper + 2, 0, 64);
    else if ((tag & 3) === 1) enter(tag, (upper & 7) + 4, 2, 0xff, (tag >> 5) << 8);
    else if ((tag & 3) === 2) enter(tag, upper + 1, 3, 0xffff, 0);
    else enter(tag, upper + 1, 5, 0, 0);
  }
}

function enter(tag: usize, length: u32, taken: u32, mask: u32, bits: u32): void {
  store<u8>(tag, length, lengths);
  store<u8>(tag, taken, takens);
  store<u64>(tag << 3, <u64>mask | ((<u64>bits) << 32), offsets);
}

/** The offset of a copy whose tag is at `input`, by its entry in `offsets`. */
function offsetOf(input: usize, entry: u64): u32 {
  return (load<u32>(input, 1) & <u32>entry) | <u32>(entry >> 32);
}

/** The output's end behind what `element` wrote. */
let written: usize = 0;

/**
 * One element at `input`, checked in full, its content to `output` in the block whose output begins at `base`. Gives where
 * the next one begins, and sets `written`; 0 where the element is broken.
 */
function element(input: usize, inputEnd: usize, output: usize, base: usize, outputEnd: usize): usize {
  if (input >= inputEnd) return 0;
  const tag = <usize>load<u8>(input);
  let length = <u64>load<u8>(tag, lengths);
  if ((tag & 3) === 0) {
    let start = input + 1;
    if ((length & LONG) !== 0) {
      const size = <u32>length & 7;
      if (start + size > inputEnd) return 0;
      length = <u64>(load<u32>(start) & (u32.MAX_VALUE >> (32 - 8 * size))) + 1;
      start += size;
    }
    if (length > <u64>(inputEnd - start) || length > <u64>(outputEnd - output)) return 0;
    copyLiteral(output, start, <usize>length);
    written = output + <usize>length;
    return start + <usize>length;
  }
  const next = input + load<u8>(tag, takens);
  if (next > inputEnd || length > <u64>(outputEnd - output)) return 0;
  const offset = (tag & 3) === 3 ? load<u32>(input, 1) : offsetOf(input, load<u64>(tag << 3, offsets));
  if (offset === 0 || <usize>offset > output - base) return 0;
  // Byte by byte: a copy may reach into what it writes.
  written = output + <usize>length;
  for (let from = output - offset; output < written; output++, from++) store<u8>(output, load<u8>(from));
  return next;
}

/** As a step copies, where that is not for many steps: both sides have room behind them. */
function copyLiteral(to: usize, from: usize, length: usize): void {
  if (length > STEPPED) {
    memory.copy(to, from, length);
    return;
  }
  for (const end = to + length; to < end; to += 64, from += 64) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
  }
}

/**
 * What comes next for a message that is decompressed up to `output`: the place of output to stop at next, or 0 when it is
 * read, or broken.
 */
function resume(plan: Plan, message: Message, input: usize, output: usize): usize {
  message.outcome = Outcome.odd;
  if (input > message.inputEnd) return 0;
  if (output < message.end) {
    const farthest = min(output + FARTHEST, message.end);
    const needed = scan(plan, message, output);
    if (needed === DONE && message.stopped !== 0) {
      message.outcome = resolve(plan, message, message.row);
      return 0;
    }
    // A last member may be passed before it is there.
    if (needed === DONE) return farthest;
    return needed === FAULT ? 0 : min(needed, farthest);
  }
  const isAll = input === message.inputEnd && output === message.end;
  if (isAll && scan(plan, message, output) === DONE) message.outcome = resolve(plan, message, message.row);
  return 0;
}

/** In a batch of so many messages at most the longest are read first. */
const FEW: u32 = 32;

/** The first message of the batch that `readBlocks` has not begun, and what follows is its `next`; 0 where there is none. */
let waiting: usize = 0;

/** Queues the blocks of a batch. The last one is read alone for as long as it outlasts its fellow, so it should be a short one. */
function queueBlocks(messages: usize, count: u32): void {
  waiting = 0;
  for (let at = messages + count * MESSAGE_BYTES; at > messages; ) {
    at -= MESSAGE_BYTES;
    const message = changetype<Message>(at);
    if (message.compressed === 0 || message.skipped !== 0) continue;
    let before: usize = 0;
    let next = waiting;
    while (count <= FEW && next !== 0 && lengthOf(next) > lengthOf(at)) {
      before = next;
      next = changetype<Message>(next).next;
    }
    message.next = next;
    if (before === 0) waiting = at;
    else changetype<Message>(before).next = at;
  }
}

function lengthOf(message: usize): usize {
  return changetype<Message>(message).end - changetype<Message>(message).bytes;
}

/** The next message in the queue, begun in `lane`; null where there is none. */
function nextBlock(plan: Plan, lane: Lane): Message | null {
  if (waiting === 0) return null;
  const message = changetype<Message>(waiting);
  waiting = message.next;
  begin(plan, message, lane);
  return message;
}

/** Reads every compressed message of `count` at `messages`. */
export function readBlocks(plan: Plan, messages: usize, count: u32): void {
  queueBlocks(messages, count);
  const laneA = changetype<Lane>(plan.laneA);
  const laneB = changetype<Lane>(plan.laneB);
  let a = nextBlock(plan, laneA);
  let b = nextBlock(plan, laneB);
  if (a === null) return;
  let aInput = blockStart(a);
  let aBase = a.bytes;
  let aOutput = aBase;
  let aStop = firstStop(a);
  if (b === null) {
    readAlone(plan, a, aInput, aOutput, aStop);
    return;
  }
  let bInput = blockStart(b);
  let bBase = b.bytes;
  let bOutput = bBase;
  let bStop = firstStop(b);
  while (true) {
    // No function is called in here (`offsetOf` is inlined): what is needed after a call would be kept in memory, not in
    // registers. The loads stand between the two checks because the compiler would make one check of them, which takes longer.
    while (true) {
      if (aOutput >= aStop) break;
      const aTag = <usize>load<u8>(aInput);
      const aLength = <u32>load<u8>(aTag, lengths);
      const aEntry = load<u64>(aTag << 3, offsets);
      const aOffset = offsetOf(aInput, aEntry);
      if (aOffset < aLength) break;
      const aBack = aOutput - aOffset;
      const aFrom = select<usize>(aBack, aInput + 1, <u32>aEntry !== 0);
      const a0 = v128.load(aFrom);
      const a1 = v128.load(aFrom, 16);
      const a2 = v128.load(aFrom, 32);
      const a3 = v128.load(aFrom, 48);
      if (aBack < aBase) break;
      v128.store(aOutput, a0);
      v128.store(aOutput, a1, 16);
      v128.store(aOutput, a2, 32);
      v128.store(aOutput, a3, 48);
      aOutput += aLength;
      aInput += load<u8>(aTag, takens);
      if (bOutput >= bStop) break;
      const bTag = <usize>load<u8>(bInput);
      const bLength = <u32>load<u8>(bTag, lengths);
      const bEntry = load<u64>(bTag << 3, offsets);
      const bOffset = offsetOf(bInput, bEntry);
      if (bOffset < bLength) break;
      const bBack = bOutput - bOffset;
      const bFrom = select<usize>(bBack, bInput + 1, <u32>bEntry !== 0);
      const b0 = v128.load(bFrom);
      const b1 = v128.load(bFrom, 16);
      const b2 = v128.load(bFrom, 32);
      const b3 = v128.load(bFrom, 48);
      if (bBack < bBase) break;
      v128.store(bOutput, b0);
      v128.store(bOutput, b1, 16);
      v128.store(bOutput, b2, 32);
      v128.store(bOutput, b3, 48);
      bOutput += bLength;
      bInput += load<u8>(bTag, takens);
    }
    const aHasRoom = aOutput < aStop;
    const bHasRoom = bOutput < bStop;
    if (aHasRoom && bHasRoom) {
      // One of them, or both, at an element that is not for a step.
      aInput = element(aInput, a.inputEnd, aOutput, aBase, a.end);
      aOutput = aInput === 0 ? aStop : written;
      if (aInput === 0) aInput = BROKEN;
      bInput = element(bInput, b.inputEnd, bOutput, bBase, b.end);
      bOutput = bInput === 0 ? bStop : written;
      if (bInput === 0) bInput = BROKEN;
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
  return min(message.bytes + FIRST_BYTES, message.end);
}

/** One message to its end, when there is no second one to read along with it. */
function readAlone(plan: Plan, message: Message, input: usize, output: usize, stop: usize): void {
  const base = message.bytes;
  do {
    while (output < stop) {
      const tag = <usize>load<u8>(input);
      const length = <u32>load<u8>(tag, lengths);
      const entry = load<u64>(tag << 3, offsets);
      const offset = offsetOf(input, entry);
      const back = output - offset;
      if (offset < length || back < base) {
        input = element(input, message.inputEnd, output, base, message.end);
        if (input === 0) {
          input = BROKEN;
          break;
        }
        output = written;
        continue;
      }
      const from = select<usize>(back, input + 1, <u32>entry !== 0);
      const v0 = v128.load(from);
      const v1 = v128.load(from, 16);
      const v2 = v128.load(from, 32);
      const v3 = v128.load(from, 48);
      v128.store(output, v0);
      v128.store(output, v1, 16);
      v128.store(output, v2, 32);
      v128.store(output, v3, 48);
      output += length;
      input += load<u8>(tag, takens);
    }
    stop = resume(plan, message, input, output);
  } while (stop !== 0);
}
