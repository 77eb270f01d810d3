// Finds values in JSON text by scanning its bytes, so that a path costs no parse of the section it leads into.
import { ValueError } from "../errors.ts";
import { takeLarge } from "./large.ts";
import type { Key } from "./path.ts";
import { bytesAt } from "./path.ts";

/** Arrays and objects within each other; deeper JSON is an error of its record (P9). */
export const MAX_JSON_DEPTH = 500;

/** A value in JSON text: from its first byte to the one after its last. */
export interface JsonRange {
  start: number;
  end: number;
}

/** Objects with more members than this are scanned again for each further path, so that they cannot fill the memory. */
const maxKeptMembers = 10_000;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Results of `containerEnd` that are no place. */
const unclosed = -1;
const tooDeep = -2;

interface Member extends JsonRange {
  keyStart: number;
  keyEnd: number;
  keyEscaped: boolean;
}

/** An object whose members are known as far as anyone asked. */
interface ScannedObject {
  /** Where scanning goes on after `members`. */
  at: number;
  readonly members: Member[];
}

/** Bytes that hold UTF-8 text and JSON, with what was found out about their objects. */
export class JsonBytes {
  readonly bytes: Buffer;
  /** Whether some text asked for was not UTF-8 (and was given with U+FFFD in place of what was not). */
  invalidUtf8 = false;
  /** By the offset of the brace; many paths into one section scan it once. */
  #objects = new Map<number, ScannedObject>();
  /** Whether the string that `#stringEnd` stepped over last has a backslash. */
  #escaped = false;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The bytes are about to become others: what was found out holds no longer. */
  forget(): void {
    this.invalidUtf8 = false;
    if (this.#objects.size > 0) this.#objects.clear();
  }

  /** The text of a range. */
  text(start: number, end: number): string {
    takeLarge(end - start);
    const text = this.bytes.toString("utf8", start, end);
    if (!this.invalidUtf8 && text.includes("\uFFFD")) {
      this.invalidUtf8 = !process.getBuiltinModule("node:buffer").isUtf8(this.bytes.subarray(start, end));
    }
    return text;
  }

  /**
   * Walks from the JSON text in `start`–`end` through objects by the keys from `keys[from]` on; the first of equal keys
   * counts. Gives undefined where the walk ends nowhere, ValueError for `path` where the text is broken on the way.
   */
  find(start: number, end: number, keys: readonly Key[], from: number, path: string): JsonRange | undefined {
    let range: JsonRange = { start: this.textStart(start, end), end };
    for (let depth = from; depth < keys.length; depth++) {
      if (range.start >= range.end || this.bytes[range.start] !== openBrace) return undefined;
      const member = this.#member(range, keys[depth], depth - from + 1, path);
      if (!member) return undefined;
      range = member;
    }
    return range;
  }

  /** ValueError for `path` if the JSON text in the range is nested too deeply to be parsed. */
  checkDepth(start: number, end: number, path: string): void {
    if (end - start <= MAX_JSON_DEPTH) return; // not even of brackets alone
    const first = this.textStart(start, end);
    const isContainer = first < end && (this.bytes[first] & 0xdf) === 0x5b;
    if (isContainer && this.#containerEnd(first, end, 0) === tooDeep) throw deepError(path);
  }

  /** Where the value of a JSON text begins: some clients put a byte order mark before it, which JSON.parse refuses. */
  textStart(at: number, end: number): number {
    const { bytes } = this;
    const hasMark = end - at >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
    return this.skipSpace(hasMark ? at + 3 : at, end);
  }

  skipSpace(at: number, end: number): number {
    const { bytes } = this;
    while (at < end && isSpace(bytes[at])) at++;
    return at;
  }

  #member(range: JsonRange, key: Key, depth: number, path: string): JsonRange | undefined {
    let object = this.#objects.get(range.start);
    if (!object) {
      object = { at: range.start + 1, members: [] };
      this.#objects.set(range.start, object);
    }
    for (const member of object.members) if (this.#isKey(member, key)) return member;
    let member = this.#scanMember(object.at, range.end, object.members.length === 0, depth, path);
    while (member) {
      if (object.members.length < maxKeptMembers) {
        object.members.push(member);
        object.at = member.end;
      }
      if (this.#isKey(member, key)) return member;
      member = this.#scanMember(member.end, range.end, false, depth, path);
    }
    return undefined;
  }

  #isKey(member: Member, key: Key): boolean {
    const { keyStart, keyEnd } = member;
    if (member.keyEscaped) return parsedString(this.text(keyStart - 1, keyEnd + 1)) === key.text;
    return keyEnd - keyStart === key.bytes.length && bytesAt(this.bytes, keyStart, key.bytes);
  }

  /** The member of an object that begins at `at`, or at the comma there unless it is the first; undefined at the end. */
  #scanMember(at: number, end: number, first: boolean, depth: number, path: string): Member | undefined {
    const { bytes } = this;
    at = this.skipSpace(at, end);
    if (at < end && bytes[at] === closeBrace) return undefined;
    if (!first) {
      if (at >= end || bytes[at] !== comma) throw brokenError(path);
      at = this.skipSpace(at + 1, end);
    }
    if (at >= end || bytes[at] !== quote) throw brokenError(path);
    const keyStart = at + 1;
    at = this.#stringEnd(at, end);
    if (at === unclosed) throw brokenError(path);
    const keyEnd = at - 1;
    const keyEscaped = this.#escaped;
    at = this.skipSpace(at, end);
    if (at >= end || bytes[at] !== colon) throw brokenError(path);
    const start = this.skipSpace(at + 1, end);
    const valueEnd = this.#valueEnd(start, end, depth);
    if (valueEnd === tooDeep) throw deepError(path);
    if (valueEnd === unclosed) throw brokenError(path);
    return { keyStart, keyEnd, keyEscaped, start, end: valueEnd };
  }

  #valueEnd(at: number, end: number, depth: number): number {
    const { bytes } = this;
    if (at >= end) return unclosed;
    if (bytes[at] === quote) return this.#stringEnd(at, end);
    if ((bytes[at] & 0xdf) === 0x5b) return this.#containerEnd(at, end, depth);
    const start = at;
    while (at < end && isScalar(bytes[at])) at++;
    return at > start ? at : unclosed;
  }

