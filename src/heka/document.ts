// The document rule: what a path means in a message, in either era. A path means the longest prefix that names a field,
// and the rest walks into that field's JSON; where no field matches it walks into the ping's own JSON.
import { ValueError } from "../errors.ts";
import type { Envelope, FieldPlace } from "./envelope.ts";
import { MAX_MESSAGE_BYTES } from "./frames.ts";
import { JsonBytes, type JsonRange } from "./json.ts";
import { bytesAt, type CompiledPath, compilePath, type FieldName } from "./path.ts";
import { messageTag, valueType } from "./protobuf.ts";
import { zlib } from "./zlib.ts";

/** Where a value lies: in a field as it is, or in JSON text (then `field` is undefined). `start`–`end` is in `source`. */
export interface Place extends JsonRange {
  readonly source: JsonBytes;
  readonly field: FieldPlace | undefined;
}

const submission = compilePath("submission").fieldNames[0];
const content = compilePath("content").fieldNames[0];
const dot = 0x2e;

/** The values of one message by path. */
export class Document {
  /** The message's bytes. */
  readonly source: JsonBytes;
  #envelope: Envelope;
  /** The ping's own JSON, once someone asked for it; null where there is none, a text where it cannot be unpacked. */
  #ping: Place | string | null | undefined;

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
    this.source = new JsonBytes(envelope.bytes);
  }

  get invalidUtf8(): boolean {
    const ping = this.#ping;
    return this.source.invalidUtf8 || (typeof ping === "object" && ping?.source.invalidUtf8 === true);
  }

  /** Where the value of a path lies; undefined where it is absent or null. */
  find(path: CompiledPath): Place | undefined {
    const { field, name } = this.#meant(path);
    if (field === undefined || name === undefined) {
      const ping = this.#findPing(path.text);
      return ping ? this.#walk(ping.source, ping.start, ping.end, path, 0) : undefined;
    }
    if (name.keys === path.keys.length) return this.#wholeField(field);
    // The field exists: what it lacks is not looked for elsewhere.
    if (field.valueStart < 0 || field.type > valueType.bytes) return undefined;
    return this.#walk(this.source, field.valueStart, field.valueEnd, path, name.keys);
  }

  /**
   * The field that a path means, the prefix that names it, and how many of the message's fields that was decided by. Those
   * beyond what is read at once are read only until the path is settled: its longest prefix so far is all of it, or names a
   * section that the pipeline split off.
   */
  #meant(path: CompiledPath): { field?: FieldPlace; name?: FieldName; fields: number } {
    const envelope = this.#envelope;
    let field: FieldPlace | undefined;
    let name: FieldName | undefined;
    let i = 0;
    do {
      for (; i < envelope.fieldCount; i++) {
        for (const longer of path.fieldNames) {
          if (name !== undefined && longer.keys <= name.keys) break;
          if (!envelope.hasName(i, longer)) continue;
          field = envelope.fields[i];
          name = longer;
          break;
        }
        if (name === undefined) continue;
        const isWhole = name.keys === path.keys.length;
        if (isWhole || (name.isSection && i + 1 >= envelope.fieldsAtOnce)) {
          return { field, name, fields: Math.max(i + 1, envelope.fieldsAtOnce) };
        }
      }
    } while (envelope.readMember());
    return { field, name, fields: i };
  }

  /** Sections split off from below `path`, by name, sorted: of equal names the first, if it holds a value. */
  sectionsBelow(path: CompiledPath): Map<string, FieldPlace> | undefined {
    const envelope = this.#envelope;
    const { bytes, fields } = envelope;
    const meant = this.#meant(path);
    if (meant.name?.isSection !== true) envelope.readAll();
    const fieldCount = meant.name?.isSection === true ? meant.fields : envelope.fieldCount;
    let firsts: Map<string, FieldPlace> | undefined;
    for (let i = 0; i < fieldCount; i++) {
      const field = fields[i];
      const { nameStart, nameEnd } = field;
      const isBelow = nameEnd - nameStart > path.below.length && bytesAt(bytes, nameStart, path.below);
      // Only names with a dot are sections: the others are the pipeline's own facts.
      if (!isBelow || !this.#hasDot(field)) continue;
      const name = this.source.text(nameStart, nameEnd);
      firsts ??= new Map();
      if (!firsts.has(name)) firsts.set(name, field);
    }
    if (firsts === undefined) return undefined;
    const found = [...firsts].filter(([, field]) => this.#wholeField(field) !== undefined);
    return found.length > 0 ? new Map(found.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
  }

  /** Whether the value is the text of a section, which is JSON whatever it begins with. */
  isSection(place: Place): boolean {
    return place.field !== undefined && this.#hasDot(place.field);
  }

  #hasDot(field: FieldPlace): boolean {
    const { bytes } = this.#envelope;
    for (let at = field.nameStart; at < field.nameEnd; at++) if (bytes[at] === dot) return true;
    return false;
  }

  #wholeField(field: FieldPlace): Place | undefined {
    if (field.valueStart < 0) return undefined;
    const place = { source: this.source, start: field.valueStart, end: field.valueEnd, field };
    return field.type <= valueType.bytes && this.#hasDot(field) && isNull(place) ? undefined : place;
  }

  #walk(source: JsonBytes, start: number, end: number, path: CompiledPath, from: number): Place | undefined {
    const range = source.find(start, end, path.keys, from, path.text);
    if (!range) return undefined;
    const place = { source, start: range.start, end: range.end, field: undefined };
    return isNull(place) ? undefined : place;
  }

  /** The ping's own JSON: what is not split off of it, or all of it as the client sent it. */
  #findPing(path: string): Place | null {
    if (this.#ping === undefined) {
      this.#ping = this.#payload() ?? this.#textOf(submission) ?? this.#contentText() ?? null;
    }
    if (typeof this.#ping === "string") throw new ValueError(path, this.#ping);
    return this.#ping;
  }

  #payload(): Place | undefined {
    const start = this.#envelope.starts[messageTag.payload];
    const end = this.#envelope.ends[messageTag.payload];
    return start >= 0 && end > start ? { source: this.source, start, end, field: undefined } : undefined;
  }

  #textOf(name: typeof submission): Place | undefined {
    const field = this.#envelope.find(name);
    if (!field || field.type > valueType.bytes || field.valueStart < 0) return undefined;
    return { source: this.source, start: field.valueStart, end: field.valueEnd, field: undefined };
  }

  /** The text of the client's own bytes, often gzip; or what is wrong with them. */
  #contentText(): Place | string | undefined {
    const place = this.#textOf(content);
    if (!place) return undefined;
    const { bytes } = this.source;
    const isGzip = place.end - place.start > 2 && bytes[place.start] === 0x1f && bytes[place.start + 1] === 0x8b;
    if (!isGzip) return place;
    const text = gunzip(bytes.subarray(place.start, place.end));
    if (typeof text === "string") return text;
    return { source: new JsonBytes(text), start: 0, end: text.length, field: undefined };
  }
}

function gunzip(bytes: Uint8Array): Uint8Array | string {
  try {
    return zlib().gunzipSync(bytes, { maxOutputLength: MAX_MESSAGE_BYTES });
  } catch (error) {
    const isLong = (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    return isLong ? "is in gzip longer than 64 MiB" : "is in broken gzip";
  }
}

/** Whether the JSON text of a place is null, blanks aside. */
function isNull({ source, start, end }: Place): boolean {
  const { bytes } = source;
  const at = source.skipSpace(start, end);
  return (
    bytes[at] === 0x6e && // n
    at + 4 <= end &&
    bytes.toString("latin1", at, at + 4) === "null" &&
    source.skipSpace(at + 4, end) === end
  );
}
