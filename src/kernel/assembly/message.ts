// From the bytes of one message to where its members and fields lie. Resumes where it stopped, as a message may still be being
// decompressed, and stops when everything that is asked for is settled. Every check of heka/envelope.ts is made here; what is merely unusual counts as a fault, too, as the driver
// gives such messages to the plain path, which decides.
import { candidateAt, findName, Path, Plan, pathAt, Settles } from "./plan";

/** Members of a message before its fields: uuid to hostname. */
export const MEMBERS: u32 = 10;

/** A range of memory; `start` is 0 where there is none. */
@unmanaged
export class Range {
  start: usize;
  end: usize;
}

/** What became of a message. */
export enum Outcome {
  /** Read; every value that matters is in its column. */
  complete,
  /** Read; the driver looks at the columns in order. */
  incomplete,
  /** The plain path decides. */
  odd,
}

/** One message of a batch. */
@unmanaged
export class Message {
  /** The frame: its mark, and its end. */
  frame: usize;
  frameEnd: usize;
  /** The message as it lies in the frame. */
  input: usize;
  inputEnd: usize;
  /** Its bytes: in the arena, or in the frame where they are not compressed. */
  bytes: usize;
  end: usize;
  /** Where scanning goes on. */
  at: usize;
  /** What is known of names and sections while it is read: a Lane. */
  lane: usize;
  compressed: u32;
  /** One of Outcome. */
  outcome: u32;
  /** How many fields were read. */
  fields: u32;
  /** The number of the message in its batch. */
  row: u32;
  /** 1 where the frame's header holds an HMAC. */
  signed: u32;
  /** How many fields are among the members read at once; ALL while that is not known. */
  fieldsAtOnce: u32;
  /** 1 where nothing behind `at` was read: every path is settled. */
  stopped: u32;
  /** 1 where the message is not read again. */
  skipped: u32;
  /** Of members 1 to 9. */
  members0: usize;
}

/** The bytes of a Message, its members behind the rest. */
export const MESSAGE_BYTES: usize = offsetof<Message>("members0") + MEMBERS * offsetof<Range>();

/** The contents of member 1 to 9. */
export function memberOf(message: Message, member: u32): Range {
  const members = changetype<usize>(message) + offsetof<Message>("members0");
  return changetype<Range>(members + <usize>member * offsetof<Range>());
}

/** The first field of a name. */
@unmanaged
export class Found {
  /** The first value of the field's own type; 0 where there is none. */
  start: usize;
  end: usize;
  /** The field's type, 0 to 4; others have no value. */
  type: u32;
  /** The number of the field, from 1; 0 where there is none. */
  order: u32;
}

/** More sections than these and a path that is missing is looked at by the plain path. */
export const MAX_SECTIONS: u32 = 128;

/** What is known of a message while it is read. Two are read at a time. */
@unmanaged
export class Lane {
  /** A Found for each name of the plan. */
  found: usize;
  /** Names with a dot that some field has: a Range each. */
  sections: usize;
  sectionCount: u32;
  /** Paths of the plan before this one are settled. */
  settled: u32;
  /** 1 where a field was found since they were looked at. */
  grown: u32;
}

export function foundAt(lane: Lane, name: u32): Found {
  return changetype<Found>(lane.found + <usize>name * offsetof<Found>());
}

/** What `scan` gives beside a place that more bytes are needed up to. */
export const DONE: usize = 0;
export const FAULT: usize = 1;

/** Of the members, which must be bytes (uuid, type, logger, payload, env_version, hostname, fields) and which varints. */
const BYTES_MEMBERS: u32 = 0b11011011010;
const VARINT_MEMBERS: u32 = 0b00100100100;

/** Of a longer message the members that end within so many bytes are read at once, as in heka/envelope.ts. */
const READ_AT_ONCE: usize = 16 * 1024;
export const ALL: u32 = 0xffffffff;

const MAX_FIELDS: u32 = 65_536;
/** A tag and a length are no longer than this. */
const HEAD: usize = 16;
/** How far to decode on where not even the next head is there. */
const AHEAD: usize = 1024;

/** Where the number that `readVarint` read ends. */
let next: usize = 0;

/** A varint of 32 bits; sets `next`, to 0 where it is cut off or longer than it may be. */
export function readVarint(at: usize, end: usize): u32 {
  let value: u32 = 0;
  for (let shift: u32 = 0; shift < 35; shift += 7) {
    if (at >= end) break;
    const byte = <u32>load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (shift === 28 && byte > 15) break;
      next = at;
      return value;
    }
  }
  next = 0;
  return 0;
}

/** Where the varint that `readVarint` read ends; 0 if there was none. */
export function afterVarint(): usize {
  return next;
}

/** The end of a varint of at most ten bytes; 0 where it is cut off or longer. */
function varintEnd(at: usize, end: usize): usize {
  const last = min<usize>(at + 10, end);
  while (at < last) if (load<u8>(at++) < 0x80) return at;
  return 0;
}

