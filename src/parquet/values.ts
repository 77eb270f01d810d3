// What a column buffers its values in: a store keeps them in PLAIN layout and finds equal ones again.

import type { MinMaxType } from "hyparquet/src/types.js";
import type { ByteList, NumberList } from "./bytes.ts";

/** Values of one type. A position is the number of a value in the store, from 0. */
export interface ValueStore<T> {
  readonly count: number;
  /** PLAIN size of all values, in bytes. */
  readonly plainBytes: number;
  /** Whether `intern` works: a store that does without a dictionary has none. */
  readonly interns: boolean;
  add(value: T): void;
  /** The position of an equal value, which is added when there is none. */
  intern(value: T): number;
  /** PLAIN size of one value, in bytes. */
  sizeAt(position: number): number;
  /** Appends the values of a range in PLAIN encoding. */
  writePlain(out: ByteList, from: number, to: number): void;
  /** Puts the values in the order of `positions`, each as often as it occurs there. Ends interning until `clear`. */
  expand(positions: NumberList): void;
  /** The order that statistics use. Values that have no place in it (NaN) give false for `ordered`. */
  compare(a: number, b: number): number;
  ordered(position: number): boolean;
  /** A value as statistics hold it, cut and rounded outwards when it is long; undefined when it cannot be. */
  bound(position: number, isMax: boolean): Bound | undefined;
  clear(): void;
}

export interface Bound {
  readonly value: MinMaxType;
  /** False when it was cut. */
  readonly exact: boolean;
}

/** Longest min or max of text and bytes in statistics, in bytes. */
export const BOUND_BYTES = 64;
