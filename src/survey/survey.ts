// What values lie where in some messages: the paths there are, how often they are filled, by what types and shapes.
import type { RawMessage } from "../heka/message.ts";
import { textShape } from "./shapes.ts";

/** What was seen at one path. */
export interface Seen {
  /** How often there was a value, null not counted. */
  values: number;
  texts: number;
  /** Texts that are decimal numbers: numeric columns read them. */
  numericTexts: number;
  booleans: number;
  /** Of 32 bits; of 64; all other numbers. */
  ints: number;
  longs: number;
  doubles: number;
  /** Bytes of a field that are no text. */
  binary: number;
  objects: number;
  arrays: number;
  shapes: Map<string, number>;
  shortest: number;
  longest: number;
  /** Hashes of the first distinct texts, up to a few. */
  distinct: Set<number | bigint>;
  /** The first distinct values, for those who ask to see them. */
  examples: Set<string>;
  members: Map<string, Seen>;
  /** What was seen at further members, once there are too many, is counted with the last one. */
  lastMember: Seen | undefined;
  /** Items of all arrays together. */
  items: Seen | undefined;
}

const DISTINCT_KEPT = 32;
const EXAMPLES_KEPT = 3;
/** More members than this are no record: further ones are counted with the last. */
const MEMBERS_KEPT = 2_000;

export function newSeen(): Seen {
  const counts = { values: 0, texts: 0, numericTexts: 0, booleans: 0, ints: 0, longs: 0, doubles: 0, binary: 0 };
  return {
    ...counts,
    objects: 0,
    arrays: 0,
    shapes: new Map(),
    shortest: Number.POSITIVE_INFINITY,
    longest: 0,
    distinct: new Set(),
    examples: new Set(),
    members: new Map(),
    lastMember: undefined,
    items: undefined,
  };
}

/** Looks at messages, one by one. */
export class Survey {
  readonly root = newSeen();
  /** Messages whose own JSON could not be read: only their fields were looked at. */
  unread = 0;

  get messages(): number {
    return this.root.objects;
  }

  add(message: RawMessage): void {
    let ping: unknown = {};
    try {
      ping = message.json([], {});
    } catch {
      this.unread++;
    }
    const members = new Map(isObject(ping) ? Object.entries(ping) : []);
    // A field is what its path means, whatever the ping says. Names with dots are sections, which the ping holds by now.
    const fields = new Set<string>();
    for (const { name, values, type } of message.fields()) {
      if (fields.has(name) || name.includes(".") || OF_THE_PING.has(name) || values.length === 0) continue;
      fields.add(name);
      members.set(name, type === "double" ? new Double(values[0] as number) : values[0]);
    }
    this.root.values++;
    this.root.objects++;
    for (const [key, value] of members) look(memberOf(this.root, key), value);
  }
}

/** Fields that hold the ping itself. */
const OF_THE_PING = new Set(["submission", "content"]);

/** A field of type DOUBLE: its column is double, also where all its values are whole. */
class Double {
  constructor(readonly value: number) {}
}

function memberOf(seen: Seen, key: string): Seen {
  let member = seen.members.get(key);
  if (member === undefined) {
    if (seen.members.size === MEMBERS_KEPT) return seen.lastMember!;
    member = seen.lastMember = newSeen();
    seen.members.set(key, member);
  }
  return member;
}

function look(seen: Seen, value: unknown): void {
  if (value === null || value === undefined) return;
  seen.values++;
  if (typeof value === "string") lookAtText(seen, value);
  else if (typeof value === "boolean") seen.booleans++;
  else if (value instanceof Double) seen.doubles++;
  else if (typeof value === "number" || typeof value === "bigint") lookAtNumber(seen, value);
  else if (value instanceof Uint8Array) lookAtBytes(seen, value);
  else if (Array.isArray(value)) {
    seen.arrays++;
    seen.items ??= newSeen();
    for (const item of value) look(seen.items, item);
  } else {
    seen.objects++;
    for (const [key, inner] of Object.entries(value)) look(memberOf(seen, key), inner);
  }
  if (typeof value !== "object" && seen.examples.size < EXAMPLES_KEPT) seen.examples.add(String(value).slice(0, 60));
}

function lookAtText(seen: Seen, text: string): void {
  seen.texts++;
  const shape = textShape(text);
  if (shape.startsWith("decimal")) seen.numericTexts++;
  seen.shapes.set(shape, (seen.shapes.get(shape) ?? 0) + 1);
  seen.shortest = Math.min(seen.shortest, text.length);
  seen.longest = Math.max(seen.longest, text.length);
  if (seen.distinct.size <= DISTINCT_KEPT) seen.distinct.add(Bun.hash(text));
}

function lookAtNumber(seen: Seen, value: number | bigint): void {
  if (typeof value === "number" && !Number.isSafeInteger(value)) seen.doubles++;
  else if (value >= -(2 ** 31) && value < 2 ** 31) seen.ints++;
  else seen.longs++;
}

function lookAtBytes(seen: Seen, bytes: Uint8Array): void {
  try {
    lookAtText(seen, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    seen.binary++;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All that was seen at several paths, as if at one. */
export function merged(all: Iterable<Seen>): Seen {
  const sum = newSeen();
  for (const one of all) {
    for (const count of COUNTS) sum[count] += one[count];
    for (const [shape, times] of one.shapes) sum.shapes.set(shape, (sum.shapes.get(shape) ?? 0) + times);
    sum.shortest = Math.min(sum.shortest, one.shortest);
    sum.longest = Math.max(sum.longest, one.longest);
    for (const hash of one.distinct) if (sum.distinct.size <= DISTINCT_KEPT) sum.distinct.add(hash);
    for (const example of one.examples) if (sum.examples.size < EXAMPLES_KEPT) sum.examples.add(example);
    for (const [key, member] of one.members) {
      const known = sum.members.get(key);
      sum.members.set(key, known ? merged([known, member]) : member);
    }
    if (one.items) sum.items = sum.items ? merged([sum.items, one.items]) : one.items;
  }
  return sum;
}

const COUNTS = [
  "values",
  "texts",
  "numericTexts",
  "booleans",
  "ints",
  "longs",
  "doubles",
  "binary",
  "objects",
  "arrays",
] as const;
