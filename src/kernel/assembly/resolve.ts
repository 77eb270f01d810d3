// From a scanned message to the values of the plan's paths. The rule of which field a path means is that of heka/document.ts;
// what is plain becomes a value here, everything else is left to the driver, which has the rest of the rules.
import { BatchColumn } from "./batch";
import { forgetWay, skipSpace, valueEnd, valueStart, Walk, walk } from "./json";
import { Found, foundAt, Lane, MAX_SECTIONS, Message, meaningOf, memberOf, Outcome, Range } from "./message";
import { double, doubleOfText, long, longOfDouble, longOfText } from "./numbers";
import { CONTENT, candidateAt, Getter, nameAt, Path, Plan, pathAt, Settles, State, SUBMISSION, Use } from "./plan";
import { equal, isPlain, isUtf8 } from "./text";

const PAYLOAD: u32 = 6;

/** The types of fields. */
const BYTES: u32 = 1;
const INTEGER: u32 = 2;
const DOUBLE: u32 = 3;
const BOOL: u32 = 4;

/** Fills the columns of all paths for the message at `row` of its batch. */
export function resolve(plan: Plan, message: Message, row: u32): Outcome {
  const lane = changetype<Lane>(message.lane);
  let outcome = Outcome.complete;
  forgetWay();
  for (let position: u32 = 0; position < plan.pathCount; position++) {
    const path = pathAt(plan, position);
    if (path.field !== 0 && putUsual(path, foundAt(lane, path.field - 1), row)) continue;
    const state = find(plan, path, message, lane, row);
    if (state < 0) return Outcome.odd;
    // JSON has the sections below it put back in: the plain path does that.
    if (path.getter === Getter.json && state !== State.absent && absent(path, lane, true) < 0) return Outcome.odd;
    store<u8>(path.states + row, <u8>state);
    if (state === State.absent) {
      putDefault(path, row);
      if (path.use === Use.needed) outcome = Outcome.incomplete;
    } else if (state !== State.value && path.use !== Use.asked) {
      outcome = Outcome.incomplete;
    }
  }
  return outcome;
}

/** The value of a field that is of the type that is asked for, as most are; false, and nothing is done, where it is another. */
function putUsual(path: Path, found: Found, row: u32): bool {
  const start = found.start;
  const end = found.end;
  const type = found.type;
  const column = path.column;
  if (start === 0) return false;
  if (path.getter === Getter.text) {
    if (type > BYTES || !isUtf8(start, end)) return false;
    keepPlace(column, row, start, end);
  } else if (path.getter === Getter.double) {
    if (type !== DOUBLE) return false;
    storeDouble(column, row, load<f64>(start));
  } else {
    if (end - start !== 1) return false;
    const value = <u32>load<u8>(start);
    if (path.getter === Getter.int && type === INTEGER) store<u32>(column.values + ((<usize>row) << 2), value);
    else if (path.getter === Getter.boolean && type === BOOL) store<u8>(column.values + row, value === 0 ? 0 : 1);
    else return false;
  }
  store<u8>(column.present + row, 1);
  store<u8>(path.states + row, State.value);
  return true;
}

/** What cannot be decided here. */
const ODD: i32 = -1;

/** One of State, or ODD. */
function find(plan: Plan, path: Path, message: Message, lane: Lane, row: u32): i32 {
  const meant = meaningOf(path, lane, message.fieldsAtOnce);
  if (meant >= 0) {
    const candidate = candidateAt(path, meant);
    const found = foundAt(lane, candidate.name);
    // What was split off from below it might lie in what was not read.
    const isKnown = message.stopped === 0 || candidate.settles === Settles.section;
    // The field is there: what it lacks is not looked for elsewhere.
    if (candidate.keys !== path.keyCount) {
      if (found.start === 0 || found.type > BYTES) return absent(path, lane, isKnown);
      return findInside(path, lane, row, found.start, found.end, candidate.keys, isKnown);
    }
    if (found.start === 0) return absent(path, lane, isKnown);
    const mayBeNull = found.type <= BYTES && nameAt(plan, candidate.name).dotted !== 0;
    if (mayBeNull && isNull(found.start, found.end)) return absent(path, lane, isKnown);
    return ofField(path, row, found.type, found.start, found.end);
  }
  if (message.stopped !== 0) return ODD;
  const payload = memberOf(message, PAYLOAD);
  if (payload.end > payload.start) return findInside(path, lane, row, payload.start, payload.end, 0, true);
  const submission = foundAt(lane, SUBMISSION);
  if (submission.start !== 0 && submission.type <= BYTES) {
    return findInside(path, lane, row, submission.start, submission.end, 0, true);
  }
  // The client's own bytes are often gzip, which is not unpacked here.
  return foundAt(lane, CONTENT).start !== 0 ? ODD : absent(path, lane, true);
}

function findInside(path: Path, lane: Lane, row: u32, start: usize, end: usize, from: u32, isKnown: bool): i32 {
  const result = walk(start, end, path.keys, path.keyCount, from);
  if (result === Walk.odd) return ODD;
  if (result === Walk.absent || isNull(valueStart, valueEnd)) return absent(path, lane, isKnown);
  return ofJson(path, row, valueStart, valueEnd);
}

/**
 * Sections below a path make it one that is there, though of another type than most getters want. `isKnown`: whether all of
 * them that count are known.
 */
