// First stage after the object's bytes: cuts them into frames, damaged ranges and blanks. Knows nothing of messages but
// whether bytes are one.
import { Credit } from "./credit.ts";
import { beginsHeader, type Header, readHeader } from "./header.ts";
import { frameMark, headerEnd } from "./protobuf.ts";
import { Window } from "./window.ts";

/** Longer messages are damage: no header may make us keep more (P9). */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Where not even a damaged frame begins. */
const noFrame = "no frame begins here";
const MAX_HEADER_BYTES = 255;
/** As many blanks after a frame are looked through for what follows; after more of them anything may. */
const MAX_BLANKS_AHEAD = 256;

/**
 * A range of the (decompressed) object, `offset` and `length` in bytes. Spans come in order and leave no gap.
 * frame: `offset` is that of its mark 0x1E, `length` that of the whole frame, `message` a view valid until the next push.
 * damaged: bytes that are no frame, as long a range as there is; `cause` is what was wrong where it begins.
 * blank: a run of space, tab, CR and LF between frames.
 */
export type Span =
  | { kind: "frame"; offset: number; length: number; message: Uint8Array; signed: boolean }
  | { kind: "damaged"; offset: number; length: number; cause: string }
  | { kind: "blank"; offset: number; length: number };

type OpenRange = { kind: "damaged"; offset: number; cause: string } | { kind: "blank"; offset: number };

/** What the framer asks about messages, next to damage only. */
export interface MessageCheck {
  /** Whether bytes are one whole message, plain or compressed. */
  isWhole(message: Uint8Array): boolean;
  /**
   * Where the members from `start` on stop being whole ones of a plain message: `start` where the first is none, more than
   * `limit` where the last one goes on there.
   */
  endOfMembers(bytes: Uint8Array, start: number, limit: number): number;
}

/**
 * Cuts chunks into spans: `push` a chunk, call `next` until it gives undefined, and so on; after `end`, `next` gives what
 * is left. The spans do not depend on how the bytes are cut into chunks (P7: their lengths add up to the bytes pushed).
 *
 * There is no checksum, and a frame's length may be what is damaged. What may be lost to that is bounded (P6):
 * - Where a frame must begin (at the start, after a frame, after blanks) a sane header is trusted if its frame ends at the
 *   end, or before another sane header, blanks aside. Such a frame is intact: it is never searched, and not decoded.
 * - Where something else follows, either the length or what follows is damaged: it is a frame if its message decodes.
 * - Else damage begins there. If a whole plain message lies behind what is left of the header, and a frame follows that, the
 *   damage ends with it: frames that its fields hold are none.
 * - Else from the second byte on every mark is tried: a frame is one with a sane header whose message decodes. If what was
 *   hit began like a plain message, whose fields may hold frames, then a mark, a blank, the end, or a header that lacks only
 *   its mark has to follow, too.
 */
export class Framer {
  #window = new Window();
  #messages: MessageCheck;
  #credit = new Credit();
  #header: Header = { messageLength: 0, signed: false };
  /** A damaged or blank range that goes on at the window's `at`. */
  #open: OpenRange | undefined;
  /** How a damaged range is searched for a frame: any will do, or one that something has to follow. */
  #search: "any" | "followed" | undefined;
  /** A frame found together with the end of an open range. */
  #queued: Span | undefined;

  constructor(messages: MessageCheck) {
    this.#messages = messages;
  }

  push(chunk: Uint8Array): void {
    this.#window.push(chunk);
  }

  end(): void {
    this.#window.ended = true;
  }

