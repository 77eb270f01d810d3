// What a stream makes of one object: each frame to a row or a reason why there is none, into the books.
import { FormatError, InputError } from "../errors.ts";
import type { Span } from "../heka/frames.ts";
import type { MessageDecoder } from "../heka/message.ts";
import type { BatchFacts } from "../kernel/batch.ts";
import { addPlace, countCause, emptyBooks, type Fault, type ObjectBooks } from "./books.ts";
import type { Input } from "./inputs.ts";
import type { Choice, Decoded, RecordWriter } from "./records.ts";
import type { TaskEvents, TaskSpec } from "./task.ts";

/**
 * What is wrong with the bytes of an input themselves, so that reading it again is of no use: a fault under `strict`, or a
 * compression that is broken. With the books of what was read up to it.
 */
export class FaultyInput extends InputError {
  override name = "FaultyInput";
  constructor(
    message: string,
    readonly books: readonly ObjectBooks[],
  ) {
    super(message);
  }
}

export interface Work {
  readonly spec: TaskSpec;
  readonly writer: RecordWriter;
  readonly decoder: MessageDecoder;
  /** How messages are read: whole, if strict. */
  readonly how: "whole" | "lazily";
  readonly events: TaskEvents;
  readonly total: { rows: number; messages: number };
  /** The books so far, the object's own among them. */
  readonly objects: ObjectBooks[];
}

/** A stream's work on one object. */
export interface ObjectWork extends Work {
  /** The number of the object among the task's inputs. */
  readonly index: number;
}

export function isEnough({ spec: { enough }, total }: Work): boolean {
  return enough !== undefined && total.rows >= enough.rows && total.messages >= enough.messages;
}

/** What one stream makes of one object, while it is read. */
export class Deriving {
  readonly books: ObjectBooks;
  #seen = { storedBytes: 0, bytes: 0, decoded: 0, written: 0 };
  /** Messages since the last tell of which nothing became a JavaScript value. */
  #untouched = 0;

  constructor(
    private readonly url: string,
    { key, size }: Input,
    readonly work: ObjectWork,
  ) {
    this.books = { ...emptyBooks(), key, size, etag: "", objects: 1 };
    work.objects.push(this.books);
  }

  span(span: Span): void {
    const { books, url, work } = this;
    account(span, books, url, work);
    if (work.spec.strict) refuseFault(books, url, work.objects);
  }

  message(message: Decoded, frame: Frame, choice?: Choice): void {
    const { books, url, work } = this;
    accountMessage(message, frame, choice, books, url, work);
    if (work.spec.strict) refuseFault(books, url, work.objects);
  }

  batch({ messages, bytes, signed }: BatchFacts): boolean {
    const { books, work } = this;
    if (!work.writer.takeBatch(messages)) return false;
    books.bytesInFrames += bytes;
    books.frames += messages;
    books.signed += signed;
    books.decoded += messages;
    books.written += messages;
    this.#untouched += messages;
    return true;
  }

  /** Asks the stream's `where`; under `strict` that waits until the message was looked at whole. */
  choose(message: Decoded, { offset, length }: Pick<Frame, "offset" | "length">): Choice | undefined {
    const { work } = this;
    if (work.writer.takesAll || work.spec.strict) return undefined;
    work.events.message(work.index, offset, length);
    return work.writer.choose(message);
  }

  endBatch(): void {
    this.work.writer.endBatch();
  }

