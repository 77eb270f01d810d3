// A message of a batch, and what is known of it while it is read: structures that frames.ts, snappy.ts, scan.ts, fields.ts and
// resolve.ts share.
import { candidateAt, Path, Plan, Settles } from "./plan";

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
  /** Of a block the message that is read after it; 0 where that is the last one. */
  next: usize;
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
  /** Where the plan has the name that most likely comes next: a place of some Name's `follower`, or its like. */
  follower: usize;
}

export function foundAt(lane: Lane, name: u32): Found {
  return changetype<Found>(lane.found + <usize>name * offsetof<Found>());
}

/** Of a longer message the members that end within so many bytes are read at once, as in heka/envelope.ts. */
export const READ_AT_ONCE: usize = 16 * 1024;
/** So many fields are among them while that is not known. */
export const ALL: u32 = 0xffffffff;

/** Makes a message ready to be scanned with a lane. */
export function begin(plan: Plan, message: Message, lane: Lane): void {
  message.at = message.bytes;
  message.lane = changetype<usize>(lane);
  message.fields = 0;
  message.fieldsAtOnce = ALL;
  message.stopped = 0;
  // In vectors, as the engine's own fill is slow to call: a Found is one, and of the members two are.
  const none = i64x2.splat(0);
  const members = changetype<usize>(message) + offsetof<Message>("members0");
  for (let at: usize = 0; at < MEMBERS * offsetof<Range>(); at += 16) v128.store(members + at, none);
  const foundEnd = lane.found + <usize>plan.nameCount * offsetof<Found>();
  for (let at = lane.found; at < foundEnd; at += 16) v128.store(at, none);
  lane.sectionCount = 0;
  lane.settled = 0;
  lane.follower = changetype<usize>(plan) + offsetof<Plan>("first");
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
