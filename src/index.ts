// The package "derive": everything a stream's file imports.

export type { AvroRecord, AvroSchema } from "./avro/literal.ts";
export type { Column, Columns, RequiredColumn, SettledColumn, TimestampUnit } from "./columns.ts";
export { boolean, bytes, double, int, json, list, long, map, record, string, timestamp } from "./columns.ts";
export type { Json, Message, Path } from "./heka/message-view.ts";
export type { InferRecord } from "./infer.ts";
export type { DerivedStream } from "./stream.ts";
export { defineStream } from "./stream.ts";
