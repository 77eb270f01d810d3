// Inside parseSchema: walks an Avro schema literal, looks names up, and refuses what Parquet or Avro cannot hold.
// Not avsc: importing it costs every worker 50 ms, and its errors name no place. A test holds the two against each other.

import { resolveDefault } from "./defaults.ts";
import { failSchema } from "./fail.ts";
import { logicalTypeOf, resolveDecimal } from "./logical.ts";
import type { FieldNode, Node, RecordNode, UnionNode } from "./nodes.ts";

type Named = Extract<Node, { fullName: string }> | Extract<Node, { kind: "decimal" }>;

interface Scope {
  /** By full name; "open" while the record is being read, which tells recursion. */
  readonly named: Map<string, Named | "open">;
  readonly namespace: string;
  readonly depth: number;
  readonly warnings: string[];
}

type Json = { readonly [key: string]: unknown };

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PRIMITIVES = new Set(["null", "boolean", "int", "long", "float", "double", "bytes", "string"]);
/** Far beyond any real schema, and far below what Parquet's levels (one byte here) can count. */
const DEEPEST = 60;

export function resolveRecord(literal: unknown, warnings: string[]): RecordNode {
  if (!isJsonObject(literal) || literal.type !== "record") {
    failSchema("", 'the top must be a record: { type: "record", name, fields }');
  }
  return recordNode(literal, "", { named: new Map(), namespace: "", depth: 0, warnings });
}

function resolve(literal: unknown, path: string, outer: Scope): Node {
  if (outer.depth === DEEPEST) failSchema(path, `it nests deeper than ${DEEPEST} levels`);
  const scope = { ...outer, depth: outer.depth + 1 };
  if (typeof literal === "string") {
    return PRIMITIVES.has(literal) ? ({ kind: literal } as Node) : lookUp(literal, path, scope);
  }
  if (Array.isArray(literal)) return unionNode(literal, path, scope);
  if (!isJsonObject(literal)) failSchema(path, "there is no type. Give a name, an object with a type, or a union");
  switch (literal.type) {
    case "record":
      return recordNode(literal, path, scope);
    case "enum":
      return enumNode(literal, path, scope);
    case "fixed":
      return fixedNode(literal, path, scope);
    case "array":
      return { kind: "array", items: resolveInside(literal.items, `${path}.items`, scope) };
    case "map":
      return { kind: "map", values: resolveInside(literal.values, `${path}.values`, scope) };
  }
  if (typeof literal.type === "string" && PRIMITIVES.has(literal.type)) {
    return primitiveNode(literal.type, literal, path, scope.warnings);
  }
  return resolve(literal.type, path, scope);
}

function primitiveNode(base: string, literal: Json, path: string, warnings: string[]): Node {
  const logical = logicalTypeOf(base, literal, path, warnings);
  if (logical === "decimal") return resolveDecimal(literal, path);
  return (logical === undefined ? { kind: base } : { kind: base, logical }) as Node;
}

/** An item of a list or a value of a map, where Parquet has no place for a type that is always null. */
function resolveInside(literal: unknown, path: string, scope: Scope): Node {
  const node = resolve(literal, path, scope);
  if (node.kind === "null") failSchema(path, "it is always null, which Parquet cannot hold here");
  return node;
}

function lookUp(name: string, path: string, scope: Scope): Node {
  const inNamespace = scope.namespace === "" || name.includes(".") ? name : `${scope.namespace}.${name}`;
  const node = scope.named.get(inNamespace) ?? scope.named.get(name);
  if (node === undefined) failSchema(path, `there is no type ${name}. A name must be defined before it is used`);
  if (node === "open") failSchema(path, `${name} holds itself, and Parquet has no recursive records`);
  return node;
}

function unionNode(literals: readonly unknown[], path: string, scope: Scope): Node {
  const branches: Node[] = literals.map((literal, i) => resolve(literal, `${path}[${i}]`, scope));
  const seen = new Set<string>();
  branches.forEach((branch, i) => {
    if (Array.isArray(literals[i])) failSchema(`${path}[${i}]`, "a union cannot hold a union");
    const name = branchName(branch);
    if (seen.has(name)) failSchema(`${path}[${i}]`, `the union has ${name} twice`);
    seen.add(name);
  });
  const present = branches.filter((branch) => branch.kind !== "null");
  if (present.length === 0) failSchema(path, "a union of nothing but null holds no value");
  const nullable = present.length < branches.length;
  if (!nullable && present.length === 1) return present[0]!;
  return { kind: "union", nullable, branches: present, first: branches[0]! } satisfies UnionNode;
}

