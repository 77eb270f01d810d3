// The bytes of one object to what is in them, in order: the plain way, frame by frame, or with the kernel, which leaves to the
// plain way what is damaged or unusual.
import { FormatError } from "../errors.ts";
import { Framer, type Span } from "../heka/frames.ts";
import { messageCheck } from "../heka/message.ts";
import type { BatchFacts, BatchReader } from "../kernel/batch.ts";
import { END } from "../kernel/layout.ts";
import type { Lend } from "../storage/ports.ts";
import { type Choice, type Decoded, isTaken } from "./records.ts";

/** Bytes go in with `push`, chunk by chunk; what was found comes out before it returns, or after `end`. */
export interface Scan {
  push(chunk: Uint8Array): void;
  end(): void;
  /** Where the next chunk may be put, so that `push` need not copy it. */
  readonly lend?: Lend;
}

/** Who is told what was found. */
export interface Found {
  /** A frame whose message nobody has looked at yet, a damaged range, or blanks. */
  span(span: Span): void;
  /** A message that was decoded, valid until this returns. */
  message(
    message: Decoded,
    frame: { readonly offset: number; readonly length: number; readonly signed: boolean },
    choice?: Choice,
  ): void;
  /** Asks the stream whether it takes a message; absent where it takes all. */
  choose?(message: Decoded, frame: { readonly offset: number; readonly length: number }): Choice | undefined;
  /** A batch of messages that all can become rows as they are; false where they must be told one by one. */
  batch(facts: BatchFacts): boolean;
  /** The messages since the last call are about to become invalid. */
  endBatch(): void;
}

/** Spans for each of those who are told, in their order. A scan begins at `start`, where a frame must begin. */
export function plainScan(founds: readonly Found[], start = 0): Scan {
  const framer = new Framer(messageCheck());
  framer.takeOver(start);
  return {
    push(chunk) {
      framer.push(chunk);
      tellSpans(framer, founds);
    },
    end() {
      framer.end();
      tellSpans(framer, founds);
    },
  };
}

function tellSpans(framer: Framer, founds: readonly Found[]): void {
  for (let span = framer.next(); span !== undefined; span = framer.next()) {
    for (const found of founds) found.span(span);
  }
}

/** A batch is worth its while when so much of the window is filled. */
const WORTHWHILE = 0.5;
/** Less than this is left until more comes: a batch of few messages takes longer for each. */
const LEFT = 0.1;
/** Where more of the window than this would be one frame's the plain way goes on. */
const HANDED_OVER = 0.5;

/** Reading beginnings first costs about a tenth of reading messages: it pays where one in so many is left out. */
const LEFT_OUT = 5;
/** So many messages tell that. */
const LATELY = 500;

export function kernelScan(founds: readonly Found[], batches: BatchReader, start = 0): Scan {
  const message = batches.message();
  const framer = new Framer(messageCheck());
  framer.takeOver(start);
  /** While the framer reads, from a place on that the kernel does not know what to make of. */
  let isPlain = batches.isBroken;
  let isEnding = false;
  /** Beginnings are read first for one stream alone: several rarely leave out the same. */
  const only = founds.length === 1 ? founds[0] : undefined;
  /** What that stream said of the batch's messages, by row. */
  const choices: (Choice | undefined)[] = [];
  /** How many messages came lately, and how many of them the stream left out. */
  const lately = { messages: 0, leftOut: 0 };
  batches.begin(start);

  const choose = (found: Found): Choice | undefined => found.choose?.(message, message.frame);
  const readBatch = (isLast: boolean): void => {
    choices.length = 0;
    if (only === undefined || lately.leftOut * LEFT_OUT <= lately.messages) return void batches.read(isLast);
    batches.readTaken(isLast, message, (row) => {
      if (!message.isSound()) return false;
      choices[row] = choose(only);
      return isTaken(choices[row]);
    });
  };
  const tellBatch = (): void => {
    const facts = batches.isComplete ? batches.facts : undefined;
    for (const found of founds) {
      if (facts === undefined || !found.batch(facts)) tellMessages(found);
      found.endBatch();
    }
    lately.messages += batches.count;
    if (lately.messages > LATELY) {
      lately.messages /= 2;
      lately.leftOut /= 2;
    }
  };
  const tellMessages = (found: Found): void => {
    for (let row = 0; row < batches.count; row++) {
      batches.show(message, row);
      const { frame } = message;
      if (choices[row] === undefined || isTaken(choices[row])) {
        try {
          message.check();
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          found.span({ kind: "frame", ...frame, message: message.storedBytes });
          continue;
        }
      }
      const choice = choices[row] ?? choose(found);
      if (!isTaken(choice)) lately.leftOut++;
      found.message(message, frame, choice);
    }
  };
  const goPlain = (): void => {
    const { bytes, offset } = batches.rest();
    framer.takeOver(offset);
    isPlain = true;
    pushPlain(new Uint8Array(bytes)); // a copy: the kernel's memory may grow meanwhile
  };
  const pushPlain = (bytes: Uint8Array): void => {
    framer.push(bytes);
    tellSpans(framer, founds);
    const rest = batches.isBroken || isEnding ? undefined : framer.handOver(HANDED_OVER * batches.room.window);
    if (rest === undefined) return;
    isPlain = false;
    batches.begin(rest.offset);
    batches.fill(rest.bytes);
  };
  const drain = (isLast: boolean): void => {
    do {
      readBatch(isLast);
      tellBatch();
    } while (batches.ended === END.full && batches.count > 0 && (isLast || batches.filled >= LEFT));
    // A frame that fills the window, or a message that fills the arena, is not for the kernel.
    const stuck = batches.count === 0 && (batches.ended === END.full || batches.filled === 1);
    if (batches.ended === END.other || stuck) goPlain();
  };
  return {
    push(chunk) {
      let taken = 0;
      while (!isPlain && taken < chunk.length) {
        taken += batches.fill(taken === 0 ? chunk : chunk.subarray(taken));
        if (batches.filled >= WORTHWHILE) drain(false);
      }
      if (taken < chunk.length) pushPlain(chunk.subarray(taken));
    },
    end() {
      isEnding = true;
      if (!isPlain) drain(true);
      if (!isPlain) return;
      framer.end();
      tellSpans(framer, founds);
    },
    lend: (bytes) => (isPlain ? undefined : batches.lend(bytes)),
  };
}
