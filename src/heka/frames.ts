// First stage after the object's bytes: cuts them into frames, damaged ranges and blanks. Knows nothing of messages.
import { InternalError } from "../errors.ts";
import { frameMark, headerEnd, readVarint, wire } from "./protobuf.ts";

/** Longer messages are damage: no header may make us keep more (P9). */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/**
 * A range of the (decompressed) object, `offset` and `length` in bytes. Spans come in order and leave no gap.
 * frame: `offset` is that of its mark 0x1E, `length` that of the whole frame, `message` a view valid until the next push.
 * damaged: bytes that are no frame, as long a range as there is; `cause` is what was wrong where it begins.
 * blank: a run of space, tab, CR and LF between frames.
 */
export type Span =
  | { kind: "frame"; offset: number; length: number; message: Uint8Array }
  | { kind: "damaged"; offset: number; length: number; cause: string }
  | { kind: "blank"; offset: number; length: number };

const empty = new Uint8Array(0);
/** A carry buffer that grew beyond this for one long frame is not kept. */
const keptCarryBytes = 4 * 1024 * 1024;

/**
 * Cuts chunks into spans: `push` a chunk, call `next` until it gives undefined, and so on; after `end`, `next` gives what
 * is left. The spans do not depend on how the bytes are cut into chunks (P7: their lengths add up to the bytes pushed).
 *
 * A frame inside one chunk is a view into it. One that crosses chunks is put together in a carry buffer, which grows as
 * bytes arrive and never by what a length claims.
 */
export class Framer {
  /** The bytes looked at: the chunk itself, or the carry buffer until what is left of earlier chunks is used up. */
  #window: Uint8Array = empty;
  #at = 0;
  #limit = 0;
  /** Offset in the object of the window's first byte. */
  #origin = 0;

  /** Two carry buffers take turns, so that views into the last one stay valid until the next push. */
  #carry: Uint8Array = empty;
  #spare: Uint8Array = empty;
  #carrying = false;
  /** How far the carry buffer holds bytes of earlier chunks; what follows is copied from the chunk as it is needed. */
  #carried = 0;

  #chunk: Uint8Array = empty;
  #chunkOrigin = 0;
  #pushed = 0;
  #ended = false;

  /** A damaged or blank range that goes on at `#at`. */
  #open: { kind: "damaged"; offset: number; cause: string } | { kind: "blank"; offset: number } | undefined;
  /** A frame found together with the end of an open range. */
  #queued: Span | undefined;

