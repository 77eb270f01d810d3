// A resolved Avro schema: a tree in which every name is looked up, for the code behind parseSchema.

/** Logical types of scalars that change what is accepted or how the column is annotated. */
export type LogicalType =
  | "date"
  | "time-millis"
  | "time-micros"
  | "timestamp-millis"
  | "timestamp-micros"
  | "timestamp-nanos"
  | "local-timestamp-millis"
  | "local-timestamp-micros"
  | "local-timestamp-nanos"
  | "uuid";

/** Allowed as a record's field, where it makes no column, and as a union's branch. */
export interface NullNode {
  readonly kind: "null";
}

export interface ScalarNode {
  readonly kind: "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";
  readonly logical?: LogicalType;
}

export interface DecimalNode {
  readonly kind: "decimal";
  readonly precision: number;
  readonly scale: number;
  /** The name and the bytes of the fixed below; absent when the base is `bytes`. */
  readonly fixed?: { readonly fullName: string; readonly size: number };
}

export interface FixedNode {
  readonly kind: "fixed";
  readonly fullName: string;
  readonly size: number;
}

export interface EnumNode {
  readonly kind: "enum";
  readonly fullName: string;
  readonly symbols: readonly string[];
}

export interface ArrayNode {
  readonly kind: "array";
  readonly items: Node;
}

export interface MapNode {
  readonly kind: "map";
  readonly values: Node;
}

/** A union without its null, which `nullable` stands for. One branch only: that branch, optional. */
export interface UnionNode {
  readonly kind: "union";
  readonly nullable: boolean;
  readonly branches: readonly Node[];
  /** The first branch as written, which a default value has to match. */
  readonly first: Node;
}

export interface FieldNode {
  readonly name: string;
  readonly type: Node;
  /** What stands for an absent field, as a stream would have given it; absent when the field must be given. */
  readonly default?: { readonly value: unknown };
}

export interface RecordNode {
  readonly kind: "record";
  readonly fullName: string;
  readonly fields: readonly FieldNode[];
}

export type Node =
  | NullNode
  | ScalarNode
  | DecimalNode
  | FixedNode
  | EnumNode
  | ArrayNode
  | MapNode
  | UnionNode
  | RecordNode;
