// What readers of old and new files together meet, when a stream's schema has changed in between.
import type { FieldNode, Node, RecordNode, UnionNode } from "./nodes.ts";
import type { Schema } from "./schema.ts";

export interface Change {
  /** The column: `addons[].version`, `searches.*`. */
  readonly path: string;
  /** Whether readers of both still see one column of one type. */
  readonly compatible: boolean;
  /** A clause that follows the path: "is new: null in old files". */
  readonly says: string;
}

/**
 * What has changed, in the order of the new schema. Compatible is what Parquet readers that match columns by name (Spark, Trino,
 * Athena, DuckDB) read as one table without a cast: columns added and removed, null allowed or not, other defaults. Wider
 * types are not: DuckDB casts an int to a long, Athena fails at it.
 */
export function compareSchemas(before: Schema, after: Schema): Change[] {
  const changes: Change[] = [];
  if (before.fullName !== after.fullName) {
    changes.push(
      compatible(
        "",
        `the record is called ${after.fullName}, it was ${before.fullName}: Avro readers match it by name`,
      ),
    );
  }
  compareRecords(before.root, after.root, "", changes);
  return changes;
}

function compareRecords(before: RecordNode, after: RecordNode, path: string, changes: Change[]): void {
  const old = new Map(columnsOf(before).map((field) => [field.name, field]));
  const now = columnsOf(after);
  const names = new Set(now.map(({ name }) => name));
  for (const field of now) {
    const at = path === "" ? field.name : `${path}.${field.name}`;
    const was = old.get(field.name);
    if (was === undefined) changes.push(compatible(at, "is new: null in old files"));
    else {
      compareNodes(was.type, field.type, at, changes);
      compareDefaults(was, field, at, changes);
    }
  }
  for (const name of old.keys()) {
    if (!names.has(name))
      changes.push(compatible(path === "" ? name : `${path}.${name}`, "is gone: null in new files"));
  }
  const common = [...old.keys()].filter((name) => names.has(name));
  const order = now.map(({ name }) => name).filter((name) => old.has(name));
  if (common.some((name, index) => order[index] !== name)) {
    changes.push(compatible(path, "stands in another order: of matter only to readers that match columns by position"));
  }
}

/** Fields that make a column: null alone makes none. */
function columnsOf({ fields }: RecordNode): FieldNode[] {
  return fields.filter(({ type }) => type.kind !== "null");
}

function compareDefaults(before: FieldNode, after: FieldNode, path: string, changes: Change[]): void {
  const text = ({ default: otherwise }: FieldNode) =>
    JSON.stringify(otherwise?.value, (_key, value) => (typeof value === "bigint" ? String(value) : value));
  if (text(before) !== text(after) && after.default !== undefined && before.default !== undefined) {
    changes.push(compatible(path, "has another default: old files keep the old one"));
  }
}

function compareNodes(before: Node, after: Node, path: string, changes: Change[]): void {
  const [old, wasNullable] = withoutNull(before);
  const [now, isNullable] = withoutNull(after);
  if (wasNullable !== isNullable) {
    changes.push(
      compatible(path, isNullable ? "may be null now" : "may not be null any more: it still is in old files"),
    );
  }
  const [was, is] = [typeText(old), typeText(now)];
  if (old.kind === "union" || now.kind === "union") compareUnions(old, now, path, changes);
  else if (old.kind === "record" && now.kind === "record") compareRecords(old, now, path, changes);
  else if (old.kind === "array" && now.kind === "array") compareNodes(old.items, now.items, `${path}[]`, changes);
  else if (old.kind === "map" && now.kind === "map") compareNodes(old.values, now.values, `${path}.*`, changes);
  else if (was !== is) changes.push({ path, compatible: false, says: `is ${is}, it was ${was}` });
  else if (old.kind === "enum" && now.kind === "enum") compareSymbols(old.symbols, now.symbols, path, changes);
}

/** A union of one type and null is that type, optional. */
function withoutNull(node: Node): [Node, boolean] {
  return node.kind === "union" && node.branches.length === 1
    ? [node.branches[0]!, node.nullable]
    : [node, node.kind === "union" && node.nullable];
}

/** A union of several is a group of columns, one for each branch, called by its place. */
function compareUnions(before: Node, after: Node, path: string, changes: Change[]): void {
  const [old, now] = [branchesOf(before), branchesOf(after)];
  if (old === undefined || now === undefined) {
    changes.push({ path, compatible: false, says: `is ${typeText(after)}, it was ${typeText(before)}` });
    return;
  }
  for (const [index, branch] of now.entries()) {
    const was = old[index];
    if (was === undefined) changes.push(compatible(`${path}.member${index}`, "is new: null in old files"));
    else compareNodes(was, branch, `${path}.member${index}`, changes);
  }
  for (let index = now.length; index < old.length; index++)
    changes.push(compatible(`${path}.member${index}`, "is gone: null in new files"));
}

function branchesOf(node: Node): UnionNode["branches"] | undefined {
  return node.kind === "union" ? node.branches : undefined;
}

function compareSymbols(before: readonly string[], after: readonly string[], path: string, changes: Change[]): void {
  const gone = before.filter((symbol) => !after.includes(symbol));
  const added = after.filter((symbol) => !before.includes(symbol));
  if (added.length > 0) changes.push(compatible(path, `has new symbols: ${added.join(", ")}`));
  if (gone.length > 0) changes.push(compatible(path, `has lost symbols, which old files keep: ${gone.join(", ")}`));
}

/** A type as it is stored: an enum is a string, a uuid too. */
function typeText(node: Node): string {
  switch (node.kind) {
    case "enum":
      return "string";
    case "fixed":
      return `fixed(${node.size})`;
    case "decimal":
      return `decimal(${node.precision}, ${node.scale})${node.fixed ? ` in ${node.fixed.size} bytes` : ""}`;
    case "union":
      return "a union of several types";
    case "array":
    case "map":
    case "record":
      return node.kind === "array" ? "a list" : `a ${node.kind}`;
    default:
      return "logical" in node && node.logical !== undefined && node.logical !== "uuid" ? node.logical : node.kind;
  }
}

function compatible(path: string, says: string): Change {
  return { path, compatible: true, says };
}
