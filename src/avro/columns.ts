// The mapping from Avro to Parquet, as parquet-java's AvroSchemaConverter does it.

import { type ParquetSchema, type SchemaElement, schemaOf } from "../parquet/schema.ts";
import type { DecimalNode, Node, RecordNode, ScalarNode } from "./nodes.ts";
import type { Schema } from "./schema.ts";

type Repetition = "REQUIRED" | "OPTIONAL";
/** What a column of a type is, without its name and repetition. */
type Annotation = Omit<SchemaElement, "name" | "repetition_type">;

/** Lists have three levels, maps two; everything carries both the logical and the legacy annotation where one exists. */
export function toParquetSchema(schema: Schema): ParquetSchema {
  return schemaOf([{ name: schema.fullName, num_children: countColumns(schema.root) }, ...recordChildren(schema.root)]);
}

function recordChildren(node: RecordNode): SchemaElement[] {
  return node.fields.flatMap((field) => elements(field.type, field.name, "REQUIRED"));
}

/** Fields that are always null make no column. */
function countColumns(node: RecordNode): number {
  return node.fields.filter((field) => field.type.kind !== "null").length;
}

function elements(node: Node, name: string, repetition: Repetition): SchemaElement[] {
  const group = (children: SchemaElement[], count: number, annotation: Annotation = {}): SchemaElement[] => [
    { name, repetition_type: repetition, num_children: count, ...annotation },
    ...children,
  ];
  switch (node.kind) {
    case "null":
      return [];
    case "record":
      return group(recordChildren(node), countColumns(node));
    case "array": {
      const list: SchemaElement = { name: "list", repetition_type: "REPEATED", num_children: 1 };
      return group([list, ...elements(node.items, "element", "REQUIRED")], 1, {
        converted_type: "LIST",
        logical_type: { type: "LIST" },
      });
    }
    case "map": {
      const entries: SchemaElement = { name: "key_value", repetition_type: "REPEATED", num_children: 2 };
      const key: SchemaElement = { name: "key", repetition_type: "REQUIRED", ...TEXT };
      return group([entries, key, ...elements(node.values, "value", "REQUIRED")], 1, {
        converted_type: "MAP",
        logical_type: { type: "MAP" },
      });
    }
    case "union": {
      const optional = node.nullable ? "OPTIONAL" : repetition;
      if (node.branches.length === 1) return elements(node.branches[0]!, name, optional);
      const members = node.branches.flatMap((branch, i) => elements(branch, `member${i}`, "OPTIONAL"));
      return [{ name, repetition_type: optional, num_children: node.branches.length }, ...members];
    }
    case "enum":
      return [{ name, repetition_type: repetition, ...TEXT }];
    case "fixed":
      return [{ name, repetition_type: repetition, type: "FIXED_LEN_BYTE_ARRAY", type_length: node.size }];
    case "decimal":
      return [{ name, repetition_type: repetition, ...decimal(node) }];
    default:
      return [{ name, repetition_type: repetition, ...scalar(node) }];
  }
}

const TEXT: Annotation = { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };

const PHYSICAL = {
  boolean: "BOOLEAN",
  int: "INT32",
  long: "INT64",
  float: "FLOAT",
  double: "DOUBLE",
  bytes: "BYTE_ARRAY",
  string: "BYTE_ARRAY",
} as const;

function scalar(node: ScalarNode): Annotation {
  if (node.kind === "string") return TEXT;
  return { type: PHYSICAL[node.kind], ...logical(node) };
}

function logical(node: ScalarNode): Annotation {
  switch (node.logical) {
    case "date":
      return { converted_type: "DATE", logical_type: { type: "DATE" } };
    case "time-millis":
      return { converted_type: "TIME_MILLIS", logical_type: { type: "TIME", isAdjustedToUTC: true, unit: "MILLIS" } };
    case "time-micros":
      return { converted_type: "TIME_MICROS", logical_type: { type: "TIME", isAdjustedToUTC: true, unit: "MICROS" } };
    case "timestamp-millis":
      return {
        converted_type: "TIMESTAMP_MILLIS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
      };
    case "timestamp-micros":
      return {
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
      };
    // The legacy annotations mean UTC, so local timestamps have none.
    case "local-timestamp-millis":
      return { logical_type: { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "MILLIS" } };
    case "local-timestamp-micros":
      return { logical_type: { type: "TIMESTAMP", isAdjustedToUTC: false, unit: "MICROS" } };
    // Nanoseconds stay plain INT64: Spark, Athena and DuckDB do not read them.
    default:
      return {};
  }
}

/**
 * Of fixed size also where Avro says bytes: Spark's vectorized reader takes decimals of up to 18 digits from INT32, INT64 and
 * FIXED_LEN_BYTE_ARRAY only (scripts/interop/readers.sh), and parquet-java's Avro reader reads these as bytes.
 */
function decimal({ precision, scale, fixed }: DecimalNode): Annotation {
  return {
    type: "FIXED_LEN_BYTE_ARRAY",
    type_length: fixed?.size ?? bytesFor(precision),
    converted_type: "DECIMAL",
    precision,
    scale,
    logical_type: { type: "DECIMAL", precision, scale },
  };
}

/** The bytes that hold any number of so many digits, with its sign. */
function bytesFor(precision: number): number {
  let bytes = 1;
  while (10n ** BigInt(precision) > 1n << BigInt(8 * bytes - 1)) bytes++;
  return bytes;
}
