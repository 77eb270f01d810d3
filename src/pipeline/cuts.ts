// Where a cut falls into what a scan finds: a range ends before the first frame at or behind it, or a row group does.
import type { Span } from "../heka/frames.ts";
import type { BatchFacts } from "../kernel/batch.ts";
import type { Deriving } from "./deriving.ts";
import type { Choice, Decoded } from "./records.ts";
import type { Found } from "./scan.ts";

/** Tells of everything before the first frame at or behind `end`, of no frame from there on. */
export class FoundUpTo implements Found {
  /** Where that frame lies. */
  beyond: number | undefined;

  /** @param read how far the bytes go that were pushed */
  constructor(
    private readonly end: number,
    private readonly found: Deriving,
    private readonly read: { readonly until: number },
  ) {}

  span(span: Span): void {
    if (!this.#isBeyond(span.kind === "frame", span.offset)) this.found.span(span);
  }

  message(message: Decoded, frame: Parameters<Found["message"]>[1], choice?: Choice): void {
    if (!this.#isBeyond(true, frame.offset)) this.found.message(message, frame, choice);
  }

  choose(message: Decoded, frame: { readonly offset: number; readonly length: number }): Choice | undefined {
    return frame.offset < this.end ? this.found.choose(message, frame) : undefined;
  }

  batch(facts: BatchFacts): boolean {
    if (this.beyond !== undefined) return true;
    return this.read.until <= this.end && this.found.batch(facts);
  }

  endBatch(): void {
    this.found.endBatch();
  }

  #isBeyond(isFrame: boolean, offset: number): boolean {
    if (isFrame && offset >= this.end) this.beyond ??= offset;
    return this.beyond !== undefined;
  }
}

/** Tells of everything, and ends the row group before the first frame at or behind each cut. */
export class FoundWithCuts implements Found {
  #passed = 0;

  /** @param cuts in their order; @param read how far the bytes go that were pushed */
  constructor(
    private readonly cuts: readonly number[],
    private readonly found: Deriving,
    private readonly read: { readonly bytes: number },
  ) {}

  span(span: Span): void {
    if (span.kind === "frame") this.#pass(span.offset);
    this.found.span(span);
  }

  message(message: Decoded, frame: Parameters<Found["message"]>[1], choice?: Choice): void {
    this.#pass(frame.offset);
    this.found.message(message, frame, choice);
  }

  choose(message: Decoded, frame: { readonly offset: number; readonly length: number }): Choice | undefined {
    return this.found.choose(message, frame);
  }

  batch(facts: BatchFacts): boolean {
    return this.read.bytes <= this.#next && this.found.batch(facts);
  }

  endBatch(): void {
    this.found.endBatch();
  }

  get #next(): number {
    return this.cuts[this.#passed] ?? Number.POSITIVE_INFINITY;
  }

  #pass(offset: number): void {
    if (offset < this.#next) return;
    while (offset >= this.#next) this.#passed++;
    this.found.work.writer.flush();
  }
}
