// From the bytes of one message to where its members and fields lie. Resumes where it stopped, as a message may still be being
// decompressed, and stops when everything that is asked for is settled. Every check of heka/envelope.ts is made here; what is merely
// unusual counts as a fault, too, as the driver gives such messages to the plain path, which decides.
import { readExpected, readField } from "./fields";
import { ALL, Lane, MEMBERS, Message, meaningOf, memberOf, READ_AT_ONCE } from "./message";
import { candidateAt, Plan, pathAt, Settles } from "./plan";
import { afterVarint, readVarint, varintEnd } from "./varint";

/** What `scan` gives beside a place that more bytes are needed up to. */
export const DONE: usize = 0;
export const FAULT: usize = 1;

/** Of the members, which must be bytes (uuid, type, logger, payload, env_version, hostname, fields) and which varints. */
const BYTES_MEMBERS: u32 = 0b11011011010;
const VARINT_MEMBERS: u32 = 0b00100100100;

/** A tag and a length are no longer than this. */
const HEAD: usize = 16;
/** How far to decode on where not even the next head is there. */
const AHEAD: usize = 1024;

/**
 * Reads on as far as the bytes up to `available` go. Gives DONE, FAULT, or the place up to which bytes are needed.
 */
export function scan(plan: Plan, message: Message, available: usize): usize {
  let at = message.at;
  const end = message.end;
  while (at < end) {
    at = readExpected(message, at, available);
    if (at === end) break;
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
      start = afterVarint();
      if (start === 0 || <usize>length > end - start) return FAULT;
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
