// Columns of many values: lists, maps and records of columns, read from one parsed JSON value.

import { ValueError } from "../errors.ts";
import { Filtered } from "../filtered.ts";
import type { Json } from "../heka/message-view.ts";
import { avroFields, avroType } from "./avro.ts";
import { acceptInner, bind, copying, required, storing } from "./bind.ts";
import type { Column, Columns, Kind, Place, Read } from "./column.ts";
import { isObject, memberOf, setMember } from "./json.ts";
import { reader } from "./place.ts";

type Group = { [name: string]: unknown };

/** The JSON at `place`, of any type. */
function jsonReader(place: Place): Read {
  return reader<Json>(
    place,
    (message, path) => place.parses.json(message, path),
    (value) => value,
  );
}

export function listKind(item: Column): Kind {
  const store = storing(item);
  const copy = copying(item);
  return {
    name: "a list",
    isParsed: true,
    avro: (names) => ({ type: "array", items: avroType(item, names) }),
    bind(place) {
      const read = jsonReader(place);
      const readItem = required(
        bind(item, { within: "entry", prefix: `${place.text}[]`, own: [], parses: place.parses }),
      );
      return (message, value, key) => {
        const entries = read(message, value, key) as Json | undefined;
        if (entries === undefined) return undefined;
        const list: unknown[] = [];
        const add = (entry: Json | undefined, entryKey: string | undefined) => {
          const seen = readItem(message, entry, entryKey);
          if (!(seen instanceof Filtered)) list.push(seen);
        };
        if (Array.isArray(entries)) for (const entry of entries) add(entry, undefined);
        else if (isObject(entries)) for (const name of Object.keys(entries)) add(entries[name], name);
        else throw new ValueError(place.text, "is not a list");
        return list;
      };
    },
    accept(given, text) {
      if (!Array.isArray(given)) throw new ValueError(text, "is not a list");
      return given.map((entry) => acceptInner(item, entry, `${text}[]`));
    },
    copy: (seen) => (copy ? (seen as unknown[]).map(copy) : (seen as unknown[]).slice()),
    store: store && ((seen) => (seen as unknown[]).map(store)),
    avroDefault: (stored) => ((stored as unknown[]).length === 0 ? [] : undefined),
  };
}

export function mapKind(inner: Column): Kind {
  const store = storing(inner);
  const copy = copying(inner);
  return {
    name: "a map",
    isParsed: true,
    avro: (names) => ({ type: "map", values: avroType(inner, names) }),
    bind(place) {
      const read = jsonReader(place);
      const readValue = required(
        bind(inner, { within: "entry", prefix: placeOfValues(place.text), own: [], parses: place.parses }),
      );
      return (message, value, key) => {
        const entries = read(message, value, key) as Json | undefined;
        if (entries === undefined) return undefined;
        if (!isObject(entries)) throw new ValueError(place.text, "is not a map");
        const map: Group = {};
        for (const name of Object.keys(entries)) {
          const seen = readValue(message, entries[name], name);
          if (!(seen instanceof Filtered)) setMember(map, name, seen);
        }
        return map;
      };
    },
    accept(given, text) {
      const entries = given instanceof Map ? given : isObject(given) ? Object.entries(given) : undefined;
      if (entries === undefined) throw new ValueError(text, "is not a map");
      const map: Group = {};
      for (const [name, value] of entries) setMember(map, String(name), acceptInner(inner, value, placeOfValues(text)));
      return map;
    },
    copy: (seen) => (copy ? changeEach(seen as Group, () => copy) : { ...(seen as Group) }),
    store: store && ((seen) => changeEach(seen as Group, () => store)),
    avroDefault: (stored) => (Object.keys(stored as Group).length === 0 ? {} : undefined),
  };
}

export function recordKind(columns: Columns): Kind {
  const stores = new Map(Object.entries(columns).map(([name, column]) => [name, storing(column)]));
  const storesAny = [...stores.values()].some((store) => store !== undefined);
  const copies = new Map(Object.entries(columns).map(([name, column]) => [name, copying(column)]));
  return {
    name: "a record",
    isParsed: true,
    avro: (names) => ({ type: "record", name: names.take(), fields: avroFields(columns, names) }),
    bind(place) {
      // A record of the message itself groups paths of the message: nothing is parsed for it.
      const ofMessage = place.within === "message" && place.path.length === 0;
      const within = ofMessage ? "message" : "entry";
      const read = ofMessage ? () => ({}) : jsonReader(place);
      const members = Object.entries(columns).map(([name, column]) => {
        const read = required(bind(column, { within, prefix: place.text, own: [name], parses: place.parses }));
        return { name, read };
      });
      return (message, value, key) => {
        const found = read(message, value, key) as Json | undefined;
        if (found === undefined) return undefined;
        if (!isObject(found)) throw new ValueError(place.text, "is not a record");
        const record: Group = {};
        for (const member of members) {
          const seen = member.read(message, found, key);
          if (seen instanceof Filtered) return seen;
          record[member.name] = seen;
        }
        return record;
      };
    },
    accept(given, text) {
      if (!isObject(given)) throw new ValueError(text, "is not a record");
      const record: Group = {};
      for (const name of Object.keys(given)) {
        if (!Object.hasOwn(columns, name)) throw new ValueError(text, "has a surplus field");
      }
      for (const [name, column] of Object.entries(columns)) {
        record[name] = acceptInner(column, memberOf(given, name), `${text}.${name}`);
      }
      return record;
    },
    copy: (seen) => changeEach(seen as Group, (name) => copies.get(name)),
    store: storesAny ? (seen) => changeEach(seen as Group, (name) => stores.get(name)) : undefined,
  };
}

/** The place of a map's values in error texts: keys come from pings, so none is ever named. */
function placeOfValues(text: string): string {
  return `${text}.*`;
}

function changeEach(seen: Group, changeOf: (name: string) => ((seen: unknown) => unknown) | undefined): Group {
  const changed: Group = {};
  for (const name of Object.keys(seen)) {
    const change = changeOf(name);
    setMember(changed, name, change ? change(seen[name]) : seen[name]);
  }
  return changed;
}
