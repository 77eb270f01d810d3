// From a stream's record to what the columns store: everything is checked here, so that appending cannot fail.

import { ValueError } from "../errors.ts";
import type { ArrayNode, FieldNode, MapNode, Node, RecordNode, UnionNode } from "./nodes.ts";
import {
  type Conversion,
  decimalConversion,
  enumConversion,
  fixedConversion,
  refuse,
  scalarConversion,
} from "./scalars.ts";

/*
 * The stored form of a value, by type:
 *   scalars   as scalars.ts says; enum: string; fixed: Uint8Array; decimal: the unscaled bigint
 *   record    an array with a stored value for each field, in the order of the schema
 *   array     an array of stored items
 *   map       StoredMap
 *   union     null; the stored value itself when there is one branch; StoredBranch when there are several
 */
export interface StoredMap {
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

export interface StoredBranch {
  readonly branch: number;
  readonly value: unknown;
}

/** `path` names the column in errors: `addons[].id`, `searches.*`, or "" for the record itself. */
export function compileConversion(node: Node, path: string): Conversion {
  switch (node.kind) {
    case "null":
      return (value) => (value === null || value === undefined ? null : refuse(value, path, "is not null"));
    case "decimal":
      return decimalConversion(node, path);
    case "fixed":
      return fixedConversion(node, path);
    case "enum":
      return enumConversion(node, path);
    case "array":
      return arrayConversion(node, path);
    case "map":
      return mapConversion(node, path);
    case "union":
      return unionConversion(node, path);
    case "record":
      return recordConversion(node, path);
    default:
      return scalarConversion(node, path);
  }
}

/** Items of a list or entries of a map: the largest message has room for few more that say anything. */
const MOST = 4 << 20;
const TOO_MANY = "has more than 4,194,304 items";

function arrayConversion(node: ArrayNode, path: string): Conversion {
  const convert = compileConversion(node.items, `${path}[]`);
  return (value) => {
    if (!Array.isArray(value)) return refuse(value, path, "is not an array");
    if (value.length > MOST) return refuse(value, path, TOO_MANY);
    const items = new Array(value.length);
    for (let i = 0; i < items.length; i++) items[i] = convert(value[i]);
    return items;
  };
}

function mapConversion(node: MapNode, path: string): Conversion {
  const convert = compileConversion(node.values, `${path}.*`);
  return (value): StoredMap => {
    const entries = value instanceof Map ? [...value] : isPlainObject(value) ? Object.entries(value) : undefined;
    if (entries === undefined) return refuse(value, path, "is not a map");
    if (entries.length > MOST) return refuse(value, path, TOO_MANY);
    const keys: string[] = [];
    const values: unknown[] = [];
    for (const [key, inner] of entries) {
      if (typeof key !== "string") return refuse(value, path, "has a key that is not a string");
      keys.push(key);
      values.push(convert(inner));
    }
    return { keys, values };
  };
}

function recordConversion(node: RecordNode, path: string): Conversion {
  const fields = node.fields.map((field) => compileField(field, path));
  const name = path === "" ? "record" : path;
  return (value) => {
    if (!isPlainObject(value)) return refuse(value, name, "is not an object");
    const stored = new Array(fields.length);
    let given = 0;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      // A name that every object inherits (a field may be called "constructor") counts only when it is the record's own.
      const inner = field.inherited && !Object.hasOwn(value, field.name) ? undefined : value[field.name];
      if (inner === undefined) {
        if (Object.hasOwn(value, field.name)) given++;
        stored[i] = field.fallback === undefined ? field.convert(undefined) : field.fallback.value;
      } else {
        given++;
        stored[i] = field.convert(inner);
      }
    }
    if (Object.keys(value).length > given) throw new ValueError(name, "has a surplus field");
    return stored;
  };
}

interface CompiledField {
  readonly name: string;
  readonly inherited: boolean;
  readonly convert: Conversion;
  /** The stored form of the default. */
  readonly fallback: { readonly value: unknown } | undefined;
}

function compileField({ name, type, default: otherwise }: FieldNode, path: string): CompiledField {
  const convert = compileConversion(type, path === "" ? name : `${path}.${name}`);
  const fallback = otherwise === undefined ? undefined : { value: convert(otherwise.value) };
  return { name, inherited: name in Object.prototype, convert, fallback };
}

/**
 * With several branches the value goes to the first, in the order of the schema, that accepts it. Numeric branches are
 * tried among themselves in the order int, long, double, float, so that 1 is an int wherever the union has one.
 */
function unionConversion(node: UnionNode, path: string): Conversion {
  const branches = node.branches.map((branch, index) => ({ branch, index, convert: compileConversion(branch, path) }));
  if (branches.length === 1) {
    const { convert } = branches[0]!;
    return (value) => (value === null || value === undefined ? null : convert(value));
  }
  const numeric = branches.filter(({ branch }) => numericRank(branch) >= 0);
  const ranked = numeric.toSorted((a, b) => numericRank(a.branch) - numericRank(b.branch));
  const tried = branches.map((each) => (numericRank(each.branch) >= 0 ? ranked.shift()! : each));
  return (value): StoredBranch | null => {
    if (value === null || value === undefined) return node.nullable ? null : refuse(value, path, "");
    const candidates = tried.filter(({ branch }) => mayHold(branch, value));
    for (const { index, convert } of candidates) {
      try {
        return { branch: index, value: convert(value) };
      } catch (error) {
        // With one candidate its own error says most: it names the field that is wrong inside.
        if (!(error instanceof ValueError) || candidates.length === 1) throw error;
      }
    }
    return refuse(value, path, "fits no branch of its union");
  };
}

function numericRank(node: Node): number {
  return "logical" in node && node.logical !== undefined ? -1 : ["int", "long", "double", "float"].indexOf(node.kind);
}

/** Whether a value is of the JavaScript type of a branch: no more than a first sieve. */
function mayHold(node: Node, value: unknown): boolean {
  switch (node.kind) {
    case "string":
    case "enum":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "bytes":
    case "fixed":
      return value instanceof Uint8Array;
    case "decimal":
      return typeof value === "bigint" || typeof value === "string";
    case "array":
      return Array.isArray(value);
    case "map":
      return value instanceof Map || isPlainObject(value);
    case "record":
      return isPlainObject(value);
    default:
      return typeof value === "number" || typeof value === "bigint" || value instanceof Date;
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
