// One batch after another: the window of raw bytes goes in, messages come out, with an answer to everything that was asked.
import { dropKernel, type Kernel } from "./instance.ts";
import { END, INPUT_SLACK, MESSAGE, OUTCOME, READING } from "./layout.ts";
import { KernelMessage } from "./message.ts";
import { Questions, type Tables } from "./tables.ts";

/** How much memory a reader works in. */
export interface Room {
  /** For raw bytes that wait to be read. A longer frame goes the plain way. */
  readonly window: number;
  /** For the decompressed messages of a batch. A longer message goes the plain way. */
  readonly arena: number;
}

/** Many frames of pings. */
const ROOM: Room = { window: 2 << 20, arena: 4 << 20 };
/** Messages in a batch, at most. */
export const CAPACITY = 256;

/** Frames of a batch; `signed`: how many of them are. */
export interface BatchFacts {
  readonly messages: number;
  readonly bytes: number;
  readonly signed: number;
}

/** Reads objects, one after the other, for one stream. */
export class BatchReader {
  /** What rows are made of, and what functions ask for. */
  private readonly questions = new Questions();
  /** What is asked for to tell whether a message is taken at all. */
  private readonly firstQuestions = new Questions();
  private asked = this.questions;
  /** The frames of the last batch, as places in the kernel's memory. */
  count = 0;
  /** Whether the kernel trapped: it is not used any more. */
  isBroken = false;
  /** Why the last batch ended. */
  ended: (typeof END)[keyof typeof END] = END.window;
  private readonly reading: number;
  private readonly messages: number;
  private readonly window: number;
  private readonly arena: number;
  /** The window's bytes that were not read yet. */
  private from: number;
  private to: number;
  /** The offset in the object of the window's first byte. */
  private origin = 0;
  private capacity = 1;

  /** `how` messages are read: to their ends, or as far as the asks go (docs/formats.md). */
  constructor(
    readonly kernel: Kernel,
    readonly how: "whole" | "lazily",
    readonly room = ROOM,
  ) {
    const { memory } = kernel;
    this.reading = memory.allocate(READING.bytes);
    this.messages = memory.allocate(MESSAGE.bytes * CAPACITY);
    this.window = this.from = this.to = memory.allocate(this.room.window + INPUT_SLACK);
    this.arena = memory.allocate(this.room.arena);
    const { view } = memory;
    view.setUint32(this.reading + READING.messages, this.messages, true);
    view.setUint32(this.reading + READING.arena, this.arena, true);
    view.setUint32(this.reading + READING.arenaEnd, this.arena + this.room.arena, true);
  }

  /** Gives the memory back. */
  close(): void {
    const { memory } = this.kernel;
    memory.release(this.reading, READING.bytes);
    memory.release(this.messages, MESSAGE.bytes * CAPACITY);
    memory.release(this.window, this.room.window + INPUT_SLACK);
    memory.release(this.arena, this.room.arena);
    this.questions.release(memory);
    this.firstQuestions.release(memory);
  }

  /** Begins another object at `offset`. */
  begin(offset: number): void {
    this.from = this.to = this.window;
    this.origin = offset;
  }

  /** How much of the window is filled, 0 to 1. */
  get filled(): number {
    return (this.to - this.from) / this.room.window;
  }

