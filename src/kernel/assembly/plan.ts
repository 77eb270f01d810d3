// What a stream asks of messages, as tables in memory: the driver (src/kernel/tables.ts) writes them, fields.ts and resolve.ts
// read them.
import { BatchColumn } from "./batch";
import { equal } from "./text";

/** How a value is asked for, as by a getter of Message. */
export enum Getter {
  boolean,
  int,
  long,
  double,
  text,
  bytes,
  /** Whether there is a value at all. */
  has,
  /** JSON: only where it lies. */
  json,
}

/** What is known of a path in one message. */
export enum State {
  /** Missing, or null. */
  absent,
  /** There, and of the type that was asked for: the column has it. */
  value,
  /** There, as JSON at `starts`: the driver makes a value of it, or an error. */
  json,
  /** There, as the value of a field; its type is added to this. */
  field,
}

/** What the value of a path is for. */
export enum Use {
  /** Functions of the stream ask for it, the driver answers them. */
  asked,
  /** It is a column's, which has a default or is null where it is missing. */
  column,
  /** A message in which it is missing is no row. */
  needed,
}

/** A name of fields that some path may mean. */
@unmanaged
export class Name {
  start: usize;
  length: u32;
  /** The next name in the same bucket, counted from 1; 0 ends the chain. */
  next: u32;
  /** 1 where it has a dot: then it is that of a section, whose text is JSON. */
  dotted: u32;
  /** Its number among the plan's names. */
  position: u32;
  /** The Name of the field that lately came behind one of this name; 0 where there was none, or it is not for readExpected. */
  follower: usize;
}

/** One key on the way into JSON. */
@unmanaged
export class Key {
  /** The same for all keys of a plan that are equal. */
  start: usize;
  length: u32;
}

/** Whether a field of a name settles a path that is not settled by what is read at once, so that nothing behind it counts. */
export enum Settles {
  no,
  /** It does: the path is all of the name. */
  yes,
  /** It does, and nothing is split off from below the path: the name is that of a section (heka/split.ts). */
  section,
}

/** A prefix of a path that may name a field. */
@unmanaged
export class Candidate {
  /** The position of its name. */
  name: u32;
  /** How many keys of the path it takes. */
  keys: u32;
  /** One of Settles. */
  settles: u32;
}

/** One path, and the getter that asks for it. */
@unmanaged
export class Path {
  /** What the column has where the value is missing: the bits of a number or boolean, or where text lies. */
  defaultValue: u64;
  getter: u32;
  /** The longest first. */
  candidates: usize;
  candidateCount: u32;
  keys: usize;
  keyCount: u32;
  /** What names of sections below it begin with: the path and a dot. */
  below: usize;
  belowLength: u32;
  /** Where its values go. */
  column: BatchColumn;
  /** u8 for each message, one of State. */
  states: usize;
  /** One of Use. */
  use: u32;
  /** 0: null. */
  hasDefault: u32;
  defaultLength: u32;
  /** Where all of the path is the name of a field, and neither that of a section nor JSON: the name, counted from 1. Else 0. */
  field: u32;
}

@unmanaged
export class Plan {
  /** u16 for each bucket: the first name in it, counted from 1; 0 where there is none. */
  buckets: usize;
  names: usize;
  nameCount: u32;
  paths: usize;
  pathCount: u32;
  /** Two Lanes (message.ts), as two messages are read at a time. */
  laneA: usize;
  laneB: usize;
  /** 1 where every message is read to its end. */
  whole: u32;
  /** As Name's follower: the name that came first in a message, and that which came behind one that the plan does not have. */
  first: usize;
  afterOther: usize;
}

/** Buckets of names. */
export const BUCKETS: u32 = 1024;
/** The names that every plan has, by position: where a ping lies that was not split. */
export const SUBMISSION: u32 = 0;
export const CONTENT: u32 = 1;

// Offsets by hand: arrays of structures are no arrays of AssemblyScript.

export function nameAt(plan: Plan, position: u32): Name {
  return changetype<Name>(plan.names + <usize>position * offsetof<Name>());
}

export function pathAt(plan: Plan, position: u32): Path {
  return changetype<Path>(plan.paths + <usize>position * offsetof<Path>());
}

export function candidateAt(path: Path, position: u32): Candidate {
  return changetype<Candidate>(path.candidates + <usize>position * offsetof<Candidate>());
}

/** The bucket of a name: its first and last eight bytes and its length tell nearly all apart. */
export function bucketOf(start: usize, length: u32): u32 {
  let head = load<u64>(start);
  let tail: u64 = 0;
  if (length < 8) head = length === 0 ? 0 : head & (~(<u64>0) >> (64 - (length << 3)));
  else tail = load<u64>(start + length - 8);
  const mixed = (head ^ ((tail + length) * 0x9e3779b97f4a7c15)) * 0xff51afd7ed558ccd;
  return <u32>(mixed >> 54);
}

/** The position of the name at `start`; -1 where no path means it. */
export function findName(plan: Plan, start: usize, length: u32): i32 {
  let next: u32 = load<u16>(plan.buckets + ((<usize>bucketOf(start, length)) << 1));
  while (next !== 0) {
    const name = nameAt(plan, next - 1);
    if (name.length === length && equal(name.start, start, length)) return <i32>next - 1;
    next = name.next;
  }
  return -1;
}
