// One message of one object, found again: what became of it, and what its stream asked of it. For `derive why`.

import { FormatError, InputError } from "../errors.ts";
import { frameBytes } from "../heka/frame.ts";
import { Framer, type Span } from "../heka/frames.ts";
import { inflate } from "../heka/inflate.ts";
import { MessageDecoder, messageCheck } from "../heka/message.ts";
import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { Place, Source } from "../storage/ports.ts";
import { type Influence, influenceOn } from "./influence.ts";
import type { LoadedStream, StreamRef } from "./load.ts";
import { type Outcome, RecordWriter } from "./records.ts";

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

/**
 * Derives one object from its beginning, as a task does, so that a stream is in the state in which it was.
 * @throws {InputError} where it cannot be read to its end
 */
export async function traceObject(
  spec: TraceSpec,
  source: Source,
  stream: LoadedStream,
  beat: () => void,
): Promise<Trace> {
  const { wanted, key, etag } = spec;
  const decoder = new MessageDecoder();
  const framer = new Framer(messageCheck());
  let group: EncodedRowGroup | undefined;
  const writer = new RecordWriter(stream, "none", (one) => {
    group = one;
  });
  let found: Found | undefined;
  let rows = 0;
  let bytes = 0;

  const look = (span: Span): void => {
    beat();
    const { offset, length } = span;
    const holds = found === undefined && "offset" in wanted && wanted.offset < offset + length;
    if (span.kind !== "frame") {
      if (holds) found = { fate: span.kind, offset, length, cause: span.kind === "damaged" ? span.cause : undefined };
      return;
    }
    const frame = (): Uint8Array<ArrayBuffer> => new Uint8Array(frameBytes(span));
    let message: ReturnType<MessageDecoder["decode"]>;
    try {
      message = decoder.decode(span.message);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (holds) found = { fate: "undecodable", offset, length, cause: error.message, frame: frame() };
      return;
    }
    const mayBe = holds || (found === undefined && "row" in wanted && wanted.row === rows);
    if (mayBe) writer.flush(); // so that its row comes alone
    const outcome = writer.write(message);
    const written = outcome.kind === "written";
    if (holds || (mayBe && written)) {
      const { kind: fate, cause, path } = { cause: undefined, path: undefined, ...outcome };
      found = { fate, offset, length, cause, path, frame: frame() };
      if (written) {
        writer.flush();
        found = { ...found, row: rows, group };
      }
    }
    if (written) rows++;
  };

  const url = source.urlOf(key);
  const reader = source.open(key, etag);
  try {
    for await (const chunk of inflate(reader)) {
      bytes += chunk.byteLength;
      framer.push(chunk);
      for (let span = framer.next(); span !== undefined; span = framer.next()) look(span);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new InputError(
      `Cannot decompress ${url} at offset ${error.offset}: ${error.message}. Upload or download it again`,
    );
  }
  framer.end();
  for (let span = framer.next(); span !== undefined; span = framer.next()) look(span);
  // After all rows, for it runs the stream again and again.
  if (found?.frame && found.fate === "written") found = { ...found, influence: influenceOf(found.frame, stream) };
  return { found, etag: reader.etag(), rows, bytes };
}

function influenceOf(frame: Uint8Array, stream: LoadedStream): Influence {
  const framer = new Framer(messageCheck());
  framer.push(frame);
  framer.end();
  const span = framer.next();
  if (span?.kind !== "frame") return { columns: [], others: [] };
  const columns = stream.literal.fields.map(({ name }) => name);
  return influenceOn(stream.definition, new MessageDecoder().decode(span.message), columns);
}
