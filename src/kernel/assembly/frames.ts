// Cuts the window into frames and reads a batch of their messages. Takes only what is beyond doubt: a frame that lies whole in
// the window, with the next frame's header or the end behind it. What else there is the driver gives to heka/frames.ts.
import { messageLength, messageStart, readHeader, Sight, signed } from "./header";
import { begin, Lane, MESSAGE_BYTES, Message, Outcome } from "./message";
import { Plan } from "./plan";
import { resolve } from "./resolve";
import { DONE, scan } from "./scan";
import { readBlocks } from "./snappy";
import { afterVarint, readVarint } from "./varint";

/** Why a batch ends where it does. */
export enum End {
  /** At the end of the window, or before a frame that is not all there. */
  window,
  /** The batch has as many messages, or bytes, as it can hold. */
  full,
  /** Before something else than a frame. */
  other,
}

/** What `readBatch` works with and gives back, shared with the driver. */
@unmanaged
export class Reading {
  plan: Plan;
  /** Message[], as many as `capacity`. */
  messages: usize;
  capacity: u32;
  /** Where decompressed messages go. */
  arena: usize;
  arenaEnd: usize;
  /** How many messages the batch has. */
  count: u32;
  /** Where the first frame begins that is not part of it. */
  at: usize;
  /** One of End. */
  ended: u32;
  /** Of all messages together, the worst Outcome. */
  outcome: u32;
}

/** A batch that takes more of the arena is full: more memory than this does not stay in the processor's second cache. */
const ENOUGH: usize = 1 << 20;
/** Between two messages in the arena: vectors may be written and read beyond the end. */
const SLACK: usize = 128;

/** Reads a batch from the window's bytes in `at`–`limit`; `isLast` where no bytes follow them. */
export function readBatch(reading: Reading, at: usize, limit: usize, isLast: bool): void {
  cut(reading, at, limit, isLast);
  readAgain(reading);
}

/** Reads the messages of the batch that are not skipped, by the plan that `reading` has by now. */
export function readAgain(reading: Reading): void {
  const plan = reading.plan;
  const messages = reading.messages;
  const count = reading.count;
  readBlocks(plan, messages, count);
  let worst = Outcome.complete;
  for (let row: u32 = 0; row < count; row++) {
    const message = changetype<Message>(messages + row * MESSAGE_BYTES);
    if (message.skipped !== 0) {
      worst = max(worst, Outcome.incomplete);
      continue;
    }
    if (message.compressed === 0 && message.outcome !== Outcome.odd) readPlain(plan, message);
    worst = max(worst, message.outcome);
  }
  reading.outcome = worst;
}

/** Finds the frames of the batch, and a place in the arena for each message that is compressed. */
function cut(reading: Reading, at: usize, limit: usize, isLast: bool): void {
  let arena = reading.arena;
  let count: u32 = 0;
  let sight = readHeader(at, limit);
  let ended = End.full;
  while (count < reading.capacity && arena - reading.arena <= ENOUGH) {
    if (sight !== Sight.frame) {
      ended = sight === Sight.other || (isLast && at < limit) ? End.other : End.window;
      break;
    }
    const start = messageStart;
    const isSigned = signed;
    const end = start + messageLength;
    if (end > limit) {
      ended = isLast ? End.other : End.window;
      break;
    }
    const isEnd = isLast && end === limit;
    sight = isEnd ? Sight.unclear : readHeader(end, limit);
    if (sight !== Sight.frame && !isEnd) {
      ended = sight === Sight.other || isLast ? End.other : End.window;
      break;
    }
    const message = changetype<Message>(reading.messages + count * MESSAGE_BYTES);
    message.frame = at;
    message.frameEnd = end;
    message.input = start;
    message.inputEnd = end;
    message.row = count;
    message.skipped = 0;
    message.signed = isSigned ? 1 : 0;
    const room = place(message, arena, reading.arenaEnd);
    if (room === 0) break;
    arena = room;
    count++;
    at = end;
  }
  reading.count = count;
  reading.at = at;
  reading.ended = ended;
}

/**
 * Decides whether a message is a Snappy block, by the rule of heka/snappy.ts, and where its bytes go. Gives where the arena
 * goes on; 0 where there is no room.
 */
function place(message: Message, arena: usize, arenaEnd: usize): usize {
  const size = <u64>(message.inputEnd - message.input);
  const declared = <u64>readVarint(message.input, message.inputEnd);
  message.compressed = 0;
  message.outcome = Outcome.odd;
  // Nothing in it, or no length at all: the plain path tells what that is.
  if (size === 0 || afterVarint() === 0) return arena;
  message.outcome = Outcome.complete;
  const isBlock = 6 * size <= 192 + 7 * declared && declared <= 64 << 20 && declared <= 22 * size;
  if (!isBlock) {
    message.bytes = message.input;
    message.end = message.inputEnd;
    return arena;
  }
  if (<u64>arena + declared + SLACK > <u64>arenaEnd) return 0;
  message.compressed = 1;
  message.bytes = arena;
  message.end = arena + <usize>declared;
  return (message.end + SLACK + 63) & ~63;
}

function readPlain(plan: Plan, message: Message): void {
  begin(plan, message, changetype<Lane>(plan.laneA));
  const isWhole = scan(plan, message, message.end) === DONE;
  message.outcome = isWhole ? resolve(plan, message, message.row) : Outcome.odd;
}