function absent(path: Path, lane: Lane, isKnown: bool): i32 {
  if (!isKnown || lane.sectionCount > MAX_SECTIONS) return ODD;
  for (let i: u32 = 0; i < lane.sectionCount; i++) {
    const name = changetype<Range>(lane.sections + <usize>i * offsetof<Range>());
    const longer = name.end - name.start > path.belowLength;
    if (longer && equal(name.start, path.below, path.belowLength)) return ODD;
  }
  return State.absent;
}

/** Whether the range is null, blanks aside. */
function isNull(start: usize, end: usize): bool {
  const at = skipSpace(start, end);
  return at + 4 <= end && load<u32>(at) === 0x6c6c756e && skipSpace(at + 4, end) === end;
}

function ofField(path: Path, row: u32, type: u32, start: usize, end: usize): i32 {
  const getter = <Getter>path.getter;
  if (getter === Getter.has) return State.value;
  const column = path.column;
  if (type <= BYTES) {
    if (getter === Getter.bytes || (getter === Getter.text && isUtf8(start, end)))
      return putText(column, row, start, end);
    if (isNumeric(getter) && putDecimal(column, getter, row, start, end, false)) return State.value;
  } else if (type === INTEGER) {
    if (isNumeric(getter) && putInteger(column, getter, row, integerAt(start, end))) return State.value;
  } else if (type === DOUBLE) {
    if (isNumeric(getter) && putDouble(column, getter, row, load<f64>(start))) return State.value;
  } else if (type === BOOL && getter === Getter.boolean) {
    return putBoolean(column, row, integerAt(start, end) !== 0);
  }
  keepPlace(column, row, start, end);
  return State.field + type;
}

function ofJson(path: Path, row: u32, start: usize, end: usize): i32 {
  const getter = <Getter>path.getter;
  if (getter === Getter.has) return State.value;
  const column = path.column;
  const isString = load<u8>(start) === 0x22;
  if (getter === Getter.text || getter === Getter.bytes) {
    if (isString && isPlain(start + 1, end - 1)) return putText(column, row, start + 1, end - 1);
  } else if (getter === Getter.boolean) {
    if (end - start === 4 && load<u32>(start) === 0x65757274) return putBoolean(column, row, true);
    if (end - start === 5 && load<u32>(start) === 0x736c6166 && load<u8>(start, 4) === 0x65) {
      return putBoolean(column, row, false);
    }
  } else if (isNumeric(getter)) {
    const inner: usize = isString ? 1 : 0;
    if (putDecimal(column, getter, row, start + inner, end - inner, !isString)) return State.value;
  }
  keepPlace(column, row, start, end);
  return State.json;
}

function isNumeric(getter: Getter): bool {
  return getter === Getter.int || getter === Getter.long || getter === Getter.double;
}

/** An integer as protobuf has it: a varint, negative ones in ten bytes. The scan has checked its length. */
function integerAt(at: usize, end: usize): i64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; at < end; shift += 7) {
    const byte = <u64>load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return <i64>value;
}

// The put functions store a value and say that there is one. Those for numbers give false where it does not fit.

function putDecimal(column: BatchColumn, getter: Getter, row: u32, start: usize, end: usize, json: bool): bool {
  if (getter === Getter.double) return doubleOfText(start, end, json) && storeDouble(column, row, double);
  return longOfText(start, end, json) && putInteger(column, getter, row, long);
}

function putInteger(column: BatchColumn, getter: Getter, row: u32, value: i64): bool {
  if (getter === Getter.double) return storeDouble(column, row, <f64>value);
  store<u8>(column.present + row, 1);
  if (getter === Getter.long) {
    store<i64>(column.values + ((<usize>row) << 3), value);
    return true;
  }
  if (<i64>(<i32>value) !== value) return false;
  store<i32>(column.values + ((<usize>row) << 2), <i32>value);
  return true;
}

function putDouble(column: BatchColumn, getter: Getter, row: u32, value: f64): bool {
  if (getter === Getter.double) return storeDouble(column, row, value);
  return longOfDouble(value) && putInteger(column, getter, row, long);
}

function storeDouble(column: BatchColumn, row: u32, value: f64): bool {
  store<u8>(column.present + row, 1);
  // NaN in its one form, as the engine stores it.
  store<f64>(column.values + ((<usize>row) << 3), value === value ? value : NaN);
  return true;
}

function putBoolean(column: BatchColumn, row: u32, value: bool): i32 {
  store<u8>(column.present + row, 1);
  store<u8>(column.values + row, value ? 1 : 0);
  return State.value;
}

function putText(column: BatchColumn, row: u32, start: usize, end: usize): i32 {
  store<u8>(column.present + row, 1);
  keepPlace(column, row, start, end);
  return State.value;
}

function keepPlace(column: BatchColumn, row: u32, start: usize, end: usize): void {
  store<u32>(column.starts + ((<usize>row) << 2), <u32>start);
  store<u32>(column.lengths + ((<usize>row) << 2), <u32>(end - start));
}

/** The default of a column, or null. */
function putDefault(path: Path, row: u32): void {
  const column = path.column;
  store<u8>(column.present + row, <u8>path.hasDefault);
  if (path.hasDefault === 0) return;
  const value = path.defaultValue;
  const getter = <Getter>path.getter;
  if (getter === Getter.boolean) store<u8>(column.values + row, <u8>value);
  else if (getter === Getter.int) store<u32>(column.values + ((<usize>row) << 2), <u32>value);
  else if (getter === Getter.long || getter === Getter.double) store<u64>(column.values + ((<usize>row) << 3), value);
  else keepPlace(column, row, <usize>value, <usize>value + path.defaultLength);
}
