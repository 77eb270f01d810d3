// Heka's message matcher, as text: `Type == "telemetry" && Fields[docType] =~ /^main/`. Text in, a tree out.
import { UsageError } from "../../errors.ts";
import { didYouMean } from "../../nearest.ts";

/** Members of a message whose values are texts. */
export const TEXTS = ["Uuid", "Type", "Logger", "Payload", "EnvVersion", "Hostname"] as const;
/** Members whose values are integers; Timestamp is in nanoseconds since the epoch. */
export const INTEGERS = ["Timestamp", "Severity", "Pid"] as const;

export type Member = (typeof TEXTS)[number] | (typeof INTEGERS)[number];

/** `Fields[name][field][value]`: of several fields of one name, and of several values of one field, which. */
export interface FieldVariable {
  readonly name: string;
  readonly field: number;
  readonly value: number;
}

export type Comparison = "==" | "!=" | ">" | ">=" | "<" | "<=";

/** What a variable is held against. `NIL` is absence; an integer literal is a bigint, so that 64 bits are exact. */
export type Literal = string | bigint | number | boolean | RegExp | null;

export type Expression =
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "and" | "or"; readonly sides: readonly Expression[] }
  | {
      readonly kind: "test";
      readonly variable: Member | FieldVariable;
      readonly operator: Comparison | "=~" | "!~";
      readonly literal: Literal;
    };

/** A piece of the text: `at` and `end` are offsets in it. */
interface Token {
  readonly kind: "word" | "operator" | "text" | "number" | "regex" | "fields" | "end";
  readonly text: string;
  readonly at: number;
}

const WORDS = [...TEXTS, ...INTEGERS, "Fields[name]", "TRUE", "FALSE", "NIL"];

// In this order: the longer of two that begin alike comes first.
const TOKENS: readonly [Token["kind"], RegExp][] = [
  ["operator", /&&|\|\||==|!=|>=|<=|=~|!~|>|<|\(|\)/y],
  ["fields", /Fields\s*\[[^\]]*\](\s*\[\s*\d+\s*\]){0,2}/y],
  ["text", /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y],
  ["regex", /\/(?:[^/\\]|\\.)*\//y],
  ["number", /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ["word", /[A-Za-z_]\w*/y],
];

/**
 * Reads an expression.
 * @throws {UsageError} that shows the place where it is not understood.
 */
export function parseMatch(text: string): Expression {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = (): Token => tokens[next]!;
  const take = (...texts: string[]): boolean => {
    const found = peek().kind === "operator" && texts.includes(peek().text);
    if (found) next++;
    return found;
  };

  const sides = (kind: "and" | "or", operator: string, side: () => Expression): Expression => {
    const found = [side()];
    while (take(operator)) found.push(side());
    return found.length === 1 ? found[0]! : { kind, sides: found };
  };
  const any = (): Expression => sides("or", "||", all);
  const all = (): Expression => sides("and", "&&", term);
  const term = (): Expression => {
    if (take("(")) {
      const inner = any();
      if (!take(")")) throw fault(text, peek().at, "a parenthesis is not closed");
      return inner;
    }
    const token = tokens[next++]!;
    if (token.kind === "word" && (token.text === "TRUE" || token.text === "FALSE"))
      return { kind: "constant", value: token.text === "TRUE" };
    return test(text, token, () => tokens[next++] ?? tokens.at(-1)!);
  };

  const found = any();
  if (peek().kind !== "end") throw fault(text, peek().at, "expected && or ||");
  return found;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text[at] ?? "")) at++;
    if (at === text.length) return [...tokens, { kind: "end", text: "", at }];
    const found = TOKENS.map(([kind, pattern]) => {
      pattern.lastIndex = at;
      const [piece] = pattern.exec(text) ?? [];
      return piece === undefined ? undefined : { kind, text: piece, at };
    }).find((token) => token !== undefined);
    if (found === undefined) throw fault(text, at, /["'/]/.test(text[at]!) ? "it is not closed" : "not understood");
    tokens.push(found);
    at += found.text.length;
  }
}

