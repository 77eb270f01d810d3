// The types that Hive's DDL (Athena's, Glue's and Spark's too) has for Avro types, as the Parquet columns are read by them.

import type { Node, RecordNode } from "./nodes.ts";

/** A column of a table: its name as it is, unquoted. */
export interface HiveColumn {
  readonly name: string;
  readonly type: string;
}

/** The columns of a record, in its order; fields that are null alone make none. */
export function hiveColumns({ fields }: RecordNode): HiveColumn[] {
  return fields.filter(({ type }) => type.kind !== "null").map(({ name, type }) => ({ name, type: hiveType(type) }));
}

/** `struct<…>` names its fields unquoted, as Hive's own type strings do. */
function hiveType(node: Node): string {
  switch (node.kind) {
    case "long":
      return timestamp(node.logical) ?? "bigint";
    case "int":
      return node.logical === "date" ? "date" : "int";
    case "bytes":
    case "fixed":
      return "binary";
    case "enum":
      return "string";
    case "decimal":
      return `decimal(${node.precision},${node.scale})`;
    case "array":
      return `array<${hiveType(node.items)}>`;
    case "map":
      return `map<string,${hiveType(node.values)}>`;
    case "record":
      return structOf(hiveColumns(node));
    case "union":
      return node.branches.length === 1
        ? hiveType(node.branches[0]!)
        : structOf(node.branches.map((branch, index) => ({ name: `member${index}`, type: hiveType(branch) })));
    default:
      return node.kind; // boolean, float, double and string are called so there, too
  }
}

function structOf(columns: readonly HiveColumn[]): string {
  return `struct<${columns.map(({ name, type }) => `${name}:${type}`).join(",")}>`;
}

/** Times of day and nanoseconds have no type of their own: they are read as the integers they are. */
function timestamp(logical: string | undefined): string | undefined {
  return logical !== undefined && /^(local-)?timestamp-(millis|micros)$/.test(logical) ? "timestamp" : undefined;
}