/** What Avro tells the branches of a union by: the full name of a named type, else the type without its logical type. */
function branchName(node: Node): string {
  if (node.kind === "decimal") return node.fixed?.fullName ?? "bytes";
  return "fullName" in node ? node.fullName : node.kind;
}

function recordNode(literal: Json, path: string, outer: Scope): RecordNode {
  const fullName = defineName(literal, path, outer);
  const scope = { ...outer, namespace: namespaceOf(fullName) };
  const at = path === "" ? "fields" : `${path}.fields`;
  if (!Array.isArray(literal.fields)) failSchema(at, "it is not a list of fields");
  scope.named.set(fullName, "open");
  const fields: FieldNode[] = [];
  const names = new Set<string>();
  (literal.fields as unknown[]).forEach((field, i) => {
    if (!isJsonObject(field)) failSchema(`${at}[${i}]`, "it is not an object with a name and a type");
    const name = field.name;
    if (typeof name !== "string" || !NAME.test(name)) failSchema(`${at}[${i}].name`, NAME_RULE);
    if (names.has(name)) failSchema(`${at}.${name}`, "there are two fields of this name");
    names.add(name);
    const type = resolve(field.type, `${at}.${name}`, scope);
    fields.push(
      "default" in field
        ? { name, type, default: resolveDefault(type, field.default, `${at}.${name}`) }
        : { name, type },
    );
  });
  if (fields.every((field) => field.type.kind === "null"))
    failSchema(at, "there is no column: Parquet has no empty records");
  const node: RecordNode = { kind: "record", fullName, fields };
  scope.named.set(fullName, node);
  return node;
}

function enumNode(literal: Json, path: string, scope: Scope): Node {
  const fullName = defineName(literal, path, scope);
  const { symbols } = literal;
  if (!Array.isArray(symbols) || symbols.length === 0) failSchema(`${path}.symbols`, "it is not a list of symbols");
  symbols.forEach((symbol, i) => {
    if (typeof symbol !== "string" || !NAME.test(symbol)) failSchema(`${path}.symbols[${i}]`, NAME_RULE);
    if (symbols.indexOf(symbol) < i) failSchema(`${path}.symbols[${i}]`, "there are two symbols of this name");
  });
  if (literal.default !== undefined && !symbols.includes(literal.default))
    failSchema(`${path}.default`, "it is not a symbol");
  const node: Node = { kind: "enum", fullName, symbols };
  scope.named.set(fullName, node);
  return node;
}

function fixedNode(literal: Json, path: string, scope: Scope): Node {
  const fullName = defineName(literal, path, scope);
  const { size } = literal;
  if (typeof size !== "number" || !Number.isInteger(size) || size < 1 || size > 1 << 20) {
    failSchema(`${path}.size`, "it is not a number of bytes between 1 and 1048576");
  }
  const logical = logicalTypeOf("fixed", literal, path, scope.warnings, size);
  const node: Named =
    logical === "decimal" ? resolveDecimal(literal, path, { fullName, size }) : { kind: "fixed", fullName, size };
  scope.named.set(fullName, node);
  return node;
}

const NAME_RULE = "it is not a name. Names are letters, digits and _, and begin with no digit";

function defineName(literal: Json, path: string, scope: Scope): string {
  const { name, namespace } = literal;
  const at = path === "" ? "name" : `${path}.name`;
  if (typeof name !== "string" || !name.split(".").every((part) => NAME.test(part))) failSchema(at, NAME_RULE);
  if (namespace !== undefined && typeof namespace !== "string") failSchema(path, "its namespace is not a string");
  const within = namespace ?? scope.namespace;
  if (within !== "" && !within.split(".").every((part) => NAME.test(part)))
    failSchema(path, "its namespace is no dotted name");
  const fullName = name.includes(".") || within === "" ? name : `${within}.${name}`;
  if (PRIMITIVES.has(fullName)) failSchema(at, `${fullName} is the name of a type of Avro itself`);
  if (scope.named.has(fullName))
    failSchema(at, `there are two types named ${fullName}. Define it once, then use its name`);
  return fullName;
}

function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf(".")));
}

function isJsonObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
