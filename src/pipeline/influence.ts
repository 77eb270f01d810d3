// Which paths are behind which columns, found by asking again: a column whose value changes with an answer depends on it.

import { isDeepStrictEqual } from "node:util";
import type { Message } from "../heka/message.ts";
import { type DerivedStream, Filtered } from "../stream.ts";
import { type Asked, Recorder } from "./recorder.ts";

/** What a stream asked for one column. */
export interface ColumnPaths {
  readonly name: string;
  readonly asked: readonly Asked[];
}

export interface Influence {
  readonly columns: readonly ColumnPaths[];
  /** What was asked and is behind no column: it decided whether there is a row, or nothing. */
  readonly others: readonly Asked[];
}

/** A stream that asks for more is told of the first ones only: each question takes two runs of it. */
const QUESTIONS = 500;

/**
 * @param message one that became a row; it is read several times
 * @param columns of the record, in their order
 */
export function influenceOn(stream: DerivedStream, message: Message, columns: readonly string[]): Influence {
  const whole = new Recorder(message);
  const record = recordOf(stream, whole);
  const behind = new Map(columns.map((name) => [name, new Map<string, Asked>()]));
  const readers = stream.columns?.();
  if (readers) {
    for (const { name, read } of readers) {
      const recorder = new Recorder(message);
      attempt(() => read(recorder));
      for (const asked of recorder.asked) behind.get(name)?.set(keyOf(asked), asked);
    }
  } else if (record) {
    const questions = Map.groupBy(whole.asked.slice(0, QUESTIONS), keyOf);
    for (const [key, [asked]] of questions) {
      for (const name of changedColumns(stream, message, record, columns, asked!)) behind.get(name)!.set(key, asked!);
    }
  }
  const known = new Set([...behind.values()].flatMap((asked) => [...asked.keys()]));
  const others = new Map(whole.asked.filter((asked) => !known.has(keyOf(asked))).map((one) => [keyOf(one), one]));
  return {
    columns: [...behind].map(([name, asked]) => ({ name, asked: [...asked.values()] })),
    others: [...others.values()],
  };
}

function keyOf({ path, as }: Asked): string {
  return `${as} ${path}`;
}

type Record = { readonly [name: string]: unknown };

function recordOf(stream: DerivedStream, message: Message): Record | undefined {
  const built = attempt(() => stream.build(message));
  return built === undefined || built instanceof Filtered ? undefined : (built as Record);
}

/** An author's function may throw at an answer that no ping has: that says nothing of a column. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function changedColumns(
  stream: DerivedStream,
  message: Message,
  record: Record,
  columns: readonly string[],
  asked: Asked,
): string[] {
  const key = keyOf(asked);
  const answers = "value" in asked ? [{ value: changed(asked.value) }, "missing" as const] : [];
  const others = answers.map((answer) =>
    recordOf(stream, new Recorder(message, (_number, one) => (keyOf(one) === key ? answer : undefined))),
  );
  const found = columns.filter((name) =>
    others.some((other) => other && !isDeepStrictEqual(other[name], record[name])),
  );
  // Where every other answer leaves no record, the same value is the best that can be told.
  if (found.length > 0 || others.some((other) => other !== undefined)) return found;
  return columns.filter((name) => isDeepStrictEqual(asked.value, record[name]));
}

/** Another value of the same type, near enough to be taken for a real one. */
function changed(value: unknown): unknown {
  if (typeof value === "string") {
    return /\d$/.test(value) ? value.slice(0, -1) + ((Number(value.at(-1)) + 1) % 10) : `${value}x`;
  }
  if (typeof value === "number") return value + 1;
  if (typeof value === "bigint") return value + 1n;
  if (typeof value === "boolean") return !value;
  if (value instanceof Uint8Array) return Uint8Array.from(value, (byte, index) => (index === 0 ? byte ^ 1 : byte));
  if (Array.isArray(value)) return value.map(changed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, changed(inner)]));
}