  /** Copies bytes into the window, as many as there is room for; how many that were. Not copied if they lie there: `lend`. */
  fill(bytes: Uint8Array): number {
    const { memory } = this.kernel;
    if (bytes.buffer === memory.bytes.buffer && bytes.byteOffset === this.to) {
      this.to += bytes.length;
      return bytes.length;
    }
    const length = Math.min(bytes.length, this.makeRoom());
    memory.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.to);
    this.to += length;
    return length;
  }

  /**
   * Where the window's next bytes belong, for a reader to put them there before anything else is done: `fill` takes them
   * then as they are. Undefined where there is no room for so many.
   */
  lend(bytes: number): Uint8Array | undefined {
    if (this.makeRoom() < bytes) return undefined;
    return new Uint8Array(this.kernel.memory.bytes.buffer, this.to, bytes);
  }

  /** Moves what was not read yet to the window's start; how many bytes have room behind it. */
  private makeRoom(): number {
    if (this.from > this.window) {
      this.kernel.memory.bytes.copyWithin(this.window, this.from, this.to);
      this.origin += this.from - this.window;
      this.to -= this.from - this.window;
      this.from = this.window;
    }
    return this.window + this.room.window - this.to;
  }

  /** What of the window is not read yet, and where it lies in the object; valid until the window is filled again. */
  rest(): { bytes: Uint8Array; offset: number } {
    const offset = this.origin + this.from - this.window;
    return { bytes: this.kernel.memory.bytes.subarray(this.from, this.to), offset };
  }

  /** Reads the next batch, of `count` messages; `isLast` where the window holds the object's last bytes. */
  read(isLast: boolean): void {
    this.ask(this.questions);
    this.run(() => this.readBatch(isLast));
  }

  /**
   * Likewise, in two steps: each message is shown to `take` when as much of it is read as it asked for before, and the rest
   * of it is read only where that gives true. Nothing else may be asked of a message that is not taken.
   */
  readTaken(isLast: boolean, message: KernelMessage, take: (row: number) => boolean): void {
    const { memory, exports } = this.kernel;
    const { from } = this;
    if (this.firstQuestions.asks.list.length === 0) this.capacity = 1; // until that is learned
    this.ask(this.firstQuestions);
    if (!this.run(() => this.readBatch(isLast))) return;
    for (let row = 0; row < this.count; row++) {
      this.show(message, row);
      const isTaken = take(row);
      memory.view.setUint32(this.messages + row * MESSAGE.bytes + MESSAGE.skipped, isTaken ? 0 : 1, true);
    }
    this.ask(this.questions);
    if (!this.run(() => exports.readAgain(this.reading))) this.from = from;
  }

  private ask(questions: Questions): void {
    const { memory } = this.kernel;
    this.asked = questions;
    const plan = questions.write(memory, CAPACITY, this.how === "whole");
    memory.view.setUint32(this.reading + READING.plan, plan, true);
  }

  private readBatch(isLast: boolean): void {
    // The first messages tell what is asked for: until it is known, everything goes the plain way.
    this.kernel.memory.view.setUint32(this.reading + READING.capacity, this.capacity, true);
    this.kernel.exports.readBatch(this.reading, this.from, this.to, isLast ? 1 : 0);
    this.count = this.word(READING.count);
    this.from = this.word(READING.at);
    this.ended = this.word(READING.ended) as this["ended"];
    this.capacity = Math.min(CAPACITY, this.capacity * 4);
  }

  /** False after a trap, a mistake of the kernel: then the batch is none, and the window goes the plain way. */
  private run(work: () => void): boolean {
    const { from } = this;
    try {
      work();
      return true;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      // Nothing was changed but the arena and what belongs to the batch.
      dropKernel();
      this.isBroken = true;
      this.count = 0;
      this.from = from;
      this.ended = END.other;
      return false;
    }
  }

  /** Whether every message of the batch is complete (KernelMessage.isComplete). */
  get isComplete(): boolean {
    return this.count > 0 && this.word(READING.outcome) === OUTCOME.complete;
  }

  /** What the batch's frames are together. */
  get facts(): BatchFacts {
    const { view } = this.kernel.memory;
    const { count, messages } = this;
    let bytes = 0;
    let signed = 0;
    for (let at = messages; at < messages + count * MESSAGE.bytes; at += MESSAGE.bytes) {
      bytes += view.getUint32(at + MESSAGE.frameEnd, true) - view.getUint32(at + MESSAGE.frame, true);
      signed += view.getUint32(at + MESSAGE.signed, true);
    }
    return { messages: count, bytes, signed };
  }

  /** Makes `message` the one at `row` of the batch. */
  show(message: KernelMessage, row: number): void {
    message.show(this.messages + row * MESSAGE.bytes, row);
  }

  /** A message to be shown what the batch has. */
  message(): KernelMessage {
    return new KernelMessage(this);
  }

  /** The offset in the object of a place in the window. */
  offsetOf(place: number): number {
    return this.origin + place - this.window;
  }

  get asks(): Questions["asks"] {
    return this.asked.asks;
  }

  get answers(): Tables["answers"] {
    return this.asked.answers;
  }

  private word(place: number): number {
    return this.kernel.memory.view.getUint32(this.reading + place, true);
  }
}
