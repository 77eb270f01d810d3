// One task, one direction: objects are read, their messages become rows, and row groups come out, with the books.
import { FormatError, InputError } from "../errors.ts";
import type { Span } from "../heka/frames.ts";
import { inflate } from "../heka/inflate.ts";
import { MessageDecoder } from "../heka/message.ts";
import { BatchReader } from "../kernel/batch.ts";
import { sharedKernel } from "../kernel/instance.ts";
import type { Codec, EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { ObjectReader, Place, Source } from "../storage/ports.ts";
import { addPlace, checkBalance, countCause, emptyBooks, type Fault, type ObjectBooks } from "./books.ts";
import type { LoadedStream, StreamRef } from "./load.ts";
import { type Choice, type Decoded, RecordWriter } from "./records.ts";
import { type Found, kernelScan, plainScan } from "./scan.ts";

/** Plain data: what to read, which stream makes rows of it, how they are written. Goes to a worker thread as it is. */
export interface TaskSpec {
  readonly stream: StreamRef;
  /** The place the inputs' keys are relative to. */
  readonly place: Place | string;
  /** `etag` where the listing told it: another version of the object is not read. */
  readonly inputs: readonly { readonly key: string; readonly size: number; readonly etag?: string }[];
  readonly codec: Codec;
  /** The first fault ends the task. */
  readonly strict: boolean;
  /** All faults are wanted, not only the places that books have room for. */
  readonly keepFaults?: boolean;
  /** Stop once so many rows were written and so many messages seen: for a first look at a stream. */
  readonly enough?: { readonly rows: number; readonly messages: number };
}

export interface TaskEvents {
  rowGroup(group: EncodedRowGroup): void;
  /** Called before the stream gets a message: the number of its object among the inputs, and its frame's range. */
  message(input: number, offset: number, length: number): void;
  /** Called for each fault, in the order of the inputs' bytes: unlike the books it gets all of them. */
  fault?(fault: Fault): void;
  /** Called after each chunk with what came since the last call. */
  progress(storedBytes: number, messages: number, rows: number): void;
}

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

/**
 * Runs a task to its end.
 * @throws {InputError} where an input cannot be read
 * @throws {FaultyInput} where its compression is broken, and at the first fault, if strict: then messages are decoded whole
 */
export async function runTask(
  spec: TaskSpec,
  source: Source,
  stream: LoadedStream,
  events: TaskEvents,
): Promise<ObjectBooks[]> {
  const batches = await batchReader(spec);
  const writer = new RecordWriter(stream, spec.codec, events.rowGroup, batches);
  const decoder = new MessageDecoder();
  const how = spec.strict ? "whole" : "lazily";
  const objects: ObjectBooks[] = [];
  const total = { rows: 0, messages: 0 };
  const readers = readersAhead(source, spec.inputs);
  try {
    for (const [index, input] of spec.inputs.entries()) {
      const reader = readers.reader(index);
      await deriveObject(source, input, reader, spec, { writer, decoder, how, batches, events, total, index, objects });
      if (isEnough(spec, total)) break;
    }
    writer.flush();
  } finally {
    writer.close();
    batches?.close();
  }
  return objects;
}

/** The kernel, where there is one. A first look at a stream goes without: it stops between chunks. */
export async function batchReader({
  enough,
  strict,
}: Pick<TaskSpec, "enough" | "strict">): Promise<BatchReader | undefined> {
  if (process.env.DERIVE_KERNEL === "off" || enough !== undefined) return undefined;
  const kernel = await sharedKernel();
  return kernel && new BatchReader(kernel, strict ? "whole" : "lazily");
}

/** So many objects, and bytes of them, are asked for before their turn: a request takes longer than a small object. */
const OBJECTS_AHEAD = 16;
const BYTES_AHEAD = 4 << 20;

/** The readers of all inputs, to be taken in their order. */
function readersAhead(source: Source, inputs: TaskSpec["inputs"]) {
  const readers: ObjectReader[] = [];
  let bytes = 0; // of objects that were asked for and not yet taken
  const open = (): ObjectReader => {
    const { key, etag } = inputs[readers.length]!;
    const reader = source.open(key, etag);
    readers.push(reader);
    return reader;
  };
  return {
    reader(index: number): ObjectReader {
      if (readers.length === index) open();
      else bytes -= inputs[index]!.size;
      while (readers.length < inputs.length && readers.length <= index + OBJECTS_AHEAD) {
        const { size } = inputs[readers.length]!;
        if (bytes + size > BYTES_AHEAD) break;
        bytes += size;
        open().prefetch?.();
      }
      const reader = readers[index]!;
      delete readers[index]; // with what it may hold
      return reader;
    },
  };
}

interface Work {
  readonly writer: RecordWriter;
  readonly decoder: MessageDecoder;
  /** How messages are read: whole, if strict. */
  readonly how: "whole" | "lazily";
  /** Undefined: the plain way. */
  readonly batches: BatchReader | undefined;
  readonly events: TaskEvents;
  readonly total: { rows: number; messages: number };
  /** The number of the object among the inputs. */
  readonly index: number;
  /** The books so far, the object's own among them. */
  readonly objects: ObjectBooks[];
}

function isEnough({ enough }: TaskSpec, total: Work["total"]): boolean {
  return enough !== undefined && total.rows >= enough.rows && total.messages >= enough.messages;
}

async function deriveObject(
  source: Source,
  input: TaskSpec["inputs"][number],
  reader: ObjectReader,
  spec: TaskSpec,
  work: Work,
): Promise<void> {
  const url = source.urlOf(input.key);
  const books: ObjectBooks = { ...emptyBooks(), key: input.key, size: input.size, etag: "", objects: 1 };
  work.objects.push(books);
  let seen = { storedBytes: 0, bytes: 0, decoded: 0, written: 0 };

  const found: Found = {
    span(span) {
      account(span, books, url, work);
      if (spec.strict) refuseFault(books, url, work.objects);
    },
    message(message, frame, choice) {
      accountMessage(message, frame, choice, books, url, work);
      if (spec.strict) refuseFault(books, url, work.objects);
    },
    batch({ messages, bytes, signed }) {
      if (!work.writer.takeBatch(messages)) return false;
      books.bytesInFrames += bytes;
      books.frames += messages;
      books.signed += signed;
      books.decoded += messages;
      books.written += messages;
      return true;
    },
    endBatch: () => work.writer.endBatch(),
    choose:
      work.writer.takesAll || spec.strict
        ? undefined
        : (message, { offset, length }) => {
            work.events.message(work.index, offset, length);
            return work.writer.choose(message);
          },
  };
  const scan = work.batches === undefined ? plainScan(found) : kernelScan(found, work.batches);

  // Everything between two chunks is synchronous.
  const tell = (): void => {
    const { storedBytes, bytes, decoded, written } = books;
    work.events.progress(storedBytes - seen.storedBytes, decoded - seen.decoded, written - seen.written);
    work.total.messages += decoded - seen.decoded;
    work.total.rows += written - seen.written;
    collectGarbage(bytes - seen.bytes, decoded - seen.decoded);
    seen = { storedBytes, bytes, decoded, written };
  };

  try {
    for await (const chunk of inflate(countStored(reader, books))) {
      books.bytes += chunk.byteLength;
      scan.push(chunk);
      tell();
      if (isEnough(spec, work.total)) return;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FaultyInput(
      `Cannot decompress ${url} at offset ${error.offset}: ${error.message}. Upload or download it again`,
      work.objects.slice(0, -1),
    );
  }
  scan.end();
  tell();
  books.etag = reader.etag();
  if (books.storedBytes !== input.size) {
    throw new InputError(
      `Cannot use ${url}: ${input.size} bytes were listed and ${books.storedBytes} read, it changed meanwhile. Run the command again`,
    );
  }
  checkBalance(url, books);
}

async function* countStored(chunks: AsyncIterable<Uint8Array>, books: ObjectBooks): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    books.storedBytes += chunk.byteLength;
    yield chunk;
  }
}

/** A frame's range in the object, and whether its header is signed. */
type Frame = Pick<Span & { kind: "frame" }, "offset" | "length" | "signed">;

function account(span: Span, books: ObjectBooks, url: string, work: Work): void {
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
  work: Work,
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
  work: Work,
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
const sinceCollected = { bytes: 0, messages: 0 };

// A synchronous loop starves the collector: asked for from time to time, memory stays flat (performance.md). Small messages
// leave more garbage for each byte than large ones: flat records took 178 MB when asked for every 16,384, 136 MB so, and no
// more time.
function collectGarbage(bytes: number, messages: number): void {
  sinceCollected.bytes += bytes;
  sinceCollected.messages += messages;
  if (sinceCollected.bytes < COLLECT_AFTER_BYTES && sinceCollected.messages < COLLECT_AFTER_MESSAGES) return;
  sinceCollected.bytes = sinceCollected.messages = 0;
  Bun.gc(false);
}
