// Rows of Parquet as a table for people.
import { exactJson } from "./json.ts";
import type { Output } from "./output.ts";
import { type Table, table } from "./table.ts";

/** `rows` in the given columns; those that do not fit a terminal are in `hidden`. */
export function rowTable(rows: readonly Record<string, unknown>[], names: readonly string[], output: Output): Table {
  const columns = names.map((name) => ({ name, right: rows.length > 0 && rows.every((row) => isNumber(row[name])) }));
  const cells = rows.map((row) => names.map((name) => cellText(row[name])));
  return table(columns, cells, output.width, output.paint);
}

function isNumber(value: unknown): boolean {
  return value === null || value === undefined || typeof value === "number" || typeof value === "bigint";
}

/** A value as a cell of a table. */
export function cellText(value: unknown): string {
  return typeof value === "string" ? value : exactJson(value).replace(/^"(.*)"$/s, "$1");
}