  push(chunk: Uint8Array): void {
    if (this.#ended || (this.#carrying ? this.#chunk.length > 0 : this.#at < this.#limit)) {
      throw new InternalError("Cannot take a chunk: spans of the last one are left");
    }
    this.#chunk = chunk;
    this.#chunkOrigin = this.#pushed;
    this.#pushed += chunk.length;
    if (!this.#carrying) this.#lookAtChunk(0);
  }

  end(): void {
    this.#ended = true;
  }

  next(): Span | undefined {
    if (this.#queued) {
      const span = this.#queued;
      this.#queued = undefined;
      return span;
    }
    while (this.#fill(1)) {
      if (this.#open?.kind === "damaged") {
        if (!this.#findMark()) continue;
      } else if (isBlank(this.#window[this.#at])) {
        this.#open ??= { kind: "blank", offset: this.#position() };
        this.#at++;
        continue;
      }
      const found = this.#readFrame();
      if (found === undefined) {
        this.#keepRest();
        return undefined;
      }
      if (typeof found !== "string") {
        const before = this.#close(found.offset);
        if (!before) return found;
        this.#queued = found;
        return before;
      }
      // Damage: go on one byte further, so that a frame inside is still found.
      const before = this.#open?.kind === "blank" ? this.#close(this.#position()) : undefined;
      this.#open ??= { kind: "damaged", offset: this.#position(), cause: found };
      this.#at++;
      if (before) return before;
    }
    return this.#ended ? this.#close(this.#position()) : undefined;
  }

  /**
   * The frame at `#at`, stepped over; or the cause why there is none; or undefined when that takes more bytes.
   * A header that parses is trusted for its length as long as the bytes last.
   */
  #readFrame(): Span | string | undefined {
    if (this.#window[this.#at] !== frameMark) return "no frame begins here";
    if (!this.#fill(2)) return this.#ended ? "truncated" : undefined;
    const headerLength = this.#window[this.#at + 1];
    if (!this.#fill(3 + headerLength)) return this.#ended ? "truncated" : undefined;
    const headerAt = this.#at + 2;
    const messageAt = headerAt + headerLength + 1;
    if (this.#window[messageAt - 1] !== headerEnd) return "no separator after the header";
    const messageLength = readHeader(this.#window, headerAt, headerAt + headerLength);
    if (messageLength < 0) return "broken header";
    if (messageLength > MAX_MESSAGE_BYTES) return "message longer than 64 MiB";
    const length = 3 + headerLength + messageLength;
    if (!this.#fill(length)) return this.#ended ? "truncated" : undefined;
    // Not by `messageAt`: filling may have moved the window.
    const offset = this.#position();
    const message = this.#window.subarray(this.#at + length - messageLength, this.#at + length);
    this.#at += length;
    return { kind: "frame", offset, length, message };
  }

  /** Moves to the next mark in sight; without one everything in sight is passed. */
  #findMark(): boolean {
    const mark = this.#window.indexOf(frameMark, this.#at);
    const found = mark >= 0 && mark < this.#limit;
    this.#at = found ? mark : this.#limit;
    return found;
  }

  /** Ends the open range before `end`, an offset in the object. */
  #close(end: number): Span | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open && { ...open, length: end - open.offset };
  }

  #position(): number {
    return this.#origin + this.#at;
  }

  /** Whether `count` bytes are in sight from `#at` on, after copying what the carry buffer lacks from the chunk. */
  #fill(count: number): boolean {
    if (this.#carrying && this.#at >= this.#carried) this.#lookAtChunk(this.#at - this.#carried);
    if (this.#limit - this.#at >= count) return true;
    if (!this.#carrying) return false;
    const taken = this.#limit - this.#carried;
    const missing = count - (this.#limit - this.#at);
    const more = this.#chunk.subarray(taken, taken + missing);
    const needed = this.#limit + more.length;
    if (needed > this.#carry.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#carry.length));
      larger.set(this.#carry.subarray(0, this.#limit));
      this.#window = this.#carry = larger;
    }
    this.#carry.set(more, this.#limit);
    this.#limit = needed;
    return more.length === missing;
  }

  #lookAtChunk(at: number): void {
    this.#carrying = false;
    this.#window = this.#chunk;
    this.#origin = this.#chunkOrigin;
    this.#at = at;
    this.#limit = this.#chunk.length;
  }

  /** Before another chunk comes: moves the bytes not yet judged to where they last. All of the chunk is in sight here. */
  #keepRest(): void {
    if (!this.#carrying || this.#at > 0) {
      const rest = this.#window.subarray(this.#at, this.#limit);
      [this.#carry, this.#spare] = [carryFor(rest.length, this.#spare), this.#carry];
      this.#carry.set(rest);
      this.#origin += this.#at;
      this.#carrying = true;
      this.#window = this.#carry;
      this.#at = 0;
      this.#limit = rest.length;
    }
    this.#carried = this.#limit;
    this.#chunk = empty;
    this.#chunkOrigin = this.#pushed;
  }
}

/** `buffer` if it fits `length` bytes well, else a new one. */
function carryFor(length: number, buffer: Uint8Array): Uint8Array {
  const fits = length <= buffer.length && (buffer.length <= keptCarryBytes || length > keptCarryBytes);
  return fits ? buffer : new Uint8Array(Math.max(length, 64 * 1024));
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}

/** The message length a header states, or -1 where the bytes are no header. Signed headers have four members more. */
function readHeader(bytes: Uint8Array, at: number, end: number): number {
  const cursor = { bytes, at, end };
  let messageLength = -1;
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    if (tag === headerTag.length || tag === headerTag.hashFunction || tag === headerTag.keyVersion) {
      const value = readVarint(cursor);
      if (value < 0) return -1;
      if (tag === headerTag.length && messageLength < 0) messageLength = value;
    } else if (tag === headerTag.signer || tag === headerTag.hmac) {
      const length = readVarint(cursor);
      if (length < 0) return -1;
      cursor.at += length;
    } else {
      return -1;
    }
  }
  return cursor.at === end ? messageLength : -1;
}

/** Members of a Header with their wire types, as they lie in the bytes. */
const headerTag = {
  length: (1 << 3) | wire.varint,
  hashFunction: (3 << 3) | wire.varint,
  signer: (4 << 3) | wire.bytes,
  keyVersion: (5 << 3) | wire.varint,
  hmac: (6 << 3) | wire.bytes,
};