  /** Tells what came since the last call; bytes that were read as `read` has them. */
  tell({ storedBytes, bytes }: { storedBytes: number; bytes: number }): void {
    const { books, work } = this;
    books.storedBytes = storedBytes;
    books.bytes = bytes;
    const { decoded, written } = books;
    const messages = decoded - this.#seen.decoded;
    const rows = written - this.#seen.written;
    work.events.progress(storedBytes - this.#seen.storedBytes, messages, rows);
    work.total.messages += messages;
    work.total.rows += rows;
    collectGarbage(bytes - this.#seen.bytes, messages - this.#untouched);
    this.#untouched = 0;
    this.#seen = { storedBytes, bytes, decoded, written };
  }
}

/** A frame's range in the object, and whether its header is signed. */
type Frame = Pick<Span & { kind: "frame" }, "offset" | "length" | "signed">;

function account(span: Span, books: ObjectBooks, url: string, work: ObjectWork): void {
  if (span.kind === "blank") {
    books.bytesBlank += span.length;
    return;
  }
  if (span.kind === "damaged") {
    books.bytesDamaged += span.length;
    books.damagedRanges++;
    accountFault("damaged", span, span.cause, books, url, work);
    return;
  }
  let message: ReturnType<MessageDecoder["decode"]>;
  try {
    message = work.decoder.decode(span.message, work.how);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    accountFrame(span, books);
    books.undecodable++;
    accountFault("undecodable", span, error.message, books, url, work);
    return;
  }
  accountMessage(message, span, undefined, books, url, work);
}

/** A message that was decoded, as far as it had to be: a row of it, or why there is none. */
function accountMessage(
  message: Decoded,
  frame: Frame,
  choice: Choice | undefined,
  books: ObjectBooks,
  url: string,
  work: ObjectWork,
): void {
  accountFrame(frame, books);
  work.events.message(work.index, frame.offset, frame.length);
  const outcome = work.writer.write(message, choice);
  if (outcome.kind === "undecodable") {
    books.undecodable++;
    accountFault("undecodable", frame, outcome.cause, books, url, work);
    return;
  }
  books.decoded++;
  if (message.invalidUtf8 || choice?.invalidUtf8) books.invalidUtf8++;
  if (outcome.kind === "written") {
    books.written++;
  } else if (outcome.kind === "filtered") {
    books.filtered++;
    countCause(books.filteredBy, outcome.cause);
  } else {
    books.failed++;
    countCause(books.failures, outcome.cause);
    accountFault("failed", frame, outcome.cause, books, url, work, outcome.path);
  }
}

function accountFrame(frame: Frame, books: ObjectBooks): void {
  books.bytesInFrames += frame.length;
  books.frames++;
  if (frame.signed) books.signed++;
}

function accountFault(
  kind: Fault["kind"],
  { offset, length }: { readonly offset: number; readonly length: number },
  cause: string,
  books: ObjectBooks,
  url: string,
  work: ObjectWork,
  path?: string,
): void {
  const place = { object: url, offset, bytes: length, cause };
  addPlace(kind === "failed" ? books.failedAt : books.damage, place);
  work.events.fault?.({ ...place, input: work.index, kind, path });
}

function refuseFault(books: ObjectBooks, url: string, objects: readonly ObjectBooks[]): void {
  const fault = books.damage[0] ?? books.failedAt[0];
  if (fault === undefined) return;
  books.bytes = books.bytesInFrames + books.bytesDamaged + books.bytesBlank; // as far as it was looked at
  throw new FaultyInput(
    `Cannot derive ${url} under --strict: offset ${fault.offset}: ${fault.cause}. Without --strict it is counted`,
    objects,
  );
}

const COLLECT_AFTER_BYTES = 32 * 1024 * 1024;
const COLLECT_AFTER_MESSAGES = 2 * 1024;
/** Of so many collections one goes through all of the heap: the others leave what was in use at the time of one of them. */
const FULL_EVERY = 8;
const sinceCollected = { bytes: 0, messages: 0 };
let collections = 0;

// A synchronous loop starves the collector: asked for from time to time, memory stays flat (performance.md). Small messages
// leave more garbage for each byte than large ones: flat records took 178 MB when asked for every 16,384, 136 MB so, and no
// more time. Pings of 1.8 GB took 127 MB, and rising, without a full collection, 84 so.
function collectGarbage(bytes: number, messages: number): void {
  sinceCollected.bytes += bytes;
  sinceCollected.messages += messages;
  if (sinceCollected.bytes < COLLECT_AFTER_BYTES && sinceCollected.messages < COLLECT_AFTER_MESSAGES) return;
  sinceCollected.bytes = sinceCollected.messages = 0;
  Bun.gc(++collections % FULL_EVERY === 0);
}
