// A record without a file: what derivePing shows to a stream's author.

import { compileConversion, type StoredBranch, type StoredMap } from "./convert.ts";
import type { Node } from "./nodes.ts";
import { type Conversion, decimalText } from "./scalars.ts";
import type { Schema } from "./schema.ts";

const compiled = new WeakMap<Schema, Conversion>();

/**
 * The record as its row will be: defaults filled, long, time-micros and timestamps as bigints in their unit, dates as
 * days, decimals as text, maps as objects, of a union the value alone. Throws what append throws.
 */
export function checkRecord(schema: Schema, record: unknown): Record<string, unknown> {
  const convert = compiled.get(schema) ?? compileConversion(schema.root, "");
  compiled.set(schema, convert);
  return show(schema.root, convert(record)) as Record<string, unknown>;
}

function show(node: Node, stored: unknown): unknown {
  switch (node.kind) {
    case "string":
      return (stored as string).toWellFormed();
    case "decimal":
      return decimalText(stored as bigint, node.scale);
    case "bytes":
    case "fixed":
      return (stored as Uint8Array).slice();
    case "array":
      return (stored as unknown[]).map((item) => show(node.items, item));
    case "map": {
      const { keys, values } = stored as StoredMap;
      return Object.fromEntries(keys.map((key, i) => [key.toWellFormed(), show(node.values, values[i])]));
    }
    case "union": {
      if (stored === null) return null;
      if (node.branches.length === 1) return show(node.branches[0]!, stored);
      const { branch, value } = stored as StoredBranch;
      return show(node.branches[branch]!, value);
    }
    case "record":
      return Object.fromEntries(
        node.fields.map((field, i) => [field.name, show(field.type, (stored as unknown[])[i])]),
      );
    default:
      return stored;
  }
}
