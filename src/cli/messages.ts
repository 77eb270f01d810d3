// Messages as text: one JSON object a line for programs, a few aligned lines for people.
import { takeLarge } from "../heka/large.ts";
import type { RawMessage } from "../heka/message.ts";
import { exactJson } from "./json.ts";
import type { Paint } from "./output.ts";
import { cut, visible } from "./table.ts";
import { countText } from "./units.ts";

type FieldValue = string | Uint8Array | bigint | number | boolean;

/** Lines are put together up to this many characters: a value of many megabytes would be copied again and again. */
const LONG_PIECE = 1024 * 1024;

/**
 * One JSON object and a line break, nearly always in one piece. Integers are exact number texts, bytes base64, NaN and
 * infinities strings. A field of several values, or a name that occurs several times, is a list.
 */
export function* jsonLine(message: RawMessage): Iterable<string> {
  let piece = "";
  for (const text of jsonTexts(message)) {
    piece += text;
    if (piece.length < LONG_PIECE) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

function* jsonTexts(message: RawMessage): Iterable<string> {
  let before = "{";
  for (const [name, value] of envelope(message)) {
    yield `${before}"${name}":`;
    yield* jsonPieces(value);
    before = ",";
  }
  yield ',"fields":{';
  before = "";
  for (const [name, values] of fieldsByName(message)) {
    yield `${before}${JSON.stringify(name)}:`;
    if (values.length === 1) yield* jsonPieces(values[0]!);
    else yield `[${values.map(exactJson).join(",")}]`;
    before = ",";
  }
  yield "}}\n";
}

/** The JSON of a value; of a long one in pieces, for it may take six characters for each of the value's. */
function* jsonPieces(value: FieldValue): Iterable<string> {
  if (typeof value === "string" && value.length > LONG_PIECE) {
    yield '"';
    for (let at = 0, end = 0; at < value.length; at = end) {
      end = Math.min(value.length, at + LONG_PIECE);
      if (isHighSurrogate(value.charCodeAt(end - 1)) && end < value.length) end++;
      const piece = JSON.stringify(value.slice(at, end)).slice(1, -1);
      takeLarge(2 * piece.length); // once more as bytes
      yield piece;
    }
    yield '"';
  } else {
    yield exactJson(value);
  }
}

function isHighSurrogate(code: number): boolean {
  return (code & 0xfc00) === 0xd800;
}

function envelope(message: RawMessage): [string, FieldValue][] {
  const { uuid, timestamp, type, logger, severity, payload, envVersion, pid, hostname } = message;
  return Object.entries({ uuid, timestamp, type, logger, severity, payload, envVersion, pid, hostname });
}

function fieldsByName(message: RawMessage): Map<string, FieldValue[]> {
  const fields = new Map<string, FieldValue[]>();
  for (const { name, values } of message.fields()) {
    const known = fields.get(name);
    if (known === undefined) fields.set(name, values);
    else for (const value of values) known.push(value);
  }
  return fields;
}

const VALUE_WIDTH = 100;

/** Some lines and an empty one: where the message is, its envelope, its fields; long values are cut. */
export function textBlock(message: RawMessage, url: string, offset: number, paint: Paint): string {
  const { timestamp } = message;
  const rows: [string, string][] = envelope(message)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => [name, name === "timestamp" ? `${timestamp} (${isoTime(timestamp)})` : shown(value)]);
  for (const { name, type, values } of message.fields()) {
    rows.push([`fields.${visible(name)} (${type})`, values.map(shown).join(", ")]);
  }
  const column = Math.min(48, Math.max(...rows.map(([name]) => name.length)));
  const lines = rows.map(([name, value]) => `  ${paint("cyan", name.padEnd(column))}  ${value}`);
  return `${paint("bold", `${url} at offset ${offset}`)}\n${lines.join("\n")}\n\n`;
}

function shown(value: FieldValue): string {
  if (!(value instanceof Uint8Array)) return shortened(String(value));
  try {
    return shortened(new TextDecoder("utf-8", { fatal: true }).decode(value));
  } catch {
    return `${countText(value.byteLength)} bytes`;
  }
}

function shortened(text: string): string {
  const short = cut(visible(text.slice(0, VALUE_WIDTH * 4)), VALUE_WIDTH);
  return text.length <= VALUE_WIDTH ? short : `${short} (${countText(text.length)} characters)`;
}

/** Nanoseconds since the epoch as ISO 8601, with all nine digits where they are not milliseconds. */
export function isoTime(nanoseconds: bigint): string {
  const milliseconds = nanoseconds / 1_000_000n - (nanoseconds % 1_000_000n < 0n ? 1n : 0n);
  const date = new Date(Number(milliseconds));
  if (Number.isNaN(date.getTime())) return "no date";
  const rest = String(nanoseconds - milliseconds * 1_000_000n).padStart(6, "0");
  return date.toISOString().replace("Z", `${rest === "000000" ? "" : rest}Z`);
}
