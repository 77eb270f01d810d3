// The structures that driver and kernel share, as they lie in memory: numbers of assembly/plan.ts, message.ts, frames.ts and
// batch.ts, in bytes. Where the two differ the kernel gives nonsense, and the tests that compare it with the plain way fail.

/** How a value is asked for. */
export const GETTER = { boolean: 0, int: 1, long: 2, double: 3, text: 4, bytes: 5, has: 6, json: 7 } as const;
export type Getter = keyof typeof GETTER;

/** What is known of a path in one message; `field` and above: that of a field, whose type is added. */
export const STATE = { absent: 0, value: 1, json: 2, field: 3 } as const;

/** What a path is for. */
export const USE = { asked: 0, column: 1, needed: 2 } as const;

/** What became of a message. */
export const OUTCOME = { complete: 0, incomplete: 1, odd: 2 } as const;

/** Why a batch ends where it does. */
export const END = { window: 0, full: 1, other: 2 } as const;

/** The names every plan has, in this order. */
export const PING_FIELDS = ["submission", "content"] as const;

/** So much may be read behind the window: assembly/snappy.ts takes up to three bytes for each of FARTHEST before it looks. */
export const INPUT_SLACK = 128 << 10;

export const BUCKETS = 1024;

export const NAME = { start: 0, length: 4, next: 8, dotted: 12, position: 16, follower: 20, bytes: 24 } as const;
export const KEY = { start: 0, length: 4, bytes: 8 } as const;
export const CANDIDATE = { name: 0, keys: 4, settles: 8, bytes: 12 } as const;
/** Whether a field of a name settles a path. */
export const SETTLES = { no: 0, yes: 1, section: 2 } as const;
export const PATH = {
  defaultValue: 0,
  getter: 8,
  candidates: 12,
  candidateCount: 16,
  keys: 20,
  keyCount: 24,
  below: 28,
  belowLength: 32,
  column: 36,
  states: 40,
  use: 44,
  hasDefault: 48,
  defaultLength: 52,
  field: 56,
  bytes: 60,
} as const;
export const PLAN = {
  buckets: 0,
  names: 4,
  nameCount: 8,
  paths: 12,
  pathCount: 16,
  laneA: 20,
  laneB: 24,
  whole: 28,
  first: 32,
  afterOther: 36,
  bytes: 40,
} as const;
export const COLUMN = { kind: 0, present: 4, values: 8, starts: 12, lengths: 16, bytes: 20 } as const;
export const FOUND_BYTES = 16;
export const LANE = {
  found: 0,
  sections: 4,
  sectionCount: 8,
  settled: 12,
  grown: 16,
  follower: 20,
  bytes: 24,
} as const;
export const MAX_SECTIONS = 128;
export const RANGE_BYTES = 8;
export const MESSAGE = {
  frame: 0,
  frameEnd: 4,
  input: 8,
  inputEnd: 12,
  start: 16,
  end: 20,
  compressed: 32,
  outcome: 36,
  signed: 48,
  fieldsAtOnce: 52,
  stopped: 56,
  skipped: 60,
  members: 68,
  bytes: 148,
} as const;
export const READING = {
  plan: 0,
  messages: 4,
  capacity: 8,
  arena: 12,
  arenaEnd: 16,
  count: 20,
  at: 24,
  ended: 28,
  outcome: 32,
  bytes: 36,
} as const;
