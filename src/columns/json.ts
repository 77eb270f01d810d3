// Values inside parsed JSON, under the rules by which a message's getters read a value (docs/writing-a-stream.md).

import { ValueError } from "../errors.ts";
import { toDouble, toInt, toLong, toText } from "../heka/convert.ts";
import type { Json } from "../heka/message-view.ts";

const utf8 = new TextEncoder();

/** Whether `value` is a plain object: what JSON makes, and no promise, date or list of an author's function. */
export function isObject(value: unknown): value is { [key: string]: Json } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The own member of a JSON object; undefined in anything else. */
export function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Sets an own member, also one called `__proto__`, which assigning would make the prototype. */
export function setMember(object: { [key: string]: unknown }, name: string, value: unknown): void {
  if (name !== "__proto__") object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A copy that functions may change. JSON of a message is no deeper than 500 levels. */
export function copyJson(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyJson);
  const copy: { [key: string]: Json } = {};
  for (const name of Object.keys(value)) setMember(copy, name, copyJson(value[name]!));
  return copy;
}

export function stringOf(value: Json, text: string): string {
  if (typeof value === "string") return value;
  return given(typeof value === "number" ? toText(value) : undefined, text, "is not a string");
}

export function intOf(value: Json, text: string): number {
  return given(isScalar(value) ? toInt(value) : undefined, text, "is not an int");
}

export function longOf(value: Json, text: string): bigint {
  return given(isScalar(value) ? toLong(value) : undefined, text, "is not a long");
}

export function doubleOf(value: Json, text: string): number {
  return given(isScalar(value) ? toDouble(value) : undefined, text, "is not a double");
}

export function booleanOf(value: Json, text: string): boolean {
  if (typeof value !== "boolean") throw new ValueError(text, "is not a boolean");
  return value;
}

export function bytesOf(value: Json, text: string): Uint8Array {
  if (typeof value !== "string") throw new ValueError(text, "is not bytes");
  return utf8.encode(value);
}

function isScalar(value: Json): value is number | string {
  return typeof value === "number" || typeof value === "string";
}

function given<Value>(value: Value | undefined, text: string, state: string): Value {
  if (value === undefined) throw new ValueError(text, state);
  return value;
}
