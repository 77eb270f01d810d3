// How the parts of a stream are written: Parquet of its schema, whose footer says what it is.

import { toParquetSchema } from "../avro/columns.ts";
import { footerMetadata } from "../avro/metadata.ts";
import { parseSchema } from "../avro/schema.ts";
import { PartAssembler } from "../parquet/file.ts";
import { checkPart } from "../parquet/read.ts";
import type { Codec } from "../parquet/rowgroup.ts";
import type { StreamFacts } from "../pipeline/protocol.ts";
import type { PartFormat } from "./part.ts";

/** @param more what the footers say besides */
export function parquetFormat(
  facts: StreamFacts,
  codec: Codec,
  more: readonly { readonly key: string; readonly value: string }[] = [],
): PartFormat {
  const schema = parseSchema(facts.schema);
  const keyValues = [
    ...footerMetadata(schema),
    { key: "derive.stream", value: facts.name },
    { key: "derive.stream.version", value: String(facts.version) },
    ...more,
  ];
  return { codec, newAssembler: () => new PartAssembler(toParquetSchema(schema), keyValues), check: checkPart };
}
