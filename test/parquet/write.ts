// For the tests: records to a whole Parquet file in memory.

import { createAppender } from "../../src/avro/appender.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { footerMetadata } from "../../src/avro/metadata.ts";
import { parseSchema } from "../../src/avro/schema.ts";
import { PartAssembler } from "../../src/parquet/file.ts";
import { type Codec, RowGroupBuilder } from "../../src/parquet/rowgroup.ts";

/** `groupRows`: rows of a row group, at most; without it only full groups are cut. */
export function writePart(
  literal: unknown,
  records: Iterable<unknown>,
  { codec = "zstd", groupRows = Number.POSITIVE_INFINITY }: { codec?: Codec; groupRows?: number } = {},
): Uint8Array<ArrayBuffer> {
  const schema = parseSchema(literal);
  const columns = toParquetSchema(schema);
  const group = new RowGroupBuilder(columns, { codec });
  const appender = createAppender(schema, group);
  const part = new PartAssembler(columns, footerMetadata(schema));
  const pieces = [part.header()];
  for (const record of records) {
    appender.append(record);
    if (group.isFull() || group.rows >= groupRows) pieces.push(part.place(group.finish()));
  }
  if (group.rows > 0) pieces.push(part.place(group.finish()));
  pieces.push(part.finish());
  const bytes = new Uint8Array(Buffer.concat(pieces));
  if (bytes.length !== part.size) throw new Error("PartAssembler.size is not the size of the file");
  return bytes;
}

/** A record of one field, `x`. */
export function recordOf(type: unknown): object {
  return { type: "record", name: "One", fields: [{ name: "x", type }] };
}
