// What a file says about its schema, so that Avro readers find their types again.

import type { Schema } from "./schema.ts";

/** The key-value metadata of parquet-java's Avro writer. */
export function footerMetadata(schema: Schema): { key: string; value: string }[] {
  return [
    { key: "parquet.avro.schema", value: JSON.stringify(schema.literal) },
    { key: "writer.model.name", value: "avro" },
  ];
}