/**
 * Reads on as far as the bytes up to `available` go. Gives DONE, FAULT, or the place up to which bytes are needed.
 */
export function scan(plan: Plan, message: Message, available: usize): usize {
  let at = message.at;
  const end = message.end;
  while (at < end) {
    if (at + HEAD > available && available < end) {
      message.at = at;
      return at + AHEAD;
    }
    const tag = <u32>load<u8>(at);
    const member = tag >> 3;
    if (tag >= 0x80) return FAULT;
    let start = at + 1;
    let stop: usize;
    if (((BYTES_MEMBERS >> member) & 1) !== 0 && (tag & 7) === 2) {
      const length = readVarint(start, end);
      if (next === 0 || <usize>length > end - next) return FAULT;
      start = next;
      stop = start + length;
    } else if (((VARINT_MEMBERS >> member) & 1) !== 0 && (tag & 7) === 0) {
      stop = varintEnd(start, end);
      if (stop === 0) return FAULT;
    } else {
      return FAULT;
    }
    if (stop - message.bytes > READ_AT_ONCE && end - message.bytes > READ_AT_ONCE && isSettled(plan, message)) {
      message.at = at;
      message.stopped = 1;
      return DONE;
    }
    if (member === MEMBERS) {
      if (stop > available) {
        message.at = at;
        return stop;
      }
      if (!readField(plan, message, start, stop)) return FAULT;
    } else {
      const range = memberOf(message, member);
      if (range.start === 0) {
        range.start = start;
        range.end = stop;
      }
    }
    at = stop;
  }
  message.at = at;
  return DONE;
}

/** Whether every path of the plan is settled by the fields read so far, with all that are read at once among them. */
function isSettled(plan: Plan, message: Message): bool {
  const lane = changetype<Lane>(message.lane);
  if (message.fieldsAtOnce === ALL) {
    message.fieldsAtOnce = message.fields;
    lane.grown = 1;
  }
  if (lane.grown === 0 || plan.whole !== 0) return false;
  lane.grown = 0;
  while (lane.settled < plan.pathCount) {
    const path = pathAt(plan, lane.settled);
    const meant = meaningOf(path, lane, message.fieldsAtOnce);
    if (meant < 0 || candidateAt(path, meant).settles === Settles.no) return false;
    lane.settled++;
  }
  return true;
}

/**
 * The position of the candidate that a path means, -1 where there is no such field (yet): the longest among the fields read
 * at once; as long as that does not settle it, a longer one behind them.
 */
export function meaningOf(path: Path, lane: Lane, fieldsAtOnce: u32): i32 {
  let meant: i32 = -1;
  let upTo = fieldsAtOnce;
  for (let i: u32 = 0; i < path.candidateCount; i++) {
    const order = foundAt(lane, candidateAt(path, i).name).order;
    if (order === 0 || order > upTo) continue;
    meant = <i32>i;
    break;
  }
  while (meant < 0 || candidateAt(path, meant).settles === Settles.no) {
    const longer = meant < 0 ? path.candidateCount : <u32>meant;
    let next: i32 = -1;
    let nextOrder = ALL;
    for (let i: u32 = 0; i < longer; i++) {
      const order = foundAt(lane, candidateAt(path, i).name).order;
      if (order <= upTo || order >= nextOrder) continue;
      next = <i32>i;
      nextOrder = order;
    }
    if (next < 0) break;
    meant = next;
    upTo = nextOrder;
  }
  return meant;
}

const NAME: u32 = (1 << 3) | 2;
const TYPE: u32 = 2 << 3;
const REPRESENTATION: u32 = (3 << 3) | 2;
/** Values by kind, the number of its tag: strings, bytes, integers, doubles, bools. */
const FIRST_VALUE: u32 = 4;
const NO_TYPE: u32 = 255;

/** Reads the field in `at`–`end`; false where it is broken, or has values of several kinds. */
function readField(plan: Plan, message: Message, at: usize, end: usize): bool {
  if (++message.fields > MAX_FIELDS) return false;
  return readUsualField(plan, message, at, end) || readAnyField(plan, message, at, end);
}

/** Likewise a field that is a short name, perhaps its type, and one value; false, and nothing is done, where it is another. */
function readUsualField(plan: Plan, message: Message, at: usize, end: usize): bool {
  const nameLength = <u32>load<u8>(at, 1);
  const name = at + 2;
  at = name + nameLength;
  // Behind the name there is a tag at least, and what belongs to it.
  if (load<u8>(name - 2) !== NAME || nameLength >= 0x80 || at + 2 > end) return false;
  let type: u32 = 0;
  let tag = <u32>load<u8>(at);
  if (tag === TYPE) {
    type = load<u8>(at, 1);
    if (type >= 0x80 || at + 4 > end) return false;
    at += 2;
    tag = load<u8>(at);
  }
  const kind = tag >> 3;
  const wire = tag & 7;
  if (tag >= 0x80 || !isValue(kind, wire)) return false;
  let start = at + 1;
  if (wire === 2) {
    let length = <u32>load<u8>(start++);
    if (length >= 0x80) {
      length = readVarint(at + 1, end);
      if (next === 0) return false;
      start = next;
    }
    if (<usize>length !== end - start) return false;
    if (kind >= 6 && (length === 0 || !isPacked(start, end, kind))) return false;
  } else if ((wire === 0 ? varintEnd(start, end) : start + 8) !== end) {
    return false;
  }
  noteField(plan, message, name, nameLength, type, kind, start, end);
  return true;
}

