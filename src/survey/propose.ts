// From what was seen to the columns of a stream: an expression for each path, and what is known of its values.
import { isDataKey } from "./shapes.ts";
import { merged, type Seen } from "./survey.ts";

export interface ProposedColumn {
  /** Unique, and legal in Avro. */
  readonly name: string;
  readonly path: readonly string[];
  /** The column as it stands in a stream's file: `string("geoCountry").optional()`. */
  readonly expression: string;
  /** The share of messages that have a value, 0 to 1. */
  readonly fill: number;
  /** What its values look like, in words that tell none of them. */
  readonly looks: string;
  /** Some of them, to be shown to nobody who did not ask. */
  readonly examples: readonly string[];
}

export interface Proposal {
  readonly columns: readonly ProposedColumn[];
  /** How many paths were left out because they are filled too seldom. */
  readonly rare: number;
}

/** Larger groups are proposed as JSON: nobody keeps a column of fifty leaves as it is. */
const LEAVES_AT_MOST = 24;
/** An object with more keys than this in all, whose values are alike, is a map. */
const RECORD_KEYS = 40;
/** A fill rate of fewer messages is no reason to call a path required. */
const MESSAGES_TO_REQUIRE = 100;

/**
 * Proposes a column for every path that at least `leastFill` (0 to 1) of the messages fill, in the order in which they were
 * met; `below` is where to begin.
 */
export function propose(root: Seen, leastFill: number, below: readonly string[] = []): Proposal {
  const messages = root.values;
  const names = new Set<string>();
  const columns: ProposedColumn[] = [];
  let rare = 0;
  const visit = (seen: Seen, path: readonly string[]): void => {
    if (isRecord(seen)) {
      for (const [key, member] of seen.members) visit(member, [...path, key]);
      return;
    }
    if (seen.values === 0) return;
    const fill = seen.values / messages;
    if (fill < leastFill) {
      rare++;
      return;
    }
    const name = nameFor(path, names);
    const isSure = seen.values === messages && messages >= MESSAGES_TO_REQUIRE;
    const type = expressionOf(seen, pathArgument(name, path));
    const expression = isSure ? type : `${type}.optional()`;
    columns.push({ name, path, expression, fill, looks: looksOf(seen), examples: [...seen.examples] });
  };
  let start: Seen | undefined = root;
  for (const key of below) start = start?.members.get(key);
  if (start) visit(start, below);
  return { columns, rare };
}

function isRecord(seen: Seen): boolean {
  return seen.objects === seen.values && seen.values > 0 && seen.members.size > 0 && !isMap(seen);
}

/** Whether the keys are values themselves: many, of which each object has few, or that look like it. */
function isMap(seen: Seen): boolean {
  const keys = [...seen.members.keys()];
  if (keys.length === 0) return false;
  const members = [...seen.members.values()];
  const kinds = new Set(members.filter(({ values }) => values > 0).map(kindOf));
  if (kinds.size > 1) return false;
  if (keys.filter(isDataKey).length * 2 > keys.length) return true;
  if (keys.length > RECORD_KEYS) return true;
  const mean = members.reduce((sum, { values }) => sum + values, 0) / members.length / seen.objects;
  return keys.length > 8 && mean < 0.25;
}

type Kind = "string" | "int" | "long" | "double" | "boolean" | "bytes" | "object" | "array" | "mixed";

function kindOf(seen: Seen): Kind {
  const { values, texts, numericTexts, booleans, ints, longs, doubles, binary, objects, arrays } = seen;
  if (objects === values) return "object";
  if (arrays === values) return "array";
  if (booleans === values) return "boolean";
  if (texts === values) return "string";
  if (binary > 0 && binary + texts === values) return "bytes";
  // One era writes a number, another its decimal text: numeric columns read both.
  if (ints + longs + doubles + texts !== values || texts !== numericTexts) return "mixed";
  const fractions = doubles > 0 || seen.shapes.has("decimal number");
  return fractions ? "double" : longs > 0 ? "long" : "int";
}

function expressionOf(seen: Seen, argument: string): string {
  if (leavesOf(seen) > LEAVES_AT_MOST) return `json(${argument})`;
  const kind = kindOf(seen);
  const comma = argument === "" ? "" : `, ${argument}`;
  if (kind === "array") {
    const { items } = seen;
    return items && items.values > 0 ? `list(${innerOf(items)}${comma})` : `json(${argument})`;
  }
  if (kind === "object") {
    if (seen.members.size === 0) return `json(${argument})`;
    if (isMap(seen)) return `map(${innerOf(merged(seen.members.values()))}${comma})`;
    return `record(${membersOf(seen)}${comma})`;
  }
  return kind === "mixed" ? `json(${argument})` : `${kind}(${argument})`;
}

/** The items of a list or the values of a map: null and missing ones may come at any time. */
function innerOf(seen: Seen): string {
  return `${expressionOf(seen, "")}.optional()`;
}

function membersOf(seen: Seen): string {
  const names = new Set<string>();
  const members = [...seen.members].filter(([, member]) => member.values > 0);
  const texts = members.map(([key, member]) => {
    const name = nameFor([key], names);
    return `${name}: ${expressionOf(member, name === key ? "" : pathText([key]))}.optional()`;
  });
  return `{ ${texts.join(", ")} }`;
}

function leavesOf(seen: Seen): number {
  if (seen.items) return leavesOf(seen.items);
  if (seen.members.size === 0) return 1;
  if (isMap(seen)) return leavesOf(merged(seen.members.values()));
  let leaves = 0;
  for (const member of seen.members.values()) leaves += leavesOf(member);
  return leaves;
}

/** The last key, with as many before it as make it the only one of its name. */
function nameFor(path: readonly string[], taken: Set<string>): string {
  for (let keys = 1; ; keys++) {
    const words = path.slice(-keys).map((key) => key.replace(/[^A-Za-z0-9_]+/g, "_"));
    const joined = words.map((word, i) => (i === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join("");
    const legal = /^[A-Za-z_]/.test(joined) ? joined : `_${joined}`;
    const name = keys > path.length ? `${legal}${keys}` : legal;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

/** A column's own name needs no path. */
function pathArgument(name: string, path: readonly string[]): string {
  return path.length === 1 && path[0] === name ? "" : pathText(path);
}

function pathText(path: readonly string[]): string {
  return path.some((key) => key.includes(".") || key === "")
    ? `[${path.map((key) => JSON.stringify(key)).join(", ")}]`
    : JSON.stringify(path.join("."));
}

/** Fewer distinct texts than this are worth a word. */
const FEW = 20;

function looksOf(seen: Seen): string {
  const words: string[] = [];
  if (seen.texts > 0) {
    const shapes = [...seen.shapes].sort((a, b) => b[1] - a[1]).slice(0, 3);
    words.push(shapes.map(([shape]) => shape).join(" or "));
    if (shapes.some(([shape]) => shape === "text")) words.push(lengthText(seen));
    if (seen.distinct.size <= FEW && seen.texts > 4 * seen.distinct.size) {
      words.push(seen.distinct.size === 1 ? "always the same" : `${seen.distinct.size} different`);
    }
  }
  if (kindOf(seen) === "mixed") words.push("of several types");
  if (seen.arrays > 0 && seen.items) words.push(`${(seen.items.values / seen.arrays).toFixed(1)} items on average`);
  if (seen.objects > 0 && isMap(seen)) words.push(`${seen.members.size} different keys`);
  return words.join(", ");
}

function lengthText({ shortest, longest }: Seen): string {
  return shortest === longest ? `${longest} characters` : `${shortest} to ${longest} characters`;
}
