// The words that follow a column: each gives a new column with one more thing said, and refuses what cannot be meant.

import { UsageError, ValueError } from "../errors.ts";
import type { Path } from "../heka/message-view.ts";
import {
  type Columns,
  type Definition,
  definitionOf,
  type Kind,
  type Missing,
  type RequiredColumn,
  type Source,
} from "./column.ts";

/** A column of which nothing but its type and path is said yet. */
// biome-ignore lint/suspicious/noExplicitAny: the builders in columns.ts say which types a kind stands for.
export function chain(kind: Kind, path?: Path): RequiredColumn<any, any> {
  if (path !== undefined) checkPath(path);
  return new Chain({ kind, path, changes: [], missing: { means: "fail" } });
}

class Chain {
  readonly [definitionOf]: Definition;

  constructor(definition: Definition) {
    this[definitionOf] = definition;
  }

  map(change: unknown): Chain {
    const definition = this[definitionOf];
    checkFunction(change, ".map((value) => …)");
    return new Chain({ ...definition, changes: [...definition.changes, change] });
  }

  from(first: unknown, second?: unknown): Chain {
    const definition = this[definitionOf];
    if (definition.source !== undefined) throw misuse("use .from() twice: a column has one source");
    if (definition.path !== undefined) {
      throw misuse(
        "use .from() on a column with a path: give either the path or .from(), or put the path's column among the inputs",
      );
    }
    return new Chain({ ...definition, source: sourceOf(first, second) });
  }

  default(value: unknown): Chain {
    const { kind } = this[definitionOf];
    if (value === null || value === undefined)
      throw misuse(`use .default(${value}): for null where the value is missing write .optional()`);
    return this.#settle({ means: "default", value: acceptDefault(kind, value) }, ".default()");
  }

  optional(): Chain {
    return this.#settle({ means: "null" }, ".optional()");
  }

  orSkip(): Chain {
    return this.#settle({ means: "skip" }, ".orSkip()");
  }

  #settle(missing: Missing, word: string): Chain {
    const definition = this[definitionOf];
    if (definition.missing.means !== "fail") {
      throw misuse(
        `use ${word} on a column that has .default(), .optional() or .orSkip() already: say one of them, once`,
      );
    }
    return new Chain({ ...definition, missing });
  }
}

function sourceOf(first: unknown, second: unknown): Source {
  if (typeof first === "function" && second === undefined) return { compute: first as Source["compute"] } as Source;
  checkFunction(second, ".from({ name: column }, ({ name }) => …) or .from((message) => …)");
  checkColumns(first, ".from()");
  return { inputs: first, compute: second };
}

function acceptDefault(kind: Kind, value: unknown): unknown {
  try {
    return kind.accept(value, "it");
  } catch (error) {
    if (error instanceof ValueError) throw misuse(`use the value in .default(): ${error.message}`);
    throw error;
  }
}

/** Checks that `columns` is an object of columns under names that Avro allows. `of` says whose, for the error. */
export function checkColumns(columns: unknown, of: string): asserts columns is Columns {
  if (typeof columns !== "object" || columns === null || Array.isArray(columns)) {
    throw misuse(`use the columns of ${of}: write them as { name: column, … }`);
  }
  const entries = Object.entries(columns);
  if (entries.length === 0) throw misuse(`use the columns of ${of}: there are none`);
  for (const [name, column] of entries) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name === "__proto__") {
      throw misuse(
        `use the column name ${JSON.stringify(name)} in ${of}: names are letters, digits and _, with no digit first`,
      );
    }
    checkColumn(column, `column ${name} of ${of}`);
  }
}

/** Checks that `column` is one. `what` names it in the error. */
export function checkColumn(column: unknown, what: string): void {
  if (!(column instanceof Chain)) {
    throw misuse(`use ${what}: it is no column. Write string(), int(), list(…) or another from "derive"`);
  }
}

function checkPath(path: unknown): void {
  const isPath = typeof path === "string" || (Array.isArray(path) && path.every((part) => typeof part === "string"));
  if (!isPath) throw misuse('use that path: write "a.b", or ["a", "b"] where a key itself has dots');
  if (path === "") throw misuse('use the path "": leave it out for the name of the column');
}

function checkFunction(value: unknown, usage: string): asserts value is (argument: unknown) => unknown {
  if (typeof value !== "function") throw misuse(`use that column: write ${usage}`);
}

function misuse(what: string): UsageError {
  return new UsageError(`Cannot ${what}`);
}
