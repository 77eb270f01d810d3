// The columns of a stream: what authors write in `columns: { … }`, each a typed path into the message.

import { chain, checkColumn, checkColumns } from "./columns/chain.ts";
import type { Column, Columns, GivenOf, GivenValues, RequiredColumn, SeenOf, SeenValues } from "./columns/column.ts";
import { listKind, mapKind, recordKind } from "./columns/nested.ts";
import * as scalar from "./columns/scalar.ts";
import type { TimestampUnit } from "./columns/time.ts";
import type { Json, Path } from "./heka/message-view.ts";

export type { Column, Columns, RequiredColumn, SettledColumn } from "./columns/column.ts";
export type { TimestampUnit } from "./columns/time.ts";

/** Text. A number gives its shortest decimal. */
export function string(path?: Path): RequiredColumn<string, string> {
  return chain(scalar.stringKind, path);
}

/** An integral number of 32 bits, or a decimal string of one. */
export function int(path?: Path): RequiredColumn<number, number> {
  return chain(scalar.intKind, path);
}

/** An integral number of 64 bits, or a decimal string of one; a bigint in functions, which may return numbers too. */
export function long(path?: Path): RequiredColumn<bigint, bigint | number> {
  return chain(scalar.longKind, path);
}

/** A number, or a decimal string of one. */
export function double(path?: Path): RequiredColumn<number, number> {
  return chain(scalar.doubleKind, path);
}

/** true or false. */
export function boolean(path?: Path): RequiredColumn<boolean, boolean> {
  return chain(scalar.booleanKind, path);
}

/** The bytes of a field; of JSON, the UTF-8 of a string. */
export function bytes(path?: Path): RequiredColumn<Uint8Array, Uint8Array> {
  return chain(scalar.bytesKind, path);
}

/**
 * An instant, stored in microseconds: ISO 8601 text ("2015-10-28T09:30:00.0+02:00", UTC where no zone is given), or with
 * a unit a number of those since the epoch. Microseconds since the epoch in functions, which may return a Date too.
 */
export function timestamp(path?: Path, unit?: TimestampUnit): RequiredColumn<bigint, bigint | Date> {
  return chain(scalar.timestampKind(unit), path);
}

/** Any JSON: parsed in functions, stored as its text. */
// biome-ignore lint/suspicious/noExplicitAny: as with Message.json, the author knows what lies there.
export function json(path?: Path): RequiredColumn<any, Json> {
  return chain(scalar.jsonKind, path);
}

/** The items of a JSON array, or the values of a JSON object. Paths in `item` begin at each; "$key" is an entry's key. */
export function list<Item extends Column>(
  item: Item,
  path?: Path,
): RequiredColumn<readonly SeenOf<Item>[], readonly GivenOf<Item>[]> {
  checkColumn(item, "the items of list()");
  return chain(listKind(item), path);
}

/** The entries of a JSON object, by key. Paths in `value` begin at each entry's value; without one it is the value. */
export function map<Value extends Column>(
  value: Value,
  path?: Path,
): RequiredColumn<{ readonly [key: string]: SeenOf<Value> }, { readonly [key: string]: GivenOf<Value> }> {
  checkColumn(value, "the values of map()");
  return chain(mapKind(value), path);
}

/** A group of columns, whose paths begin at the JSON object at `path`; at the message itself where that is `[]`. */
export function record<const Group extends Columns>(
  columns: Group,
  path?: Path,
): RequiredColumn<SeenValues<Group>, GivenValues<Group>> {
  checkColumns(columns, "record()");
  return chain(recordKind(columns), path);
}
