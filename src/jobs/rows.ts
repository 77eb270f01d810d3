// Which row is whose: from a part's row to the raw object that it was made from and back. Nothing is stored for it: a
// generation's rows are those of its inputs, in their order, and so are those of its parts.

import type { Generation, InputRows, Manifest } from "./manifest.ts";
import type { PartFacts } from "./result.ts";

/** A row of a raw object, in its generation. Rows are counted from 0. */
export interface RowOfInput {
  readonly generation: Generation;
  readonly input: InputRows;
  readonly row: number;
}

export interface RowOfPart {
  readonly part: PartFacts;
  readonly row: number;
}

/** The raw object behind a row of the part with this key, which the manifest lists; undefined where it has fewer rows. */
export function inputOfRow({ generations }: Manifest, key: string, row: number): RowOfInput | undefined {
  const generation = generations.find(({ parts }) => parts.some((part) => part.key === key));
  const index = generation?.parts.findIndex((part) => part.key === key) ?? -1;
  if (!generation || row >= generation.parts[index]!.rows) return undefined;
  const found = after(generation.inputs, rowsBefore(generation.parts, index) + row);
  return found && { generation, input: found.one, row: found.row };
}

/** The part that holds a row of the raw object with this key. */
export function partOfRow({ generations }: Manifest, key: string, row: number): RowOfPart | undefined {
  const generation = generations.find(({ inputs }) => inputs.some((input) => input.key === key));
  if (!generation) return undefined;
  const index = generation.inputs.findIndex((input) => input.key === key);
  const found = after(generation.parts, rowsBefore(generation.inputs, index) + row);
  return found && { part: found.one, row: found.row };
}

function rowsBefore(list: readonly { readonly rows: number }[], index: number): number {
  return list.slice(0, index).reduce((sum, { rows }) => sum + rows, 0);
}

/** The one of `list` that holds a row of all of them, and the row in it. */
function after<T extends { readonly rows: number }>(
  list: readonly T[],
  row: number,
): { one: T; row: number } | undefined {
  let rest = row;
  for (const one of list) {
    if (rest < one.rows) return { one, row: rest };
    rest -= one.rows;
  }
  return undefined;
}
