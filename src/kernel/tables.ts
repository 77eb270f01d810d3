// What a stream asks of messages, written into the kernel's memory as the tables that assembly/plan.ts describes.
import type { CompiledPath } from "../heka/path.ts";
import { type Ask, Asks, type Fallback } from "./asks.ts";
import {
  BUCKETS,
  CANDIDATE,
  COLUMN,
  FOUND_BYTES,
  GETTER,
  type Getter,
  KEY,
  LANE,
  MAX_SECTIONS,
  NAME,
  PATH,
  PING_FIELDS,
  PLAN,
  RANGE_BYTES,
  SETTLES,
  USE,
} from "./layout.ts";
import type { KernelMemory } from "./memory.ts";

/** Where the results of one Ask lie, for each message of a batch. */
export interface Answers {
  /** u8, see STATE. */
  readonly states: number;
  /** Numbers and booleans. */
  readonly values: number;
  /** u32. */
  readonly starts: number;
  readonly lengths: number;
  readonly column: number;
}

export interface Tables {
  readonly plan: number;
  /** In the order of the asks. */
  readonly answers: readonly Answers[];
  /** The block that holds all of it, to be released. */
  readonly block: number;
  readonly bytes: number;
}

/** A set of asks with its tables, which follow when more is asked for. */
export class Questions {
  readonly asks = new Asks();
  private tables: Tables | undefined;

  /** Brings the tables up to date; the place of their plan. */
  write(memory: KernelMemory, capacity: number, whole: boolean): number {
    if (this.tables === undefined || this.asks.grown) {
      this.release(memory);
      this.tables = writeTables(memory, this.asks.list, capacity, whole);
      this.asks.grown = false;
    }
    return this.tables.plan;
  }

  /** Of the batch read last. */
  get answers(): Tables["answers"] {
    return this.tables!.answers;
  }

  /** Gives the tables' memory back. */
  release(memory: KernelMemory): void {
    if (this.tables !== undefined) memory.release(this.tables.block, this.tables.bytes);
    this.tables = undefined;
  }
}

/** The kinds of columns by getter; assembly/batch.ts. */
const KINDS = { boolean: 0, int: 1, long: 2, double: 3, text: 4, bytes: 5, has: 0, json: 5 } as const satisfies Record<
  Getter,
  number
>;

