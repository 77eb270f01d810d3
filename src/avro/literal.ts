// The Avro schema as its author writes it: the JSON of the Avro specification, as types that fit `as const` objects.

export type AvroPrimitiveName = "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string";

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
}

export interface AvroRecord {
  readonly type: "record";
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly fields: readonly AvroField[];
}

export interface AvroEnum {
  readonly type: "enum";
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly symbols: readonly string[];
  readonly default?: string;
}

export interface AvroFixed {
  readonly type: "fixed";
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  /** Bytes, at least 1. */
  readonly size: number;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

export interface AvroArray {
  readonly type: "array";
  readonly items: AvroSchema;
}

export interface AvroMap {
  readonly type: "map";
  readonly values: AvroSchema;
}

/** A primitive written as an object, mostly to carry a logical type. */
export interface AvroPrimitive {
  readonly type: AvroPrimitiveName;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
}

export type AvroUnion = readonly AvroSchema[];

/** `string & {}` is the name of a record, enum or fixed defined earlier in the same schema. */
export type AvroSchema =
  | AvroPrimitiveName
  | (string & {})
  | AvroPrimitive
  | AvroRecord
  | AvroEnum
  | AvroFixed
  | AvroArray
  | AvroMap
  | AvroUnion;