  /**
   * Where a frame must begin, all that is left of the chunks pushed, for somebody else to read; undefined elsewhere, and
   * where there are more than `most` bytes. To be called when `next` has given undefined.
   */
  handOver(most: number): { readonly bytes: Uint8Array; readonly offset: number } | undefined {
    const window = this.#window;
    if (this.#open !== undefined || window.limit - window.at > most) return undefined;
    const offset = window.offset();
    return { bytes: window.take(), offset };
  }

  /** Goes on at `offset` in the object, where a frame must begin, after others have read up to there. */
  takeOver(offset: number): void {
    this.#window.moveTo(offset);
  }

  next(): Span | undefined {
    if (this.#queued) {
      const span = this.#queued;
      this.#queued = undefined;
      return span;
    }
    const window = this.#window;
    while (window.fill(1)) {
      if (this.#search !== undefined) {
        if (!this.#findMark()) continue;
      } else if (isBlank(window.bytes[window.at])) {
        const before = this.#begin({ kind: "blank", offset: window.offset() });
        while (window.at < window.limit && isBlank(window.bytes[window.at])) window.at++;
        if (before) return before;
        continue;
      }
      const found = this.#readFrame();
      const damaged = typeof found === "string" ? this.#endOfDamage(found) : 0;
      if (found === undefined || damaged === undefined) {
        window.keep();
        return undefined;
      }
      if (typeof found !== "string") {
        this.#search = undefined;
        const before = this.#close(found.offset);
        if (!before) return found;
        this.#queued = found;
        return before;
      }
      const before = this.#begin({ kind: "damaged", offset: window.offset(), cause: found });
      window.at += damaged;
      if (before) return before;
    }
    return window.ended ? this.#close(window.offset()) : undefined;
  }

  /** The frame at `at`, stepped over; or the cause why there is none; or undefined when that takes more bytes. */
  #readFrame(): Span | string | undefined {
    const window = this.#window;
    const fault = this.#readHeader(0);
    if (fault === undefined) return undefined;
    if (window.bytes[window.at] !== frameMark) return fault === "" ? "a header without its mark" : noFrame;
    if (fault !== "") return fault;
    const { messageLength, signed } = this.#header;
    const length = 3 + window.bytes[window.at + 1] + messageLength;
    if (!window.fill(length)) return window.ended ? "truncated" : undefined;
    const follows = this.#whatFollows(length);
    if (follows === undefined) return undefined;
    const isIntact = this.#search === undefined && follows === "frame";
    const mayBeOne = this.#search !== "followed" || follows !== "garbage";
    if (!isIntact && !(mayBeOne && this.#isWhole(length - messageLength, length))) {
      return "no frame follows, and what it holds is no message";
    }
    const offset = window.offset();
    window.at += length;
    const message = window.bytes.subarray(window.at - messageLength, window.at);
    return { kind: "frame", offset, length, message, signed };
  }

  /**
   * How many bytes from `at` on are damaged for certain, where `fault` was found, and how to search from there; undefined
   * when that takes more bytes.
   */
  #endOfDamage(fault: string): number | undefined {
    if (this.#search !== undefined) return 1;
    let search: "any" | "followed" = "any";
    const starts = fault === noFrame ? [] : this.#messageStarts();
    if (starts === undefined) return undefined;
    for (const start of starts) {
      const end = this.#endOfMembers(start);
      if (end === undefined) return undefined;
      if (end === start) continue;
      search = "followed";
      if (end > this.#window.limit - this.#window.at) continue;
      const follows = this.#whatFollows(end);
      if (follows === undefined) return undefined;
      if (follows === "frame" && this.#isWhole(start, end)) return end;
    }
    this.#search = search;
    return 1;
  }

  /** Where the message of the frame at `at` may begin, its header being damaged; not behind another header. */
  #messageStarts(): number[] | undefined {
    const window = this.#window;
    const most = 3 + MAX_HEADER_BYTES;
    if (!window.fill(most) && !window.ended) return undefined;
    const header = window.bytes.subarray(window.at, Math.min(window.limit, window.at + most));
    const other = header.findIndex((byte, ahead) => ahead > 0 && byte === frameMark && this.#readHeader(ahead) === "");
    const starts = new Set([3 + header[1], header.indexOf(headerEnd, 2) + 1]);
    return [...starts].filter((start) => start > 2 && start <= header.length && (other < 0 || start <= other));
  }

  /** Where whole members from `start` on end, both ahead of `at`; more than there is where the object ends within one. */
  #endOfMembers(start: number): number | undefined {
    const window = this.#window;
    for (;;) {
      const { at, limit } = window;
      const end = this.#messages.endOfMembers(window.bytes, at + start, limit) - at;
      if (end < limit - at) return end;
      if (end - start > MAX_MESSAGE_BYTES) return start;
      // As many at once as a few members take.
      window.fill(Math.max(end, limit - at) + 4096);
      if (window.limit - window.at === limit - at) return window.ended ? end : undefined;
    }
  }

  /** What lies `ahead` of `at`, where a frame ends; undefined when that takes more bytes. "frame" is the end, too. */
  #whatFollows(ahead: number): "frame" | "separator" | "garbage" | undefined {
    const window = this.#window;
    let next = ahead;
    for (;;) {
      if (!window.fill(next + 1)) return window.ended ? "frame" : undefined;
      if (!isBlank(window.bytes[window.at + next])) break;
      if (++next - ahead === MAX_BLANKS_AHEAD) return "frame";
    }
    const hasMark = window.bytes[window.at + next] === frameMark;
    const fault = this.#readHeader(next);
    if (fault === undefined) return undefined;
    if (hasMark && (fault === "" || fault === "truncated")) return "frame";
    return hasMark || next > ahead || fault === "" ? "separator" : "garbage";
  }

  /** Reads the header of a frame `ahead` of `at`, whatever its mark; "" or what is wrong with it, undefined as above. */
  #readHeader(ahead: number): string | undefined {
    const window = this.#window;
    if (!window.fill(ahead + 2)) return window.ended ? "truncated" : undefined;
    const headerLength = window.bytes[window.at + ahead + 1];
    if (!window.fill(ahead + 3 + headerLength)) return window.ended ? "truncated" : undefined;
    const start = window.at + ahead + 2;
    const end = start + headerLength;
    if (window.bytes[end] !== headerEnd) return "no separator after the header";
    if (!readHeader(window.bytes, start, end, this.#header)) return "broken header";
    return this.#header.messageLength > MAX_MESSAGE_BYTES ? "message longer than 64 MiB" : "";
  }

  /** Whether the bytes from `start` to `end`, both ahead of `at`, are a message, if there is credit to find out. */
  #isWhole(start: number, end: number): boolean {
    const { bytes, at } = this.#window;
    const message = bytes.subarray(at + start, at + end);
    if (!this.#credit.allows(message.length, this.#window.offset())) return false;
    if (this.#messages.isWhole(message)) return true;
    this.#credit.charge(message.length);
    return false;
  }

  /** Moves to the next mark in sight that a header may follow; without one everything in sight is passed. */
  #findMark(): boolean {
    const window = this.#window;
    const { bytes, limit } = window;
    for (let mark = window.at; mark < limit; mark++) {
      if (bytes[mark] !== frameMark) mark = bytes.indexOf(frameMark, mark);
      if (mark < 0 || mark >= limit) break;
      // A run of marks is passed quickly.
      if (mark + 2 < limit && !beginsHeader(bytes[mark + 2])) continue;
      window.at = mark;
      return true;
    }
    window.at = limit;
    return false;
  }

  /** Begins a range, unless one of its kind is open already; ends another. */
  #begin(range: OpenRange): Span | undefined {
    if (this.#open?.kind === range.kind) return undefined;
    const before = this.#close(range.offset);
    this.#open = range;
    return before;
  }

  /** Ends the open range before `end`, an offset in the object. */
  #close(end: number): Span | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open && { ...open, length: end - open.offset };
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}