/** Writes the tables for batches of up to `capacity` messages; `whole`: all of them are read to their ends. */
function writeTables(memory: KernelMemory, asks: readonly Ask[], capacity: number, whole: boolean): Tables {
  const utf8 = new TextEncoder();
  const names = nameList(asks);
  const bytes = tableBytes(asks, names, capacity);
  const block = memory.allocate(bytes);
  memory.bytes.fill(0, block, block + bytes);
  const { view, bytes: all } = memory;
  let free = block;
  const take = (size: number): number => {
    const at = free;
    free += (size + 7) & ~7;
    return at;
  };
  const set = (at: number, value: number): void => view.setUint32(at, value, true);
  const text = (value: Uint8Array): number => {
    // Something behind each, so that no two lie in one place: equal keys are told by theirs (assembly/json.ts).
    const at = take(value.length + 8);
    all.set(value, at);
    return at;
  };

  const keyTexts = new Map<string, number>();
  const keyText = (key: CompiledPath["keys"][number]): number => {
    const at = keyTexts.get(key.text) ?? text(key.bytes);
    keyTexts.set(key.text, at);
    return at;
  };

  const plan = take(PLAN.bytes);
  const buckets = take(2 * BUCKETS);
  const nameTable = take(NAME.bytes * names.length);
  names.forEach((name, i) => {
    const encoded = utf8.encode(name);
    const at = nameTable + i * NAME.bytes;
    const start = text(encoded);
    set(at + NAME.start, start);
    set(at + NAME.length, encoded.length);
    set(at + NAME.dotted, name.includes(".") ? 1 : 0);
    set(at + NAME.position, i);
    const bucket = buckets + 2 * bucketOf(view, start, encoded.length);
    set(at + NAME.next, view.getUint16(bucket, true));
    view.setUint16(bucket, i + 1, true);
  });
  const paths = take(PATH.bytes * asks.length);
  const answers = asks.map(({ path, getter, use, fallback }, i): Answers => {
    const at = paths + i * PATH.bytes;
    const candidates = take(CANDIDATE.bytes * path.fieldNames.length);
    path.fieldNames.forEach((candidate, j) => {
      set(candidates + j * CANDIDATE.bytes + CANDIDATE.name, names.indexOf(nameOf(path, candidate.keys)));
      set(candidates + j * CANDIDATE.bytes + CANDIDATE.keys, candidate.keys);
      // JSON has the sections below it put back in, wherever they lie.
      const isAll = candidate.keys === path.keys.length && getter !== "json";
      const settles = candidate.isSection ? SETTLES.section : isAll ? SETTLES.yes : SETTLES.no;
      set(candidates + j * CANDIDATE.bytes + CANDIDATE.settles, settles);
    });
    const keys = take(KEY.bytes * path.keys.length);
    path.keys.forEach((key, j) => {
      set(keys + j * KEY.bytes + KEY.start, keyText(key));
      set(keys + j * KEY.bytes + KEY.length, key.bytes.length);
    });
    const column = take(COLUMN.bytes);
    const answer = {
      column,
      states: take(capacity),
      values: take(8 * capacity),
      starts: take(4 * capacity),
      lengths: take(4 * capacity),
    };
    set(column + COLUMN.kind, KINDS[getter]);
    set(column + COLUMN.present, take(capacity));
    set(column + COLUMN.values, answer.values);
    set(column + COLUMN.starts, answer.starts);
    set(column + COLUMN.lengths, answer.lengths);
    set(at + PATH.getter, GETTER[getter]);
    set(at + PATH.candidates, candidates);
    set(at + PATH.candidateCount, path.fieldNames.length);
    set(at + PATH.keys, keys);
    set(at + PATH.keyCount, path.keys.length);
    set(at + PATH.below, text(path.below));
    set(at + PATH.belowLength, path.below.length);
    set(at + PATH.column, column);
    set(at + PATH.states, answer.states);
    set(at + PATH.use, USE[use]);
    const [only] = path.fieldNames;
    const isField = path.keys.length === 1 && getter !== "json" && !path.keys[0]!.text.includes(".");
    if (isField) set(at + PATH.field, names.indexOf(nameOf(path, only!.keys)) + 1);
    const otherwise = fallback?.value ?? null;
    if (otherwise === null) return answer;
    set(at + PATH.hasDefault, 1);
    if (typeof otherwise === "boolean") set(at + PATH.defaultValue, otherwise ? 1 : 0);
    else if (typeof otherwise === "bigint") view.setBigInt64(at + PATH.defaultValue, otherwise, true);
    else if (typeof otherwise === "number" && getter === "int") view.setInt32(at + PATH.defaultValue, otherwise, true);
    else if (typeof otherwise === "number") view.setFloat64(at + PATH.defaultValue, otherwise, true);
    else {
      const encoded = bytesOf(otherwise);
      set(at + PATH.defaultValue, text(encoded));
      set(at + PATH.defaultLength, encoded.length);
    }
    return answer;
  });
  set(plan + PLAN.buckets, buckets);
  set(plan + PLAN.names, nameTable);
  set(plan + PLAN.nameCount, names.length);
  set(plan + PLAN.paths, paths);
  set(plan + PLAN.pathCount, asks.length);
  set(plan + PLAN.whole, whole ? 1 : 0);
  for (const place of [PLAN.laneA, PLAN.laneB]) {
    const lane = take(LANE.bytes);
    set(lane + LANE.found, take(FOUND_BYTES * names.length));
    set(lane + LANE.sections, take(RANGE_BYTES * MAX_SECTIONS));
    set(plan + place, lane);
  }
  return { plan, answers, block, bytes };
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}

/** Every name of fields that some path may mean, each once. */
function nameList(asks: readonly Ask[]): string[] {
  const names = new Set<string>(PING_FIELDS);
  for (const { path } of asks) for (const { keys } of path.fieldNames) names.add(nameOf(path, keys));
  return [...names];
}

function nameOf(path: CompiledPath, keys: number): string {
  return path.keys
    .slice(0, keys)
    .map((key) => key.text)
    .join(".");
}

/** At least as many bytes as the tables take. */
function tableBytes(asks: readonly Ask[], names: readonly string[], capacity: number): number {
  const rounding = 16;
  const ofName = (name: string) => NAME.bytes + 3 * name.length + 2 * FOUND_BYTES + 2 * rounding;
  const ofPath = ({ keys, below }: CompiledPath) =>
    below.length +
    rounding +
    keys.reduce((sum, key) => sum + KEY.bytes + CANDIDATE.bytes + key.bytes.length + rounding, 0);
  const ofFallback = (fallback?: Fallback) =>
    typeof fallback?.value === "string" || fallback?.value instanceof Uint8Array
      ? bytesOf(fallback.value).length + rounding
      : 0;
  const ofAnswers = PATH.bytes + COLUMN.bytes + capacity * 18 + 16 * rounding;
  return (
    PLAN.bytes +
    2 * BUCKETS +
    2 * (LANE.bytes + RANGE_BYTES * MAX_SECTIONS) +
    16 * rounding +
    names.reduce((sum, name) => sum + ofName(name), 0) +
    asks.reduce((sum, { path, fallback }) => sum + ofAnswers + ofPath(path) + ofFallback(fallback), 0)
  );
}

/** As in assembly/plan.ts. */
function bucketOf(view: DataView, start: number, length: number): number {
  const mask = (1n << 64n) - 1n;
  let head = view.getBigUint64(start, true);
  let tail = 0n;
  if (length < 8) head &= (1n << BigInt(8 * length)) - 1n;
  else tail = view.getBigUint64(start + length - 8, true);
  const mixed = ((head ^ ((tail + BigInt(length)) * 0x9e3779b97f4a7c15n)) * 0xff51afd7ed558ccdn) & mask;
  return Number(mixed >> 54n);
}
