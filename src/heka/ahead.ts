// What lies ahead in the window: headers, the ends of frames, messages. The framer's eyes, used by it alone. A question that
// takes more bytes than there are yet is answered with undefined.
import { Credit } from "./credit.ts";
import { type Header, readHeader } from "./header.ts";
import { frameMark, headerEnd } from "./protobuf.ts";
import type { Window } from "./window.ts";

/** Longer messages are damage: no header may make us keep more (P9). */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_HEADER_BYTES = 255;
/** As many blanks after a frame are looked through for what follows. */
const MAX_BLANKS_AHEAD = 256;

export type MessageKind = "plain" | "block";

/** What the framer asks about messages, next to damage only. */
export interface MessageCheck {
  /** How bytes are one whole message: plain, or as one Snappy block. Where they are none, how many were looked at in vain. */
  examine(message: Uint8Array): MessageKind | number;
  /**
   * Where the members from `start` on stop being whole ones of a plain message: `start` where the first is no uuid, more than
   * `limit` where the last one goes on there. `ends` gets the end of each.
   */
  endOfMembers(bytes: Uint8Array, start: number, limit: number, ends?: number[]): number;
}

/** All places are bytes ahead of the window's `at`. */
export class Ahead {
  /** What the last sane header said. */
  readonly header: Header = { messageLength: 0, signed: false };
  #window: Window;
  #messages: MessageCheck;
  #credit = new Credit();
  /** What messages at `offset` were tried, so that none is tried twice where something else takes more bytes. */
  #tried = { offset: -1, kinds: new Map<string, MessageKind | undefined>(), crossed: new Set<string>() };

  constructor(window: Window, messages: MessageCheck) {
    this.#window = window;
    this.#messages = messages;
  }

  /** Reads the header of a frame `ahead` of `at`, whatever its mark; "" or what is wrong with it, undefined as above. */
  readHeader(ahead: number): string | undefined {
    const window = this.#window;
    if (!window.fill(ahead + 2)) return window.ended ? "truncated" : undefined;
    const headerLength = window.bytes[window.at + ahead + 1];
    if (!window.fill(ahead + 3 + headerLength)) return window.ended ? "truncated" : undefined;
    const start = window.at + ahead + 2;
    const end = start + headerLength;
    if (window.bytes[end] !== headerEnd) return "no separator after the header";
    if (!readHeader(window.bytes, start, end, this.header)) return "broken header";
    return this.header.messageLength > MAX_MESSAGE_BYTES ? "message longer than 64 MiB" : "";
  }

  /** What lies `ahead` of `at`, where a frame ends; undefined when that takes more bytes. "frame" is the end, too. */
  whatFollows(ahead: number): "frame" | "mark" | "separator" | "garbage" | undefined {
    const window = this.#window;
    let next = ahead;
    for (;;) {
      if (!window.fill(next + 1)) return window.ended ? "frame" : undefined;
      if (!isBlank(window.bytes[window.at + next])) break;
      if (++next - ahead === MAX_BLANKS_AHEAD) return "separator";
    }
    const hasMark = window.bytes[window.at + next] === frameMark;
    const fault = this.readHeader(next);
    if (fault === undefined) return undefined;
    if (hasMark) return fault === "" ? "frame" : "mark";
    return next > ahead || fault === "" ? "separator" : "garbage";
  }

  /** Whether a blank lies `ahead` of `at`, of the bytes that are in sight. */
  isBlankAt(ahead: number): boolean {
    const { bytes, at, limit } = this.#window;
    return at + ahead < limit && isBlank(bytes[at + ahead]);
  }

  /** What message the bytes from `start` to `end` are, both ahead of `at`, if there is credit to find out. */
  kindOf(start: number, end: number): MessageKind | undefined {
    const { bytes, at } = this.#window;
    const { offset, kinds } = this.#triedHere();
    const range = `${start}-${end}`;
    if (kinds.has(range)) return kinds.get(range);
    const size = end - start;
    const found = this.#credit.allows(size, offset) ? this.#messages.examine(bytes.subarray(at + start, at + end)) : 0;
    const kind = typeof found === "number" ? undefined : found;
    if (typeof found === "number") this.#credit.charge(size, found);
    kinds.set(range, kind);
    return kind;
  }

  #triedHere() {
    const offset = this.#window.offset();
    if (this.#tried.offset !== offset) this.#tried = { offset, kinds: new Map(), crossed: new Set() };
    return this.#tried;
  }

  /**
   * Whether a frame begins from `start` on and before one of `ends`, which are in order, and ends behind that: what seemed to be
   * one value, or one message, has taken bytes of what follows for its own. Frames that are in a value end inside.
   */
  isCrossed(start: number, ends: readonly number[]): boolean | undefined {
    const window = this.#window;
    const { crossed } = this.#triedHere();
    const range = `${start}-${ends.at(-1)}`;
    if (crossed.has(range)) return true;
    let piece = 0;
    for (let ahead = start; ; ahead++) {
      const mark = window.bytes.indexOf(frameMark, window.at + ahead);
      ahead = mark < 0 ? ends.at(-1)! : mark - window.at;
      while (piece < ends.length && ends[piece]! <= ahead) piece++;
      if (piece === ends.length) return false;
      const fault = this.readHeader(ahead);
      if (fault === undefined) return undefined;
      if (fault !== "") continue;
      const { messageLength } = this.header;
      const end = ahead + 3 + window.bytes[window.at + ahead + 1] + messageLength;
      if (end <= ends[piece]!) continue;
      if (!window.fill(end)) {
        if (window.ended) continue;
        return undefined;
      }
      const follows = this.whatFollows(end);
      if (follows === undefined) return undefined;
      if (follows !== "frame" || this.kindOf(end - messageLength, end) === undefined) continue;
      crossed.add(range);
      this.#credit.charge(ends.at(-1)! - start, ends.at(-1)! - start);
      return true;
    }
  }

  /** Where the message of the frame at `at` may begin, its header being damaged; not behind another header. */
  messageStarts(): number[] | undefined {
    const window = this.#window;
    const most = 3 + MAX_HEADER_BYTES;
    if (!window.fill(most) && !window.ended) return undefined;
    const header = window.bytes.subarray(window.at, Math.min(window.limit, window.at + most));
    let last = header.length;
    for (let other = header.indexOf(frameMark, 1); other > 0; other = header.indexOf(frameMark, other + 1)) {
      const fault = this.readHeader(other);
      if (fault === undefined) return undefined;
      if (fault !== "") continue;
      last = other;
      break;
    }
    const starts = new Set([3 + header[1], header.indexOf(headerEnd, 2) + 1]);
    return [...starts].filter((start) => start > 2 && start <= last);
  }

  /** The ends of the whole members from `start` to `end`, where the last one ends. */
  memberEnds(start: number, end: number): number[] {
    const { bytes, at } = this.#window;
    const ends: number[] = [];
    this.#messages.endOfMembers(bytes, at + start, at + end, ends);
    return ends.map((one) => one - at);
  }

  /** Where whole members from `start` on end, both ahead of `at`; more than there is where the object ends within one. */
  endOfMembers(start: number): number | undefined {
    const window = this.#window;
    for (;;) {
      const { at, limit } = window;
      const end = this.#messages.endOfMembers(window.bytes, at + start, limit) - at;
      if (end - start > MAX_MESSAGE_BYTES) return start;
      if (end < limit - at) return end;
      // As many at once as a few members take.
      window.fill(Math.max(end, limit - at) + 4096);
      if (window.limit - window.at === limit - at) return window.ended ? end : undefined;
    }
  }
}

export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}
