// A first look: some rows of some input as a Parquet file in memory, and the books; nothing is written anywhere.
import { toParquetSchema } from "../avro/columns.ts";
import { footerMetadata } from "../avro/metadata.ts";
import { parseSchema } from "../avro/schema.ts";
import { PartAssembler } from "../parquet/file.ts";
import { addBooks, type Books, emptyBooks } from "../pipeline/books.ts";
import type { StreamRef } from "../pipeline/load.ts";
import type { StreamFacts } from "../pipeline/protocol.ts";
import type { Place } from "../storage/ports.ts";
import { planTasks, type RawObject } from "./plan.ts";
import { WorkerPool } from "./pool.ts";
import { describeIn } from "./streams.ts";

export interface Sample {
  readonly facts: StreamFacts;
  /** A whole Parquet file: it may hold somewhat more rows than were asked for. */
  readonly file: Uint8Array;
  readonly books: Books;
}

export interface SampleRequest {
  readonly stream: StreamRef;
  readonly place: Place | string;
  readonly objects: readonly RawObject[];
  /** Reading stops when there are so many rows and so many messages were seen. */
  readonly enough: { readonly rows: number; readonly messages: number };
}

export async function sampleRows(request: SampleRequest, signal: AbortSignal): Promise<Sample> {
  const { stream, place, objects, enough } = request;
  const pool = new WorkerPool(1);
  const interrupt = (): void => pool.close();
  signal.addEventListener("abort", interrupt);
  try {
    const facts = await describeIn(pool, stream);
    const schema = parseSchema(facts.schema);
    const assembler = new PartAssembler(toParquetSchema(schema), footerMetadata(schema));
    const pieces = [assembler.header()];
    const books = emptyBooks();
    for (const { inputs } of planTasks(objects)) {
      const spec = { stream, place, inputs, codec: "zstd", strict: false, enough } as const;
      const { objects: read } = await pool.ask<"done">({ kind: "task", task: spec }, (event) => {
        if (event.kind === "rowGroup") pieces.push(assembler.place(event.group));
      });
      for (const object of read) addBooks(books, object);
      if (books.written >= enough.rows && books.decoded >= enough.messages) break;
    }
    pieces.push(assembler.finish());
    return { facts, file: Buffer.concat(pieces), books };
  } finally {
    signal.removeEventListener("abort", interrupt);
    pool.close();
  }
}

/**
 * A share of the objects, the same ones at every run: those whose key's hash falls into it, and at least one.
 * `fraction` is from 0 to 1.
 */
export function sampleObjects(objects: readonly RawObject[], fraction: number): RawObject[] {
  const hashed = objects.map((object) => ({ object, at: Number(Bun.hash.xxHash64(object.key) >> 11n) / 2 ** 53 }));
  const chosen = hashed.filter(({ at }) => at < fraction);
  if (chosen.length === 0 && hashed.length > 0) {
    chosen.push(hashed.reduce((least, one) => (one.at < least.at ? one : least)));
  }
  return chosen.map(({ object }) => object);
}
