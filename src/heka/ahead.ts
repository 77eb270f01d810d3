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

/** What the framer asks about messages, next to damage only. */
export interface MessageCheck {
  /** Whether bytes are one whole message, plain or compressed. */
  isWhole(message: Uint8Array): boolean;
  /**
   * Where the members from `start` on stop being whole ones of a plain message: `start` where the first is none, more than
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
  #tried = { offset: -1, results: new Map<string, boolean>() };

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

  /** Whether the bytes from `start` to `end`, both ahead of `at`, are a message, if there is credit to find out. */
  isWhole(start: number, end: number): boolean {
    const { bytes, at } = this.#window;
    const { offset, results } = this.#triedHere();
    const range = `${start}-${end}`;
    let isWhole = results.get(range);
    if (isWhole === undefined) {
      const mayTry = this.#credit.allows(end - start, offset);
      isWhole = mayTry && this.#messages.isWhole(bytes.subarray(at + start, at + end));
      if (mayTry && !isWhole) this.#credit.charge(end - start);
      results.set(range, isWhole);
    }
    return isWhole;
  }

  #triedHere() {
    const offset = this.#window.offset();
    if (this.#tried.offset !== offset) this.#tried = { offset, results: new Map() };
    return this.#tried;
  }

  /**
   * Whether a frame begins from `start` on and before one of `ends`, which are in order, and ends behind that: what seemed to be
   * one value, or one message, has taken bytes of what follows for its own. Frames that are in a value end inside.
   */
  isCrossed(start: number, ends: readonly number[]): boolean | undefined {
    const window = this.#window;
    const { results } = this.#triedHere();
    const range = `crossed ${start}-${ends.at(-1)}`;
    if (results.has(range)) return true;
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
      if (follows !== "frame" || !this.isWhole(end - messageLength, end)) continue;
      results.set(range, true);
      this.#credit.charge(ends.at(-1)! - start);
      return true;
    }
  }

  /** Where the message of the frame at `at` may begin, its header being damaged; not behind another header. */
  messageStarts(): number[] | undefined {
    const window = this.#window;
    const most = 3 + MAX_HEADER_BYTES;
    if (!window.fill(most) && !window.ended) return undefined;
    const header = window.bytes.subarray(window.at, Math.min(window.limit, window.at + most));
    const other = header.findIndex((byte, ahead) => ahead > 0 && byte === frameMark && this.readHeader(ahead) === "");
    const starts = new Set([3 + header[1], header.indexOf(headerEnd, 2) + 1]);
    return [...starts].filter((start) => start > 2 && start <= header.length && (other < 0 || start <= other));
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
      if (end < limit - at) return end;
      if (end - start > MAX_MESSAGE_BYTES) return start;
      // As many at once as a few members take.
      window.fill(Math.max(end, limit - at) + 4096);
      if (window.limit - window.at === limit - at) return window.ended ? end : undefined;
    }
  }
}

export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}