function readAnyField(plan: Plan, message: Message, at: usize, end: usize): bool {
  let name: usize = 0;
  let nameLength: u32 = 0;
  let type = NO_TYPE;
  let kind: u32 = 0;
  let valueStart: usize = 0;
  let valueEnd: usize = 0;
  while (at < end) {
    const tag = <u32>load<u8>(at++);
    const number = tag >> 3;
    const wire = tag & 7;
    if (tag === TYPE) {
      if (at >= end || load<u8>(at) >= 0x80) return false;
      if (type === NO_TYPE) type = load<u8>(at);
      at++;
      continue;
    }
    let start = at;
    if (wire === 2) {
      const length = readVarint(at, end);
      if (next === 0 || <usize>length > end - next) return false;
      start = next;
      at = start + length;
      if (tag === NAME) {
        if (name === 0) {
          name = start;
          nameLength = length;
        }
        continue;
      }
      if (tag === REPRESENTATION) continue;
    } else if (wire === 0) {
      at = varintEnd(at, end);
      if (at === 0) return false;
    } else if (wire === 1) {
      if (end - at < 8) return false;
      at += 8;
    } else {
      return false;
    }
    if (!isValue(number, wire)) return false;
    if (wire === 2 && number >= 6) {
      if (!isPacked(start, at, number)) return false;
      if (start === at) continue; // no number in it
    }
    if (kind === 0) {
      kind = number;
      valueStart = start;
      valueEnd = at;
    } else if (kind !== number) {
      return false;
    }
  }
  if (name !== 0) noteField(plan, message, name, nameLength, type === NO_TYPE ? 0 : type, kind, valueStart, valueEnd);
  return true;
}

/** Remembers where the value of a field lies, of `kind`, if it is the first of a name that the plan has. */
function noteField(
  plan: Plan,
  message: Message,
  name: usize,
  nameLength: u32,
  type: u32,
  kind: u32,
  valueStart: usize,
  valueEnd: usize,
): void {
  const lane = changetype<Lane>(message.lane);
  noteSection(lane, name, nameLength);
  const position = findName(plan, name, nameLength);
  if (position < 0) return;
  const found = foundAt(lane, <u32>position);
  if (found.order !== 0) return;
  found.order = message.fields;
  lane.grown = 1;
  found.type = type;
  if (type + FIRST_VALUE === kind) {
    found.start = valueStart;
    found.end = valueEnd;
  }
}

/** Whether a member of a field is a value of the right wire type: packed or not for numbers. */
function isValue(number: u32, wire: u32): bool {
  if (number < FIRST_VALUE || number > 8) return false;
  if (number < 6) return wire === 2;
  return wire === 2 || wire === (number === 7 ? 1 : 0);
}

/** Whether a packed run holds whole numbers only. */
function isPacked(at: usize, end: usize, number: u32): bool {
  if (number === 7) return ((end - at) & 7) === 0;
  while (at < end) {
    at = varintEnd(at, end);
    if (at === 0) return false;
  }
  return true;
}

/** Remembers a name that has a dot. */
function noteSection(lane: Lane, name: usize, length: u32): void {
  const dot = i8x16.splat(0x2e);
  for (let at: u32 = 0; at < length; at += 16) {
    let dots = <u32>i8x16.bitmask(i8x16.eq(v128.load(name + at), dot));
    if (length - at < 16) dots &= (1 << (length - at)) - 1;
    if (dots === 0) continue;
    if (lane.sectionCount < MAX_SECTIONS) {
      const section = changetype<Range>(lane.sections + <usize>lane.sectionCount * offsetof<Range>());
      section.start = name;
      section.end = name + length;
    }
    lane.sectionCount++;
    return;
  }
}

/** Makes a message ready to be scanned with a lane. */
export function begin(plan: Plan, message: Message, lane: Lane): void {
  message.at = message.bytes;
  message.lane = changetype<usize>(lane);
  message.fields = 0;
  message.fieldsAtOnce = ALL;
  message.stopped = 0;
  memory.fill(changetype<usize>(message) + offsetof<Message>("members0"), 0, MEMBERS * offsetof<Range>());
  memory.fill(lane.found, 0, <usize>plan.nameCount * offsetof<Found>());
  lane.sectionCount = 0;
  lane.settled = 0;
}
