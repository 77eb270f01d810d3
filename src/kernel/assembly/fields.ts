// The fields of a message: what each has for a name, and where its value lies, for those that the plan asks for.
import { Found, foundAt, Lane, MAX_SECTIONS, MEMBERS, Message, Range, READ_AT_ONCE } from "./message";
import { findName, Name, nameAt, Plan } from "./plan";
import { equal } from "./text";
import { afterVarint, readVarint, varintEnd } from "./varint";

const MAX_FIELDS: u32 = 65_536;
/** A field among the members of a message. */
const FIELD: u32 = (MEMBERS << 3) | 2;
const NAME_TAG: u32 = (1 << 3) | 2;
const TYPE: u32 = 2 << 3;
const REPRESENTATION: u32 = (3 << 3) | 2;
/** Values by kind, the number of its tag: strings, bytes, integers, doubles, bools. */
const FIRST_VALUE: u32 = 4;
const NO_TYPE: u32 = 255;

/**
 * Reads on as long as fields are those that came in the same place of some message before, short and with one value: then one
 * comparison tells their names. Gives where something else begins. All that it reads is for `scan` to read at once.
 */
export function readExpected(message: Message, at: usize, available: usize): usize {
  const limit = min(available, message.bytes + READ_AT_ONCE);
  const lane = changetype<Lane>(message.lane);
  const founds = lane.found;
  let follower = lane.follower;
  let fields = message.fields;
  while (at + 4 < limit) {
    const name = changetype<Name>(load<usize>(follower));
    if (changetype<usize>(name) === 0) break;
    const length = name.length;
    // The member's tag and its length, of which nothing is known, then those of the name.
    if ((load<u32>(at) & 0xffff80ff) !== (FIELD | (NAME_TAG << 16) | (length << 24))) break;
    const stop = at + 2 + <usize>load<u8>(at, 1);
    if (stop > limit || !equal(name.start, at + 4, length)) break;
    let value = at + 4 + length;
    let type: u32 = 0;
    if (load<u8>(value) === TYPE) {
      type = load<u8>(value, 1);
      value += 2;
    }
    const tag = <u32>load<u8>(value);
    value = valueStart(tag, value + 1, stop);
    if (value === 0 || type >= 0x80) break;
    fields++;
    const found = changetype<Found>(founds + <usize>name.position * offsetof<Found>());
    if (found.order === 0) {
      found.order = fields;
      found.type = type;
      if (type + FIRST_VALUE === tag >> 3) {
        found.start = value;
        found.end = stop;
      }
    }
    follower = changetype<usize>(name) + offsetof<Name>("follower");
    at = stop;
  }
  if (fields !== message.fields) lane.grown = 1;
  message.fields = fields;
  lane.follower = follower;
  return at;
}

/** Reads the field in `at`–`end`; false where it is broken, or has values of several kinds. */
export function readField(plan: Plan, message: Message, at: usize, end: usize): bool {
  if (++message.fields > MAX_FIELDS) return false;
  return readUsualField(plan, message, at, end) || readAnyField(plan, message, at, end);
}

/** Likewise a field that is a short name, perhaps its type, and one value; false, and nothing is done, where it is another. */
function readUsualField(plan: Plan, message: Message, at: usize, end: usize): bool {
  const nameLength = <u32>load<u8>(at, 1);
  const name = at + 2;
  at = name + nameLength;
  // Behind the name there is a tag at least, and what belongs to it.
  if (load<u8>(name - 2) !== NAME_TAG || nameLength >= 0x80 || at + 2 > end) return false;
  let type: u32 = 0;
  let tag = <u32>load<u8>(at);
  if (tag === TYPE) {
    type = load<u8>(at, 1);
    if (type >= 0x80 || at + 4 > end) return false;
    at += 2;
    tag = load<u8>(at);
  }
  const start = valueStart(tag, at + 1, end);
  if (start === 0) return false;
  noteField(plan, message, name, nameLength, type, tag >> 3, start, end);
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
      start = afterVarint();
      if (start === 0 || <usize>length > end - start) return false;
      at = start + length;
      if (tag === NAME_TAG) {
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
  expectNext(plan, lane, position);
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

/** Where the content of a value begins whose tag lies before `at`, and which takes the bytes up to `end`; 0 where it is none. */
function valueStart(tag: u32, at: usize, end: usize): usize {
  const kind = tag >> 3;
  const wire = tag & 7;
  if (tag >= 0x80 || !isValue(kind, wire)) return 0;
  if (wire !== 2) return (wire === 0 ? varintEnd(at, end) : at + 8) === end ? at : 0;
  let start = at + 1;
  let length = <u32>load<u8>(at);
  if (length >= 0x80) {
    length = readVarint(at, end);
    start = afterVarint();
  }
  if (start === 0 || <usize>length !== end - start) return 0;
  return kind < 6 || (length !== 0 && isPacked(start, end, kind)) ? start : 0;
}

/** Remembers which name came behind the one before, by its position, and that the next one comes behind it. */
function expectNext(plan: Plan, lane: Lane, position: i32): void {
  if (position < 0) {
    store<usize>(lane.follower, 0);
    lane.follower = changetype<usize>(plan) + offsetof<Plan>("afterOther");
    return;
  }
  const name = changetype<usize>(nameAt(plan, <u32>position));
  const isUsual = changetype<Name>(name).dotted === 0 && changetype<Name>(name).length < 0x80;
  store<usize>(lane.follower, isUsual ? name : 0);
  lane.follower = name + offsetof<Name>("follower");
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
