// From the place of a value to the value. Each function gives undefined where the value is of another type, and throws
// ValueError for the path where its JSON is broken.
import { ValueError } from "../errors.ts";
import { toDouble, toInt, toLong, toText } from "./convert.ts";
import type { Place } from "./document.ts";
import { type JsonBytes, parsedString } from "./json.ts";
import type { Json } from "./message.ts";
import { readInt64, valueType } from "./protobuf.ts";

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const utf8 = new TextEncoder();

export function stringAt(place: Place, path: string): string | undefined {
  if (isText(place)) return textOf(place, path);
  const number = numberOf(place, path);
  return number === undefined ? undefined : toText(number);
}

export function intAt(place: Place, path: string): number | undefined {
  const scalar = textOrNumberOf(place, path);
  return scalar === undefined ? undefined : toInt(scalar);
}

export function longAt(place: Place, path: string): bigint | undefined {
  const scalar = textOrNumberOf(place, path);
  return scalar === undefined ? undefined : toLong(scalar);
}

export function doubleAt(place: Place, path: string): number | undefined {
  const scalar = textOrNumberOf(place, path);
  return scalar === undefined ? undefined : toDouble(scalar);
}

export function booleanAt(place: Place, path: string): boolean | undefined {
  if (place.field) return place.field.type === valueType.bool ? boolOf(place) : undefined;
  const token = isText(place) ? undefined : tokenOf(place, path);
  return token === "true" ? true : token === "false" ? false : undefined;
}

/** A copy. */
export function bytesAt(place: Place, path: string): Uint8Array | undefined {
  if (!isText(place)) return undefined;
  return place.field
    ? new Uint8Array(place.source.bytes.subarray(place.start, place.end))
    : utf8.encode(textOf(place, path));
}

/** A message's uuid, which lies there as 16 bytes or as text; "" where it is neither. */
export function uuidAt(source: JsonBytes, start: number, end: number): string {
  if (end - start === 36) return source.text(start, end).toLowerCase();
  if (end - start !== 16) return "";
  const hex = source.bytes.toString("hex", start, end);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The value as it is in JSON; `isSection` where a field's text is JSON whatever it begins with. */
export function jsonAt(place: Place, path: string, isSection: boolean): Json {
  const { source, field, start, end } = place;
  if (field?.type === valueType.integer) return Number(integerOf(place));
  if (field?.type === valueType.double) return doubleOf(place);
  if (field?.type === valueType.bool) return boolOf(place);
  if (field && !isSection && !isContainer(place)) return source.text(start, end);
  source.checkDepth(start, end, path);
  const text = source.text(source.textStart(start, end), end);
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    // Not with JSON.parse's own text, which quotes the ping (P12).
    throw new ValueError(path, "is not JSON");
  }
  if (mayHoldSurrogate(text) && !isWellFormed(value)) source.invalidUtf8 = true;
  return value;
}

function isText({ source, field, start, end }: Place): boolean {
  return field ? field.type <= valueType.bytes : start < end && source.bytes[start] === 0x22;
}

/** Whether the text begins with { or [. */
function isContainer({ source, start, end }: Place): boolean {
  const first = source.textStart(start, end);
  return first < end && (source.bytes[first] & 0xdf) === 0x5b;
}

function textOrNumberOf(place: Place, path: string): string | number | bigint | undefined {
  return isText(place) ? textOf(place, path) : numberOf(place, path);
}

/** The text of a field or of a JSON string. */
function textOf({ source, field, start, end }: Place, path: string): string {
  if (field) return source.text(start, end);
  const text = parsedString(source.text(start, end));
  if (text === undefined) throw brokenValue(path);
  if (!text.isWellFormed()) source.invalidUtf8 = true;
  return text;
}

/** A number, as the digits that stand there if it is one of JSON; undefined for anything else but a string. */
function numberOf(place: Place, path: string): string | number | bigint | undefined {
  if (place.field?.type === valueType.integer) return integerOf(place);
  if (place.field?.type === valueType.double) return doubleOf(place);
  if (place.field || isContainer(place)) return undefined;
  const token = tokenOf(place, path);
  return token === "true" || token === "false" ? undefined : token;
}

/** A JSON number, true or false, as it stands there; of an array or object "". */
function tokenOf(place: Place, path: string): string {
  if (isContainer(place)) return "";
  const token = place.source.text(place.start, place.end).trim();
  if (token !== "true" && token !== "false" && !jsonNumber.test(token)) throw brokenValue(path);
  return token;
}

function integerOf({ source, start, end }: Place): bigint {
  return readInt64({ bytes: source.bytes, at: start, end });
}

function doubleOf({ source, start }: Place): number {
  return source.bytes.readDoubleLE(start);
}

/** Any number other than 0 is true. */
function boolOf(place: Place): boolean {
  return integerOf(place) !== 0n;
}

/** Whether JSON text has an escape of a surrogate, paired or not. */
function mayHoldSurrogate(text: string): boolean {
  return text.includes("\\ud") || text.includes("\\uD");
}

/** Whether no text in a value, keys included, holds half a surrogate pair: it has no UTF-8, and is written as U+FFFD. */
function isWellFormed(value: Json): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isWellFormed);
  return Object.entries(value).every(([key, member]) => key.isWellFormed() && isWellFormed(member));
}

function brokenValue(path: string): ValueError {
  return new ValueError(path, "is in broken JSON");
}
