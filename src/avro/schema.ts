// What a stream's buildSchema returns, checked once and resolved to a tree that the mapping and the appender walk.

import { UsageError } from "../errors.ts";
import { failSchema } from "./fail.ts";
import type { AvroRecord } from "./literal.ts";
import type { RecordNode } from "./nodes.ts";
import { resolveRecord } from "./resolve.ts";

export type * from "./literal.ts";
export type * from "./nodes.ts";

/** A checked schema: names resolved, logical types recognised, defaults legal. */
export interface Schema {
  /** What the author wrote, as plain JSON, for the file's metadata. */
  readonly literal: AvroRecord;
  readonly fullName: string;
  readonly root: RecordNode;
  /** What is legal but will surprise: sentences for people, empty for nearly every schema. */
  readonly warnings: readonly string[];
}

/**
 * Checks an Avro schema literal. Throws UsageError naming the place in the schema, as in "Cannot use schema:
 * fields.extensions.items: there is no type strng".
 */
export function parseSchema(literal: unknown): Schema {
  const json = toJson(literal);
  const warnings: string[] = [];
  const root = resolveRecord(json, warnings);
  return { literal: json as AvroRecord, fullName: root.fullName, root, warnings };
}

/** The author's object as the file will carry it: what JSON cannot hold (NaN, a Date) is checked as what it becomes. */
function toJson(literal: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(literal);
  } catch {
    throw new UsageError("Cannot use schema: it is not JSON. A schema holds no bigint and no reference to itself.");
  }
  if (text === undefined) failSchema("", "it is not an object");
  return JSON.parse(text);
}
