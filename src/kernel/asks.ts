// Which paths a stream asks messages for: known from its columns, or learned when its functions ask. Each has a number, under
// which the kernel gives its values.
import type { Path } from "../heka/message.ts";
import { type CompiledPath, compilePath } from "../heka/path.ts";
import { GETTER, type Getter, type USE } from "./layout.ts";

/** A path that the kernel looks up in every message, and the getter that asks for it. */
export interface Ask {
  readonly path: CompiledPath;
  readonly getter: Getter;
  readonly use: keyof typeof USE;
  /** Of a column. */
  readonly fallback?: Fallback;
}

/** What a column has where the value is missing; null for null. */
export interface Fallback {
  readonly value: boolean | number | bigint | string | Uint8Array | null;
}

/** More paths than this are not looked up in every message: a stream may make paths up from values. */
const MAX_LEARNED = 128;

const GETTERS = Object.keys(GETTER) as Getter[];

export class Asks {
  readonly list: Ask[] = [];
  /** Whether there are asks that the tables do not have yet. */
  grown = false;
  /** By getter: the number of a path that is written as a string. */
  private readonly numbers = Object.fromEntries(GETTERS.map((getter) => [getter, new Map<string, number>()])) as Record<
    Getter,
    Map<string, number>
  >;
  private learned = 0;

  /** The number of a path and getter; -1 where the kernel has no answers for it yet, or never. */
  numberOf(path: Path, getter: Getter): number {
    const key = typeof path === "string" ? path : keyOf(path);
    return this.numbers[getter].get(key) ?? this.learn(path, key, getter);
  }

  /**
   * Adds what a stream's rows are made of, before the first batch: a column, with what stands for a missing value (null for
   * null), or something that a message needs to become a row. Its number; -1 where the kernel cannot look it up.
   */
  add(path: Path, getter: Getter, fallback?: Fallback): number {
    const compiled = compilePath(path);
    if (isWholePing(compiled)) return -1;
    const key = typeof path === "string" ? path : keyOf(path);
    const number = this.list.length;
    this.list.push({ path: compiled, getter, use: fallback === undefined ? "needed" : "column", fallback });
    // Functions that ask for the same get this answer, too.
    if (!this.numbers[getter].has(key)) this.numbers[getter].set(key, number);
    this.grown = true;
    return number;
  }

  private learn(path: Path, key: string, getter: Getter): number {
    const compiled = compilePath(path);
    if (this.learned === MAX_LEARNED || isWholePing(compiled)) return -1;
    this.learned++;
    this.list.push({ path: compiled, getter, use: "asked" });
    this.numbers[getter].set(key, this.list.length - 1);
    this.grown = true;
    return this.list.length - 1;
  }
}

/** That is for nobody but heka/sections.ts. */
function isWholePing({ keys }: CompiledPath): boolean {
  return keys.length === 0 || keys[0]!.text === "";
}

/** An array is another path than the string with the same dots; without dots it is the same. */
function keyOf(path: readonly string[]): string {
  if (path.length === 1 && !path[0]!.includes(".")) return path[0]!;
  return `\0${path.join("\0")}`;
}
