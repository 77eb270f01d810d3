// The structure of one message: where its members and fields lie. Scanned once, as far as it is asked for; contents are
// decoded when they are.
import { FormatError } from "../errors.ts";
import { memberWire } from "./members.ts";
import type { FieldName } from "./path.ts";
import { bytesAt, nameMark } from "./path.ts";
import {
  broken,
  type Cursor,
  messageTag,
  readLength,
  readVarint,
  skipValue,
  valueTag,
  valueType,
  wire,
} from "./protobuf.ts";
import { CorruptBlock } from "./snappy.ts";

/** Where one field and its value lie in the message's bytes. */
export interface FieldPlace {
  /** The whole Field submessage. */
  start: number;
  end: number;
  nameStart: number;
  nameEnd: number;
  /** See `nameMark`. */
  nameMark: number;
  /** The field's value_type, one of `valueType` or a number that means nothing to us. */
  type: number;
  /** The first value of that type: contents of a string, start of a number; -1 where there is none. */
  valueStart: number;
  valueEnd: number;
}

/** Real messages have some fifty fields; a hostile one could have millions of empty ones, each costing memory (P9). */
const maxFields = 65_536;

/**
 * Of a longer message the members that end within so many bytes are read at once, up to the first that does not; the rest
 * as far as it is asked for (docs/formats.md). The values that a stream wants often lie in front of most of the message.
 */
export const READ_AT_ONCE = 16 * 1024;

/** The layout of the message read last. The first occurrence of a member or field counts. */
export class Envelope {
  bytes: Uint8Array = new Uint8Array(0);
  /** How many bytes of the message are what they should be: all, but where its decompression failed. */
  #sound = 0;
  readonly #cursor: Cursor = { bytes: this.bytes, at: 0, end: 0 };
  /** The fields among the members read at once. */
  fieldsAtOnce = 0;
  /** What was thrown last: then the message is none. */
  fault: FormatError | undefined;
  /** By member number: where the contents start, -1 where absent, and end. */
  readonly starts = new Int32Array(messageTag.field);
  readonly ends = new Int32Array(messageTag.field);
  fieldCount = 0;
  /** The first `fieldCount` are of this message, in its order; the rest wait for longer ones. */
  readonly fields: FieldPlace[] = [];
  /** By member number of a Field, while it is scanned: its first value of each type. */
  #valueStarts = new Int32Array(valueTag.bool + 1);
  #valueEnds = new Int32Array(valueTag.bool + 1);

  /** Scans all of `bytes`; FormatError with the offset in them where they hold no message. */
  read(bytes: Uint8Array): void {
    this.begin(bytes);
    this.readAll();
  }

  /** Scans what is read at once. Only the first `sound` of the message's bytes can be relied on. */
  begin(bytes: Uint8Array, sound = bytes.length): void {
    this.fault = undefined;
    this.bytes = bytes;
    this.#sound = sound;
    this.starts.fill(-1);
    this.fieldCount = 0;
    const cursor = this.#cursor;
    cursor.bytes = bytes;
    cursor.at = 0;
    cursor.end = bytes.length;
    if (bytes.length === 0) throw broken("it is empty", 0);
    const limit = bytes.length > READ_AT_ONCE ? READ_AT_ONCE : bytes.length;
    while (this.readMember(limit));
    this.fieldsAtOnce = this.fieldCount;
  }

  readAll(): void {
    while (this.readMember());
  }

  /** Scans one more member; false where there is none, or it ends beyond `limit`. FormatError as `read` throws it. */
  readMember(limit = this.bytes.length): boolean {
    if (this.fault !== undefined) throw this.fault;
    const cursor = this.#cursor;
    if (cursor.at === cursor.end) return false;
    try {
      return this.#scanMember(cursor, limit);
    } catch (error) {
      if (error instanceof FormatError) this.fault = error;
      throw error;
    }
  }