  #stringEnd(at: number, end: number): number {
    const { bytes } = this;
    this.#escaped = false;
    for (at++; at < end; at++) {
      const byte = bytes[at];
      if (byte === quote) return at + 1;
      if (byte === backslash) {
        this.#escaped = true;
        at++;
      }
    }
    return unclosed;
  }

  /** The end of the array or object at `at`, which lies in `depth` others. The hot loop: most bytes are only passed. */
  #containerEnd(at: number, end: number, depth: number): number {
    const { bytes } = this;
    const outside = depth;
    while (at < end) {
      const byte = bytes[at++];
      if (byte === quote) {
        for (;;) {
          if (at >= end) return unclosed;
          const inside = bytes[at++];
          if (inside === quote) break;
          if (inside === backslash) at++;
        }
      } else if ((byte & 0xdf) === 0x5b) {
        // [ and {, which differ in that one bit, as do ] and }.
        if (++depth > MAX_JSON_DEPTH) return tooDeep;
      } else if ((byte & 0xdf) === 0x5d) {
        if (--depth === outside) return at;
      }
    }
    return unclosed;
  }
}

/** The value of a JSON string with its quotes; undefined if it is broken. */
export function parsedString(token: string): string | undefined {
  try {
    return JSON.parse(token);
  } catch {
    return undefined;
  }
}

function brokenError(path: string): ValueError {
  return new ValueError(path, "is in broken JSON");
}

function deepError(path: string): ValueError {
  return new ValueError(path, `is in JSON deeper than ${MAX_JSON_DEPTH} levels`);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether a byte may go on a number or a literal; what these hold is checked when they are asked for. */
function isScalar(byte: number): boolean {
  const isBracket = (byte & 0xdf) === 0x5b || (byte & 0xdf) === 0x5d;
  return byte > 0x20 && byte !== comma && byte !== colon && byte !== quote && !isBracket;
}
