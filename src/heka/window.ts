// Under the framer: the bytes in sight of it, whatever the chunks they came in.
import { InternalError } from "../errors.ts";
import { takeLarge } from "./large.ts";

const empty = new Uint8Array(0);
/** A carry buffer that grew beyond this for one long frame is not kept. */
const keptCarryBytes = 4 * 1024 * 1024;
/** A carry buffer grows by at most this at once, so that it never holds much more than there is to carry. */
const growthBytes = 16 * 1024 * 1024;

/**
 * A run of an object's bytes: those from `at` to `limit` in `bytes` are in sight, and `fill` brings more. What lies inside
 * one chunk is looked at where it is. What crosses chunks is put together in a carry buffer, which grows as bytes arrive
 * and never by what anyone asks for. Bytes once in sight stay where they are until the next `push`, so views of them last.
 */
export class Window {
  /** The chunk itself, or the carry buffer until what is left of earlier chunks is used up. */
  bytes: Uint8Array = empty;
  at = 0;
  limit = 0;
  ended = false;
  /** Offset in the object of the first byte of `bytes`. */
  #origin = 0;

  /** Two carry buffers take turns, because views of the last one are still in use when the next one is begun. */
  #carry: Uint8Array = empty;
  #spare: Uint8Array = empty;
  #carrying = false;
  /** How far the carry buffer holds bytes of earlier chunks; what follows is copied from the chunk as it is needed. */
  #carried = 0;

  #chunk: Uint8Array = empty;
  #chunkOrigin = 0;
  #pushed = 0;

  push(chunk: Uint8Array): void {
    if (this.ended || (this.#carrying ? this.#chunk.length > 0 : this.at < this.limit)) {
      throw new InternalError("Cannot take a chunk: spans of the last one are left");
    }
    this.#chunk = chunk;
    this.#chunkOrigin = this.#pushed;
    this.#pushed += chunk.length;
    if (!this.#carrying) this.#lookAtChunk(0);
    else if (this.at >= keptCarryBytes || this.at * 2 >= this.limit) this.#dropPassed();
  }

  /** Offset of `at` in the object. */
  offset(): number {
    return this.#origin + this.at;
  }

  /** Whether `count` bytes are in sight from `at` on, after bringing what there is of them. May move `at`, with its byte. */
  fill(count: number): boolean {
    if (this.#carrying && this.at >= this.#carried) this.#lookAtChunk(this.at - this.#carried);
    if (this.limit - this.at >= count) return true;
    if (!this.#carrying) return false;
    const taken = this.limit - this.#carried;
    const missing = count - (this.limit - this.at);
    const more = this.#chunk.subarray(taken, taken + missing);
    if (this.limit + more.length > this.#carry.length) this.#growCarry(more.length);
    this.#carry.set(more, this.limit);
    this.limit += more.length;
    return more.length === missing;
  }

  /** Before another chunk comes: keeps the bytes from `at` on. To be called when `fill` has brought all there is. */
  keep(): void {
    if (!this.#carrying) {
      const rest = this.bytes.subarray(this.at, this.limit);
      [this.#carry, this.#spare] = [carryFor(rest.length, this.#spare), this.#carry];
      this.#carry.set(rest);
      this.#origin += this.at;
      this.#carrying = true;
      this.bytes = this.#carry;
      this.at = 0;
      this.limit = rest.length;
    }
    this.#carried = this.limit;
    this.#chunk = empty;
    this.#chunkOrigin = this.#pushed;
  }

  /** Gives a copy of the bytes from `at` on, and holds none of them any longer. To be called after `keep`. */
  take(): Uint8Array {
    const rest = this.bytes.slice(this.at, this.limit);
    this.at = this.limit;
    return rest;
  }

  /** The next chunk is the one at `offset` in the object. To be called where no bytes are left. */
  moveTo(offset: number): void {
    this.#pushed = offset;
  }

  #lookAtChunk(at: number): void {
    this.#carrying = false;
    if (this.#carry.length > keptCarryBytes) this.#carry = empty;
    this.bytes = this.#chunk;
    this.#origin = this.#chunkOrigin;
    this.at = at;
    this.limit = this.#chunk.length;
  }

  /** A larger buffer in place of the carry buffer, without what was passed. The old one stays as it is, for views of it. */
  #growCarry(more: number): void {
    const rest = this.#carry.subarray(this.at, this.limit);
    takeLarge(rest.length);
    this.#carry = new Uint8Array(rest.length + Math.max(more, Math.min(rest.length, growthBytes)));
    this.#carry.set(rest);
    this.bytes = this.#carry;
    this.#moved();
  }

  /** Moves what is left to the front: not at every push, or fake headers that claim much would make it quadratic. */
  #dropPassed(): void {
    this.#carry.copyWithin(0, this.at, this.limit);
    this.#moved();
  }

  /** The bytes from `at` on now lie at the front. */
  #moved(): void {
    this.#origin += this.at;
    this.#carried -= this.at;
    this.limit -= this.at;
    this.at = 0;
  }
}

/** `buffer` if it fits `length` bytes well, else a new one. */
function carryFor(length: number, buffer: Uint8Array): Uint8Array {
  const fits = length <= buffer.length && (buffer.length <= keptCarryBytes || length > keptCarryBytes);
  return fits ? buffer : new Uint8Array(Math.max(length, 64 * 1024));
}