  #scanMember(cursor: Cursor, limit: number): boolean {
    const tagAt = cursor.at;
    const tag = readVarint(cursor);
    this.#checkSound(cursor.at);
    const member = Math.floor(tag / 8);
    if (member <= 0) throw broken("a member has no number", tagAt);
    if (member <= messageTag.field && (tag & 7) !== memberWire[member]) {
      throw broken("a member is of the wrong wire type", tagAt);
    }
    let start = cursor.at;
    if (member <= messageTag.field && (tag & 7) === wire.bytes) {
      const end = readLength(cursor);
      start = cursor.at;
      cursor.at = end;
    } else {
      skipValue(cursor, tag);
    }
    if (cursor.at > limit) {
      cursor.at = tagAt;
      return false;
    }
    this.#checkSound(cursor.at);
    if (member === messageTag.field) this.#readField(start, cursor.at);
    else if (member < messageTag.field && this.starts[member] < 0) {
      this.starts[member] = start;
      this.ends[member] = cursor.at;
    }
    return true;
  }

  /** Where the contents of a member start, -1 where it is absent. Reads on until it is found. */
  memberStart(member: number): number {
    while (this.starts[member]! < 0 && this.readMember());
    return this.starts[member]!;
  }

  #checkSound(at: number): void {
    if (at > this.#sound) throw new CorruptBlock(0);
  }

  /** Among the fields scanned so far. */
  find(name: FieldName): FieldPlace | undefined {
    return this.findNth(name, 0);
  }

  /** Of the fields with this name, in the order of the message, the one at `index`. */
  findNth(name: FieldName, index: number): FieldPlace | undefined {
    for (let i = 0; i < this.fieldCount; i++) {
      if (this.hasName(i, name) && index-- === 0) return this.fields[i];
    }
    return undefined;
  }

  /** Whether the field at `index` is called `name`. */
  hasName(index: number, name: FieldName): boolean {
    const field = this.fields[index];
    return field.nameMark === name.mark && bytesAt(this.bytes, field.nameStart, name.bytes);
  }

  #readField(start: number, end: number): void {
    if (this.fieldCount === maxFields) throw broken(`it has more than ${maxFields} fields`, start);
    if (this.fieldCount === this.fields.length) this.fields.push({ ...noField });
    const field = this.fields[this.fieldCount++];
    const { bytes } = this;
    const cursor = { bytes, at: start, end };
    const valueStarts = this.#valueStarts.fill(-1);
    let nameStart = -1;
    let nameEnd = -1;
    let type = -1;
    while (cursor.at < end) {
      const tagAt = cursor.at;
      const tag = readVarint(cursor);
      const member = Math.floor(tag / 8);
      const wireType = tag & 7;
      if (member <= 0) throw broken("a field's member has no number", tagAt);
      if (member > valueTag.bool) {
        skipValue(cursor, tag);
      } else if (member === valueTag.type) {
        if (wireType !== wire.varint) throw broken("a field's type is of the wrong wire type", tagAt);
        const value = readVarint(cursor);
        if (value < 0) throw broken("a field's type is no number", tagAt);
        if (type < 0) type = value;
      } else if (wireType === wire.bytes) {
        const contentsEnd = readLength(cursor);
        const contents = cursor.at;
        cursor.at = contentsEnd;
        if (member === valueTag.name) {
          if (nameStart < 0) {
            nameStart = contents;
            nameEnd = contentsEnd;
          }
        } else {
          if (member >= valueTag.integer) checkPacked(bytes, contents, contentsEnd, member);
          // A packed run may be empty, a string may too.
          const holdsValue = member < valueTag.integer || contents < contentsEnd;
          if (holdsValue && valueStarts[member] < 0) {
            valueStarts[member] = contents;
            this.#valueEnds[member] = contentsEnd;
          }
        }
      } else {
        const wanted = member < valueTag.integer ? wire.bytes : member === valueTag.double ? wire.fixed64 : wire.varint;
        if (wireType !== wanted) throw broken("a field's member is of the wrong wire type", tagAt);
        if (valueStarts[member] < 0) valueStarts[member] = cursor.at;
        skipValue(cursor, tag);
        this.#valueEnds[member] = cursor.at;
      }
    }
    if (nameStart < 0) nameStart = nameEnd = start;
    if (type < 0) type = valueType.string;
    const valueMember = valueTag.string + type;
    const known = valueMember <= valueTag.bool;
    field.start = start;
    field.end = end;
    field.nameStart = nameStart;
    field.nameEnd = nameEnd;
    field.nameMark = nameMark(bytes, nameStart, nameEnd);
    field.type = type;
    field.valueStart = known ? valueStarts[valueMember] : -1;
    field.valueEnd = known ? this.#valueEnds[valueMember] : -1;
  }
}

const noField: FieldPlace = {
  start: 0,
  end: 0,
  nameStart: 0,
  nameEnd: 0,
  nameMark: 0,
  type: 0,
  valueStart: -1,
  valueEnd: -1,
};

/** Numbers of a packed run are read without further checks, so all of them must be whole. */
function checkPacked(bytes: Uint8Array, start: number, end: number, member: number): void {
  if (member === valueTag.double) {
    if ((end - start) % 8 !== 0) throw broken("a packed run ends within a number", start);
    return;
  }
  const cursor = { bytes, at: start, end };
  while (cursor.at < end) skipValue(cursor, wire.varint);
}
