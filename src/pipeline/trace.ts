// One message of one object, found again: what became of it, and what its stream asked of it. For `derive why`.

import { FormatError, InputError } from "../errors.ts";
import { frameBytes } from "../heka/frame.ts";
import { Framer, type Span } from "../heka/frames.ts";
import { inflate } from "../heka/inflate.ts";
import { MessageDecoder, messageCheck } from "../heka/message.ts";
import type { BatchFacts, BatchReader } from "../kernel/batch.ts";
import { KernelMessage } from "../kernel/message.ts";
import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { Place, Source } from "../storage/ports.ts";
import { type Influence, influenceOn } from "./influence.ts";
import type { LoadedStream, StreamRef } from "./load.ts";
import { type Decoded, type Outcome, RecordWriter } from "./records.ts";
import { type Found as FoundInScan, kernelScan, plainScan } from "./scan.ts";
import { batchReader } from "./task.ts";

/** Which message: by its row among those of its object, or by a byte of the object after decompression. Both from 0. */
export type Wanted = { readonly row: number } | { readonly offset: number };

/** Plain data, as TaskSpec. */
export interface TraceSpec {
  readonly stream: StreamRef;
  readonly place: Place | string;
  readonly key: string;
  readonly etag?: string;
  readonly wanted: Wanted;
}

/** What lies there. Offsets and lengths are in the object after decompression. */
export interface Found {
  readonly fate: Outcome["kind"] | "undecodable" | "damaged" | "blank";
  readonly offset: number;
  readonly length: number;
  readonly cause?: string;
  /** What of the message or the record was at fault. */
  readonly path?: string;
  /** Of a frame: all of it. */
  readonly frame?: Uint8Array<ArrayBuffer>;
  /** Of a message that was written: its number among the object's rows, and the row alone in a row group. */
  readonly row?: number;
  readonly group?: EncodedRowGroup;
  readonly influence?: Influence;
}

export interface Trace {
  /** Undefined where the object has fewer rows or bytes. */
  readonly found: Found | undefined;
  /** Of the object that was read, whole: its ETag, its rows, its bytes after decompression. */
  readonly etag: string;
  readonly rows: number;
  readonly bytes: number;
}

const COLLECT_AFTER_BYTES = 32 << 20;

/**
 * Derives one object from its beginning, as a task does: by the same ways, so that a message is what it was, and a stream in the
 * state in which it was.
 * @throws {InputError} where it cannot be read to its end
 */
export async function traceObject(
  spec: TraceSpec,
  source: Source,
  stream: LoadedStream,
  beat: () => void,
): Promise<Trace> {
  const batches = await batchReader({ strict: false });
  const writer = new RecordWriter(stream, "none", () => {}, batches);
  try {
    return await trace(spec, source, stream, new Tracer(stream, writer, spec.wanted, beat), batches);
  } finally {
    writer.close();
    batches?.close();
  }
}

async function trace(
  { key, etag }: TraceSpec,
  source: Source,
  stream: LoadedStream,
  tracer: Tracer,
  batches: BatchReader | undefined,
): Promise<Trace> {
  const scan = batches === undefined ? plainScan([tracer]) : kernelScan([tracer], batches);
  const reader = source.open(key, etag);
  let bytes = 0;
  let collected = 0;
  try {
    for await (const chunk of inflate(reader)) {
      bytes += chunk.byteLength;
      scan.push(chunk);
      if (bytes - collected < COLLECT_AFTER_BYTES) continue;
      collected = bytes;
      Bun.gc(false); // as in a task
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new InputError(
      `Cannot decompress ${source.urlOf(key)} at offset ${error.offset}: ${error.message}. Upload or download it again`,
    );
  }
  scan.end();
  let { found } = tracer;
  // After all rows, for it runs the stream again and again.
  if (found?.frame && found.fate === "written") found = { ...found, influence: influenceOf(found.frame, stream) };
  return { found, etag: reader.etag(), rows: tracer.rows, bytes };
}

/** Counts rows, and looks at the one message that is wanted by itself. */
class Tracer implements FoundInScan {
  found: Found | undefined;
  rows = 0;
  readonly #decoder = new MessageDecoder();
  /** For what may be the wanted message: its row comes alone. */
  readonly #alone: RecordWriter;
  #group: EncodedRowGroup | undefined;

  constructor(
    stream: LoadedStream,
    private readonly writer: RecordWriter,
    private readonly wanted: Wanted,
    private readonly beat: () => void,
  ) {
    this.#alone = new RecordWriter(stream, "none", (group) => {
      this.#group = group;
    });
  }

  span(span: Span): void {
    this.beat();
    if (span.kind === "frame") this.#frame(span, frameBytes(span), () => this.#decoder.decode(span.message, "lazily"));
    else if (this.#holds(span)) {
      const { kind: fate, offset, length } = span;
      this.found = { fate, offset, length, cause: span.kind === "damaged" ? span.cause : undefined };
    }
  }

  message(message: Decoded, { offset, length }: { readonly offset: number; readonly length: number }): void {
    this.beat();
    const stored = message instanceof KernelMessage ? message.storedBytes : new Uint8Array(0);
    const frame = frameBytes({ length, message: stored });
    if (!this.#mayBe({ offset, length })) this.#count(this.writer.write(message));
    else this.#frame({ offset, length }, frame, () => this.#decoder.decode(new Uint8Array(stored), "lazily"));
  }

  batch({ messages }: BatchFacts): boolean {
    this.beat();
    const isBefore = "row" in this.wanted && this.rows + messages <= this.wanted.row;
    if (!(this.found || isBefore) || !this.writer.takeBatch(messages)) return false;
    this.rows += messages;
    return true;
  }

  endBatch(): void {
    this.writer.endBatch();
  }

  #holds({ offset, length }: Range): boolean {
    return this.found === undefined && "offset" in this.wanted && this.wanted.offset < offset + length;
  }

  #mayBe(range: Range): boolean {
    return this.#holds(range) || (this.found === undefined && "row" in this.wanted && this.wanted.row === this.rows);
  }

  #count({ kind }: Outcome): void {
    if (kind === "written") this.rows++;
  }

  #frame({ offset, length }: Range, frame: Uint8Array, decode: () => Decoded): void {
    let message: Decoded;
    try {
      message = decode();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (!this.#holds({ offset, length })) return;
      this.found = { fate: "undecodable", offset, length, cause: error.message, frame: new Uint8Array(frame) };
      return;
    }
    if (!this.#mayBe({ offset, length })) {
      this.#count(this.writer.write(message));
      return;
    }
    const outcome = this.#alone.write(message);
    if (outcome.kind === "written" || this.#holds({ offset, length })) {
      const { kind: fate, cause, path } = { cause: undefined, path: undefined, ...outcome };
      this.found = { fate, offset, length, cause, path, frame: new Uint8Array(frame) };
    }
    if (outcome.kind !== "written") return;
    this.#alone.flush();
    this.found = { ...this.found!, row: this.rows++, group: this.#group };
  }
}

type Range = Pick<Span, "offset" | "length">;

function influenceOf(frame: Uint8Array, stream: LoadedStream): Influence {
  const framer = new Framer(messageCheck());
  framer.push(frame);
  framer.end();
  const span = framer.next();
  if (span?.kind !== "frame") return { columns: [], others: [] };
  const columns = stream.literal.fields.map(({ name }) => name);
  return influenceOn(stream.definition, new MessageDecoder().decode(span.message), columns);
}