function test(text: string, token: Token, following: () => Token): Expression {
  const variable = variableOf(text, token);
  const operator = following();
  if (operator.kind !== "operator" || !/^(==|!=|>=?|<=?|=~|!~)$/.test(operator.text))
    throw fault(text, operator.at, "expected one of == != > >= < <= =~ !~");
  const literal = following();
  const test = {
    kind: "test",
    variable,
    operator: operator.text as Comparison | "=~" | "!~",
    literal: literalOf(text, literal, variable),
  } as const;
  const refusal = refusalOf(test);
  if (refusal !== undefined) throw fault(text, literal.at, refusal);
  return test;
}

function variableOf(text: string, { kind, text: name, at }: Token): Member | FieldVariable {
  if (kind === "fields") {
    const [, field = "", ...indexes] = /\[([^\]]*)\](?:\s*\[\s*(\d+)\s*\])?(?:\s*\[\s*(\d+)\s*\])?$/.exec(name) ?? [];
    if (field === "") throw fault(text, at, "the name of the field is missing");
    return { name: field, field: Number(indexes[0] ?? 0), value: Number(indexes[1] ?? 0) };
  }
  if (isMember(name)) return name;
  if (name === "Fields") throw fault(text, at, "expected Fields[name], Fields[name][0] or Fields[name][0][0]");
  if (kind !== "word") throw fault(text, at, `expected a variable: ${WORDS.slice(0, -3).join(" ")}`);
  throw fault(text, at, `there is no variable ${name}.${didYouMean(name, WORDS)} There are ${WORDS.join(" ")}`);
}

function isMember(name: string): name is Member {
  return ([...TEXTS, ...INTEGERS] as string[]).includes(name);
}

function literalOf(text: string, { kind, text: token, at }: Token, variable: Member | FieldVariable): Literal {
  if (kind === "text") {
    const literal = token.slice(1, -1).replace(/\\(.)/gs, "$1");
    if (variable === "Timestamp") return nanoseconds(literal) ?? failed("it is no time like 2016-05-24T21:51:00Z");
    return variable === "Uuid" ? literal.toLowerCase() : literal;
  }
  if (kind === "number") return /^[+-]?\d+$/.test(token) ? BigInt(token) : Number(token);
  if (kind === "regex") return regexOf(token.slice(1, -1)) ?? failed("it is no regular expression");
  if (token === "TRUE" || token === "FALSE") return token === "TRUE";
  if (token === "NIL") return null;
  return failed('expected "text", a number, /regex/, TRUE, FALSE or NIL');

  function failed(why: string): never {
    throw fault(text, at, why);
  }
}

/** Flags may stand in front, as in Go and Perl: `(?i)`. Undefined where it is not understood. */
function regexOf(source: string): RegExp | undefined {
  const [flagged = "", flags = ""] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  // With "u" it matches characters, not halves of them; what Go and Perl allow beyond that, such as \\-, goes without.
  for (const more of ["u", ""]) {
    try {
      return new RegExp(source.slice(flagged.length), [...new Set(flags + more)].join(""));
    } catch {}
  }
  return undefined;
}

/** An RFC 3339 time to nanoseconds since the epoch. */
function nanoseconds(text: string): bigint | undefined {
  const [, seconds = "", fraction = "", zone = ""] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i.exec(text) ?? [];
  const milliseconds = Date.parse(seconds.toUpperCase() + zone.toUpperCase());
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

/** Why a test can never mean anything. */
function refusalOf({ variable, operator, literal }: Extract<Expression, { kind: "test" }>): string | undefined {
  const isRegex = literal instanceof RegExp;
  if ((operator === "=~" || operator === "!~") !== isRegex) return "=~ and !~ take a /regex/, and nothing else does";
  const isOrder = operator !== "==" && operator !== "!=" && !isRegex;
  if (isOrder && (literal === null || typeof literal === "boolean")) return "only == and != take TRUE, FALSE and NIL";
  if (typeof variable !== "string" || literal === null) return undefined;
  const isInteger = (INTEGERS as readonly string[]).includes(variable);
  if (isInteger && typeof literal !== "bigint" && typeof literal !== "number") return `${variable} is a number`;
  if (!isInteger && typeof literal !== "string" && !isRegex) return `${variable} is a text`;
  return undefined;
}

function fault(text: string, at: number, why: string): UsageError {
  return new UsageError(`Cannot understand --match at character ${at + 1}: ${why}\n  ${text}\n  ${" ".repeat(at)}^`);
}
