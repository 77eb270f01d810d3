// Which paths a stream asks messages for: known from its columns, or learned when its functions ask. Each has a number, under
// which the kernel gives its values.
import type { Path } from "../heka/message.ts";
import { compilePath } from "../heka/path.ts";
import { GETTER, type Getter } from "./layout.ts";
import type { Ask } from "./tables.ts";

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

  private learn(path: Path, key: string, getter: Getter): number {
    const compiled = compilePath(path);
    // The whole ping is for nobody but heka/sections.ts.
    if (this.learned === MAX_LEARNED || compiled.keys.length === 0 || compiled.keys[0]!.text === "") return -1;
    this.learned++;
    this.list.push({ path: compiled, getter, use: "asked" });
    this.numbers[getter].set(key, this.list.length - 1);
    this.grown = true;
    return this.list.length - 1;
  }
}

/** An array is another path than the string with the same dots. */
function keyOf(path: readonly string[]): string {
  return `\0${path.join("\0")}`;
}
