// The package "derive/test": one ping through a stream, as the real program would have done it in both eras.

import { isDeepStrictEqual } from "node:util";
import { checkRecord } from "./avro/check.ts";
import { parseSchema, type Schema } from "./avro/schema.ts";
import { InternalError, ValueError } from "./errors.ts";
import { Framer } from "./heka/frames.ts";
import { MessageDecoder, messageCheck } from "./heka/message.ts";
import { type Era, framePing, type PingMeta } from "./heka/ping.ts";
import { type DerivedStream, Filtered } from "./stream.ts";

export type { PingMeta } from "./heka/ping.ts";

/** What became of a ping: a row with defaults filled in, left out, or failed; the causes are those of the reports. */
export type Derived = { row: Record<string, unknown> } | { filtered: string } | { failed: string };

/**
 * Derives one ping. `meta` is what the pipeline knew beside the ping, such as geoCountry; most of it is taken from the
 * ping where it is not given. Throws Error where the stream makes something else of the ping in one era of raw data
 * than in the other, and UsageError where its schema cannot be used.
 */
export function derivePing(stream: DerivedStream, ping: object, meta: PingMeta = {}): Derived {
  const schema = parseSchema(stream.schema(stream.name ?? "Stream"));
  const [first, second] = (["heka", "hindsight"] as const).map((era) => deriveFrom(stream, schema, ping, meta, era));
  if (!isDeepStrictEqual(first, second)) {
    throw new Error(`Cannot derive the ping: the eras disagree\nheka: ${show(first)}\nhindsight: ${show(second)}`);
  }
  return first!;
}

function deriveFrom(stream: DerivedStream, schema: Schema, ping: object, meta: PingMeta, era: Era): Derived {
  const message = new MessageDecoder().decode(unframe(framePing(ping, meta, era)));
  try {
    const record = stream.build(message);
    if (record instanceof Filtered) return { filtered: record.cause };
    return { row: checkRecord(schema, record) };
  } catch (error) {
    // Unlike the reports, the texts of other errors are shown: the ping is the author's own.
    return { failed: error instanceof ValueError ? error.message : String(error) };
  }
}

function unframe(frame: Uint8Array): Uint8Array {
  const framer = new Framer(messageCheck());
  framer.push(frame);
  framer.end();
  const span = framer.next();
  if (span?.kind !== "frame") throw new InternalError("Cannot read the ping's own frame: it is damaged");
  return span.message;
}

function show(derived: Derived | undefined): string {
  return Bun.inspect(derived, { depth: 10 });
}
