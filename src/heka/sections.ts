// Whole values that the pipeline cut up: puts the sections that lie in fields of their own back where they came from.
import type { Document } from "./document.ts";
import type { Json } from "./message.ts";
import type { CompiledPath } from "./path.ts";
import { jsonAt } from "./values.ts";

type JsonObject = { [key: string]: Json };

/**
 * The JSON value of a path with its sections; undefined where it is absent or null. Keys that were not split come first,
 * then the sections by name, so that eras which leave a null behind and those which leave nothing give the same order.
 */
export function wholeJson(document: Document, path: CompiledPath): Json | undefined {
  const place = document.find(path);
  const value = place && jsonAt(place, path.text, document.isSection(place));
  const sections = document.sectionsBelow(path);
  if (!sections) return value;
  const whole = value ?? {};
  if (!isObject(whole)) return whole;
  for (const [name, field] of sections) {
    const keys = name.slice(path.keys.length > 0 ? path.text.length + 1 : 0).split(".");
    const place = { source: document.source, start: field.valueStart, end: field.valueEnd, field };
    fill(whole, keys, jsonAt(place, path.text, true));
  }
  return whole;
}

/** Sets the value at `keys` below `parent`, unless there is one other than null, there or on the way. */
function fill(parent: JsonObject, keys: readonly string[], value: Json): void {
  const last = keys.length - 1;
  for (let i = 0; i < last; i++) {
    const child = ownValue(parent, keys[i]) ?? put(parent, keys[i], {});
    if (!isObject(child)) return;
    parent = child;
  }
  if (ownValue(parent, keys[last]) === null) put(parent, keys[last], value);
}

/** Makes `key` the last of the object. Defined, not assigned: `__proto__` is a key like any other. */
function put(object: JsonObject, key: string, value: Json): Json {
  delete object[key];
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  return value;
}

function ownValue(object: JsonObject, key: string): Json {
  return Object.hasOwn(object, key) ? object[key] : null;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
