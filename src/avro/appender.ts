// Records into columns: conversion first, then the values go to their columns with Parquet's levels.

import type { RowGroupBuilder } from "../parquet/rowgroup.ts";
import { compileConversion, type StoredBranch, type StoredMap } from "./convert.ts";
import type { Node, RecordNode } from "./nodes.ts";
import type { Schema } from "./schema.ts";

export interface Appender {
  /**
   * One record to one row. Throws ValueError with the column path (`addons[].id`, `searches.*`) when the record does
   * not fit the schema; then nothing of it has been buffered.
   */
  append(record: unknown): void;
}

/** `group` must be built for `toParquetSchema(schema)`: its columns are the schema's leaves in order. */
export function createAppender(schema: Schema, group: RowGroupBuilder): Appender {
  const convert = compileConversion(schema.root, "");
  const columns = group.columns.values() as Iterator<Lane, undefined>;
  const row = recordLane(schema.root, { columns, definition: 0, repetition: 0 });
  return {
    append(record) {
      row.put(convert(record), 0);
      group.endRows();
    },
  };
}

/** Appends the values of some fields of a record; those of the others come from elsewhere. */
export interface FieldAppender {
  /** What the columns store of these values, one for each field. Throws ValueError as Appender does. */
  convert(values: readonly unknown[]): readonly unknown[];
  /** Puts what `convert` gave into the columns; the row does not end with that. */
  put(stored: readonly unknown[]): void;
}

/** `fields`: the positions of the record's fields. */
export function createFieldAppender(schema: Schema, group: RowGroupBuilder, fields: readonly number[]): FieldAppender {
  const columns = group.columns.values() as Iterator<Lane, undefined>;
  const all = schema.root.fields.map(({ name, type }) => ({
    convert: compileConversion(type, name),
    lane: laneOf(type, { columns, definition: 0, repetition: 0 }),
  }));
  const some = fields.map((field) => all[field]!);
  return {
    convert(values) {
      const stored = new Array<unknown>(some.length);
      for (let i = 0; i < some.length; i++) stored[i] = some[i]!.convert(values[i]);
      return stored;
    },
    put(stored) {
      for (let i = 0; i < some.length; i++) some[i]!.lane.put(stored[i], 0);
    },
  };
}

/**
 * Where the stored values of one node go; a column is the simplest lane. `put` takes a stored value (convert.ts) that
 * is there, `absent` the definition level of the nearest ancestor that is.
 */
interface Lane {
  put(stored: unknown, repetition: number): void;
  absent(definition: number, repetition: number): void;
}

interface Place {
  /** The columns not yet given to a lane, in the order of the schema's leaves. */
  readonly columns: Iterator<Lane, undefined>;
  /** Levels of a value that is there: how many optional or repeated groups are around it. */
  readonly definition: number;
  readonly repetition: number;
}

const NO_COLUMN: Lane = { put() {}, absent() {} };

function laneOf(node: Node, place: Place): Lane {
  switch (node.kind) {
    case "null":
      return NO_COLUMN;
    case "record":
      return recordLane(node, place);
    case "array":
      return repeatedLane(laneOf(node.items, inside(place)), place);
    case "map": {
      const keys = repeatedLane(place.columns.next().value!, place);
      const values = repeatedLane(laneOf(node.values, inside(place)), place);
      return fork([keys, values], (map) => [(map as StoredMap).keys, (map as StoredMap).values]);
    }
    case "union": {
      const within = node.nullable ? optional(place) : place;
      const inner =
        node.branches.length === 1 ? laneOf(node.branches[0]!, within) : branchesLane(node.branches, within);
      return node.nullable ? optionalLane(inner, place.definition) : inner;
    }
    default:
      return place.columns.next().value!;
  }
}

function optional(place: Place): Place {
  return { ...place, definition: place.definition + 1 };
}

function inside(place: Place): Place {
  return { ...place, definition: place.definition + 1, repetition: place.repetition + 1 };
}

function recordLane(node: RecordNode, place: Place): Lane {
  const lanes = node.fields.map((field) => laneOf(field.type, place));
  return fork(lanes, (stored) => stored as unknown[]);
}

function fork(lanes: readonly Lane[], split: (stored: unknown) => readonly unknown[]): Lane {
  return {
    put(stored, repetition) {
      const values = split(stored);
      for (let i = 0; i < lanes.length; i++) lanes[i]!.put(values[i], repetition);
    },
    absent(definition, repetition) {
      for (const lane of lanes) lane.absent(definition, repetition);
    },
  };
}

function optionalLane(inner: Lane, definition: number): Lane {
  return {
    put(stored, repetition) {
      if (stored === null) inner.absent(definition, repetition);
      else inner.put(stored, repetition);
    },
    absent: (outer, repetition) => inner.absent(outer, repetition),
  };
}

function branchesLane(branches: readonly Node[], place: Place): Lane {
  const lanes = branches.map((branch) => laneOf(branch, optional(place)));
  return {
    put(stored, repetition) {
      const { branch, value } = stored as StoredBranch;
      for (let i = 0; i < lanes.length; i++) {
        if (i === branch) lanes[i]!.put(value, repetition);
        else lanes[i]!.absent(place.definition, repetition);
      }
    },
    absent(definition, repetition) {
      for (const lane of lanes) lane.absent(definition, repetition);
    },
  };
}

function repeatedLane(inner: Lane, { definition, repetition: depth }: Place): Lane {
  return {
    put(stored, repetition) {
      const items = stored as readonly unknown[];
      if (items.length === 0) return inner.absent(definition, repetition);
      inner.put(items[0], repetition);
      for (let i = 1; i < items.length; i++) inner.put(items[i], depth + 1);
    },
    absent: (outer, repetition) => inner.absent(outer, repetition),
  };
}
