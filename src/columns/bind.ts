// From a column's definition and its place to a reader: source, changes, and what a missing value means, in that order.

import { MissingField, ValueError } from "../errors.ts";
import { Filtered } from "../filtered.ts";
import type { Path } from "../heka/message-view.ts";
import { type Column, type Definition, definitionOf, type Place, type Read } from "./column.ts";
import type { Parses } from "./parses.ts";
import { placeText } from "./place.ts";

/** A column ready to be read. */
export interface Bound {
  readonly read: Read;
  readonly text: string;
  /** From the value as seen to the value as stored. */
  readonly store?: (seen: unknown) => unknown;
}

/** Where a column stands: what its path is relative to, and what it is called there. */
export interface Site {
  readonly within: Place["within"];
  /** The text of what the path is relative to. */
  readonly prefix: string;
  /** The path of a column that gives none: its name, or `[]` for the item of a list and the value of a map. */
  readonly own: Path;
  readonly parses: Parses;
}

export function bind(column: Column, site: Site): Bound {
  const definition = column[definitionOf];
  const path = definition.path ?? site.own;
  const text = placeText(site.prefix, definition.source ? site.own : path);
  const source = definition.source ? computed(definition, site, text) : ofPath(definition, site, path, text);
  return { text, read: settled(changed(source, definition, text), definition, text), store: storing(column) };
}

function ofPath({ kind }: Definition, { within, parses }: Site, path: Path, text: string): Read {
  const read = kind.bind({ within, path, text, parses });
  return within === "message" && kind.isParsed ? parses.share(kind, path, read) : read;
}

/** A column's value, or Filtered; throws where it is required and missing. */
export function required(bound: Bound): Read {
  const { read, text } = bound;
  return (message, value, key) => {
    const seen = read(message, value, key);
    if (seen === undefined) throw new MissingField(text);
    return seen;
  };
}

function computed({ source, kind }: Definition, site: Site, text: string): Read {
  if (source?.inputs === undefined) {
    const compute = source!.compute;
    return (message) => acceptComputed(compute(message), kind, text);
  }
  const { compute } = source;
  const inputs = Object.entries(source.inputs).map(([name, input]) => ({
    name,
    ...bind(input, { ...site, own: [name] }),
  }));
  return (message, value, key) => {
    const values: { [name: string]: unknown } = {};
    for (const input of inputs) {
      const seen = input.read(message, value, key);
      if (seen === undefined || seen instanceof Filtered) return seen;
      values[input.name] = seen;
    }
    return acceptComputed(compute(values), kind, text);
  };
}

function changed(read: Read, { changes, kind }: Definition, text: string): Read {
  if (changes.length === 0) return read;
  return (message, value, key) => {
    let seen = read(message, value, key);
    for (const change of changes) {
      if (seen === undefined || seen instanceof Filtered) return seen;
      seen = acceptComputed(change(seen), kind, text);
    }
    return seen;
  };
}

function acceptComputed(given: unknown, kind: Definition["kind"], text: string): unknown {
  // A forgotten return must not pass for a missing value.
  if (given === undefined) throw new ValueError(text, "was computed as undefined");
  return given === null ? undefined : kind.accept(given, text);
}

function settled(read: Read, { missing }: Definition, text: string): Read {
  if (missing.means === "fail") return read;
  const instead =
    missing.means === "skip" ? new Filtered(`${text} missing`) : missing.means === "null" ? null : missing.value;
  return (message, value, key) => {
    const seen = read(message, value, key);
    return seen === undefined ? instead : seen;
  };
}

/** What a function gave for a column inside a list, map or record that it returned whole. */
export function acceptInner(column: Column, given: unknown, text: string): unknown {
  const { kind, missing } = column[definitionOf];
  if (given !== undefined && given !== null) return kind.accept(given, text);
  if (missing.means === "null") return null;
  if (missing.means === "default") return missing.value;
  throw new MissingField(text);
}

/** Copies of a column's values inside others, null kept; undefined where functions cannot change them. */
export function copying(column: Column): ((seen: unknown) => unknown) | undefined {
  const { copy } = column[definitionOf].kind;
  return copy && ((seen) => (seen === null ? null : copy(seen)));
}

/** From seen to stored, null kept; undefined where they are the same. */
export function storing(column: Column): ((seen: unknown) => unknown) | undefined {
  const store = column[definitionOf].kind.store;
  return store && ((seen) => (seen === null ? null : store(seen)));
}
