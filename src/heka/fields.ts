// All values of every field, for those who print messages rather than derive from them.
import type { Envelope, FieldPlace } from "./envelope.ts";
import { type Cursor, readInt64, readLength, readVarint, skipValue, valueTag, valueType, wire } from "./protobuf.ts";
import type { FieldType } from "./writer.ts";

/** One field in full; integers are bigint, values of other types than `type` are not given. */
export interface Field {
  name: string;
  representation: string;
  type: FieldType;
  values: (string | Uint8Array | bigint | number | boolean)[];
}

const typeNames = Object.keys(valueType) as FieldType[];

/** The fields of a scanned message in its order, duplicates too; `text` decodes a range of its bytes. */
export function* allFields(envelope: Envelope, text: (start: number, end: number) => string): Iterable<Field> {
  for (let i = 0; i < envelope.fieldCount; i++) yield readField(envelope.bytes, envelope.fields[i], text);
}

/** One field with all its values. */
export function readField(bytes: Uint8Array, place: FieldPlace, text: (start: number, end: number) => string): Field {
  const type = typeNames[place.type] ?? "string";
  // A type that means nothing has no values.
  const valueMember = place.type < typeNames.length ? valueTag[type] : -1;
  const field: Field = { name: text(place.nameStart, place.nameEnd), representation: "", type, values: [] };
  const cursor = { bytes, at: place.start, end: place.end };
  let represented = false;
  while (cursor.at < cursor.end) {
    const tag = readVarint(cursor);
    const member = tag >> 3;
    if (member === valueTag.representation && !represented) {
      represented = true;
      const end = readLength(cursor);
      field.representation = text(cursor.at, end);
      cursor.at = end;
    } else if (member !== valueMember) {
      skipValue(cursor, tag);
    } else if (type === "string" || type === "bytes") {
      const end = readLength(cursor);
      field.values.push(type === "string" ? text(cursor.at, end) : new Uint8Array(bytes.subarray(cursor.at, end)));
      cursor.at = end;
    } else if ((tag & 7) === wire.bytes) {
      const end = readLength(cursor);
      const run = { bytes, at: cursor.at, end };
      while (run.at < run.end) field.values.push(readNumber(run, type));
      cursor.at = run.end;
    } else {
      field.values.push(readNumber(cursor, type));
    }
  }
  return field;
}

function readNumber(cursor: Cursor, type: FieldType): bigint | number | boolean {
  if (type === "double") {
    const { buffer, byteOffset } = cursor.bytes;
    cursor.at += 8;
    return new DataView(buffer).getFloat64(byteOffset + cursor.at - 8, true);
  }
  const value = readInt64(cursor);
  return type === "bool" ? value !== 0n : value;
}
