// The shape of a Parquet file: the footer's flat list of schema elements, its columns, and its text for people.

import type { SchemaElement } from "hyparquet";

export type { SchemaElement };

/** One column: a leaf of the schema tree. */
export interface Leaf {
  /** Names from the top, without the root. */
  readonly path: readonly string[];
  readonly element: SchemaElement;
  /** The definition level of a value that is there: how many optional and repeated elements are on the path. */
  readonly maxDefinition: number;
  /** How many repeated elements are on the path. */
  readonly maxRepetition: number;
}

export interface ParquetSchema {
  /** The tree in preorder, the root first, as the footer has it. */
  readonly elements: readonly SchemaElement[];
  readonly leaves: readonly Leaf[];
}

export function schemaOf(elements: readonly SchemaElement[]): ParquetSchema {
  const leaves: Leaf[] = [];
  const ends: { path: string[]; left: number; maxDefinition: number; maxRepetition: number }[] = [];
  for (const element of elements) {
    const parent = ends.at(-1);
    const path = parent === undefined ? [] : [...parent.path, element.name];
    const maxDefinition = (parent?.maxDefinition ?? 0) + (isRequired(element) ? 0 : 1);
    const maxRepetition = (parent?.maxRepetition ?? 0) + (element.repetition_type === "REPEATED" ? 1 : 0);
    if (parent !== undefined) parent.left--;
    if (element.num_children) ends.push({ path, left: element.num_children, maxDefinition, maxRepetition });
    else leaves.push({ path, element, maxDefinition, maxRepetition });
    while (ends.at(-1)?.left === 0) ends.pop();
  }
  return { elements, leaves };
}

/** The root has no repetition. */
function isRequired(element: SchemaElement): boolean {
  return element.repetition_type === undefined || element.repetition_type === "REQUIRED";
}

const TYPES: { readonly [type: string]: string } = {
  BYTE_ARRAY: "binary",
  FIXED_LEN_BYTE_ARRAY: "fixed_len_byte_array",
};

/** As parquet-tools prints it: `message Crash {\n  required binary clientId (STRING);\n … }`, without a newline at the end. */
export function parquetSchemaText({ elements }: Pick<ParquetSchema, "elements">): string {
  const lines: string[] = [];
  const left: number[] = [];
  for (const element of elements) {
    const indent = "  ".repeat(left.length);
    const opening = element.num_children ? " {" : ";";
    lines.push(indent + (left.length === 0 ? `message ${element.name}` : describe(element)) + opening);
    if (left.length > 0) left[left.length - 1]!--;
    if (element.num_children) left.push(element.num_children);
    while (left.at(-1) === 0) {
      left.pop();
      lines.push("  ".repeat(left.length) + "}");
    }
  }
  return lines.join("\n");
}

function describe(element: SchemaElement): string {
  const { name, type, type_length, repetition_type = "REQUIRED" } = element;
  const kind = type === undefined ? "group" : (TYPES[type] ?? type.toLowerCase());
  const length = type === "FIXED_LEN_BYTE_ARRAY" ? `(${type_length})` : "";
  const annotation = annotate(element);
  return `${repetition_type.toLowerCase()} ${kind}${length} ${name}${annotation === undefined ? "" : ` (${annotation})`}`;
}

function annotate({ logical_type: logical, converted_type }: SchemaElement): string | undefined {
  if (logical === undefined) return converted_type;
  switch (logical.type) {
    case "DECIMAL":
      return `DECIMAL(${logical.precision},${logical.scale})`;
    case "TIME":
    case "TIMESTAMP":
      return `${logical.type}(${logical.unit},${logical.isAdjustedToUTC})`;
    default:
      return logical.type;
  }
}
