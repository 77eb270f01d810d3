// First stage after the object's bytes: cuts them into frames, damaged ranges and blanks. Knows nothing of messages but
// whether bytes are one.
import { Ahead, isBlank, type MessageCheck } from "./ahead.ts";
import { beginsHeader } from "./header.ts";
import { frameMark, headerEnd } from "./protobuf.ts";
import { Window } from "./window.ts";

export { MAX_MESSAGE_BYTES, type MessageCheck, type MessageKind } from "./ahead.ts";

/** Where not even a damaged frame begins. */
const noFrame = "no frame begins here";
/** Whole members of so many bytes, a uuid and its length, are the beginning of a message and not chance. */
const MESSAGE_BEGINS = 18;
/** Where a message lacks bytes, and took frames behind it for them. */
const crossed = "another frame begins inside and ends outside";
/** Where a length leads into a later frame. */
const astray = "another frame begins inside and ends outside, and what it holds is no message";

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

/**
 * Cuts chunks into spans: `push` a chunk, call `next` until it gives undefined, and so on; after `end`, `next` gives what
 * is left. The spans do not depend on how the bytes are cut into chunks (P7: their lengths add up to the bytes pushed).
 *
 * There is no checksum, and a frame's length may be what is damaged. What may be lost to that is bounded (P6):
 * - Where a frame must begin (at the start, after a frame, after blanks) a sane header is trusted if its frame ends at the
 *   end, or before another sane header, blanks aside. Such a frame is intact: it is never searched, and not decoded, but where
 *   the blanks are the end of a frame that begins inside.
 * - Where something else follows, either the length or what follows is damaged: it is a frame if its message decodes, and no
 *   frame that decodes begins inside and ends outside.
 * - Else damage begins there. If a whole plain message lies behind what is left of the header, and a mark or the end follows that,
 *   blanks aside, the damage ends with it: frames that its fields hold are none.
 * - Else from the second byte on every mark is tried: a frame is one with a sane header whose message decodes. If what was
 *   hit began like a plain message, whose fields may hold frames, then as far as those go a mark, a blank, the end, or a
 *   header that lacks only its mark has to follow, too.
 */
export class Framer {
  #window = new Window();
  #ahead: Ahead;
  /** A damaged or blank range that goes on at the window's `at`. */
  #open: OpenRange | undefined;
  /** While a damaged range is searched for a frame: before this offset something has to follow one. */
  #search: number | undefined;
  /** A frame found together with the end of an open range. */
  #queued: Span | undefined;

  constructor(messages: MessageCheck) {
    this.#ahead = new Ahead(this.#window, messages);
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
    const fault = this.#ahead.readHeader(0);
    if (fault === undefined) return undefined;
    if (window.bytes[window.at] !== frameMark) return fault === "" ? "a header without its mark" : noFrame;
    if (fault !== "") return fault;
    const { messageLength, signed } = this.#ahead.header;
    const length = 3 + window.bytes[window.at + 1] + messageLength;
    if (!window.fill(length)) return window.ended ? "truncated" : undefined;
    const follows = this.#ahead.whatFollows(length);
    if (follows === undefined) return undefined;
    const isSure = this.#search === undefined && follows === "frame";
    const isAlone = follows === "garbage" && window.offset() < (this.#search ?? 0);
    const kind = isSure || isAlone ? undefined : this.#ahead.kindOf(length - messageLength, length);
    if (!isSure && kind === undefined) return "no frame follows, and what it holds is no message";
    // A block that is whole where one must be lacks nothing: what begins in it is part of it.
    const mayLack = kind === "plain" || this.#search !== undefined;
    if (isSure ? this.#ahead.isBlankAt(length) : follows !== "frame" && mayLack) {
      const isCrossed = this.#ahead.isCrossed(1, [length]);
      if (isCrossed === undefined) return undefined;
      if (isCrossed && !isSure) return crossed;
      if (isCrossed && this.#ahead.kindOf(length - messageLength, length) === undefined) return astray;
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
    let search = fault === crossed ? Number.POSITIVE_INFINITY : 0;
    const starts = fault === noFrame || fault === crossed ? [] : this.#ahead.messageStarts();
    if (starts === undefined) return undefined;
    for (const start of starts) {
      const end = this.#ahead.endOfMembers(start);
      if (end === undefined) return undefined;
      if (end - start < MESSAGE_BEGINS) continue;
      const { at, bytes } = this.#window;
      if (bytes[at + start - 1] === headerEnd) search = Math.max(search, this.#window.offset() + end);
      if (end > this.#window.limit - this.#window.at) continue;
      const follows = this.#ahead.whatFollows(end);
      if (follows === undefined) return undefined;
      const isEnd = follows === "frame" || follows === "mark";
      if (!isEnd || this.#ahead.kindOf(start, end) === undefined) continue;
      const isCrossed = this.#ahead.isCrossed(start, this.#ahead.memberEnds(start, end));
      if (isCrossed === undefined) return undefined;
      if (!isCrossed) return end;
    }
    this.#search = search;
    return 1;
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
