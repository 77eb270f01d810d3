// From a matcher's tree to a question that is asked of each message. Only what the expression names is decoded.
import type { Field } from "../fields.ts";
import type { RawMessage } from "../message.ts";
import { compilePath } from "../path.ts";
import { messageTag } from "../protobuf.ts";
import {
  type Comparison,
  type Expression,
  type FieldVariable,
  type Literal,
  type Member,
  parseMatch,
} from "./syntax.ts";

export type Matcher = (message: RawMessage) => boolean;

/**
 * Heka's rules: a test of a variable that is absent, or of another type than the literal, does not match, whatever its
 * operator; `== NIL` asks for absence. Bytes are compared as text, integers exactly, texts by code units.
 * @throws {UsageError} that shows the place where the expression is not understood.
 */
export function compileMatch(text: string): Matcher {
  return matcherOf(parseMatch(text));
}

function matcherOf(expression: Expression): Matcher {
  if (expression.kind === "constant") return () => expression.value;
  if (expression.kind === "test") {
    const { variable, operator, literal } = expression;
    const holds = testOf(operator, literal);
    const read = typeof variable === "string" ? memberOf(variable, literal) : fieldOf(variable);
    return (message) => holds(read(message));
  }
  const sides = expression.sides.map(matcherOf);
  return expression.kind === "and"
    ? (message) => sides.every((side) => side(message))
    : (message) => sides.some((side) => side(message));
}

type Value = Field["values"][number] | undefined;

function memberOf(member: Member, literal: Literal): (message: RawMessage) => Value {
  const name = `${member[0]!.toLowerCase()}${member.slice(1)}` as Uncapitalize<Member>;
  const isOptional = literal === null;
  return (message) => {
    // An absent member reads as empty or its default, which is a value to any test but the one for absence.
    if (isOptional && !message.hasMember(messageTag[name])) return undefined;
    const value = message[name];
    return typeof value === "number" ? BigInt(value) : value;
  };
}

function fieldOf({ name, field, value }: FieldVariable): (message: RawMessage) => Value {
  const fieldName = compilePath([name]).fieldNames[0]!;
  return (message) => {
    const found = message.fieldNamed(fieldName, field)?.values[value];
    return found instanceof Uint8Array ? Buffer.from(found.buffer, found.byteOffset, found.length).toString() : found;
  };
}

function testOf(operator: Comparison | "=~" | "!~", literal: Literal): (value: Value) => boolean {
  if (literal === null) return (value) => (value === undefined) === (operator === "==");
  if (literal instanceof RegExp)
    return (value) => typeof value === "string" && literal.test(value) === (operator === "=~");
  const compare = COMPARISONS[operator as Comparison];
  if (typeof literal === "bigint" || typeof literal === "number")
    return (value) => (typeof value === "bigint" || typeof value === "number") && compare(value, literal);
  return (value) => typeof value === typeof literal && compare(value as string, literal);
}

// Of a bigint and a number JavaScript compares the exact values.
type Comparable = string | bigint | number | boolean;
const COMPARISONS: Record<Comparison, (a: Comparable, b: Comparable) => boolean> = {
  // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1, by value, is what is asked; the types were compared before.
  "==": (a, b) => a == b,
  // biome-ignore lint/suspicious/noDoubleEquals: as above.
  "!=": (a, b) => a != b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};
