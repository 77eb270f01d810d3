// What a column of some files holds, for people: from the footers, and from one pass over the values for how many differ.

import type { ColumnChunk, FileMetaData, SchemaElement } from "hyparquet";
import { type ByteSource, readFooter } from "./footer.ts";
import { readRows } from "./read.ts";

/** One leaf column. Bytes are those of its pages, headers included. */
export interface ColumnSummary {
  /** As in the schema, without the groups that lists and maps are made of: `addons[].id`, `searches.*`. */
  readonly path: string;
  readonly type: string;
  /** Values with null ones; an empty list or map counts as one null. */
  readonly values: number;
  /** Undefined where a writer did not tell. */
  readonly nulls: number | undefined;
  /** An estimate, within some percent. */
  readonly distinct: number;
  /** Of all row groups; undefined where one does not tell. Texts may be cut. */
  readonly min: unknown;
  readonly max: unknown;
  readonly encodings: readonly string[];
  readonly compressed: number;
  readonly uncompressed: number;
}

/** Summaries of the leaf columns, in the order of the schema of the first file; columns of others count by their path. */
export async function summarize(files: readonly ByteSource[]): Promise<ColumnSummary[]> {
  const columns = new Map<string, Gathered>();
  for (const file of files) {
    const footer = await readFooter(file);
    const leaves = leavesOf(footer.schema);
    for (const { columns: chunks } of footer.row_groups) {
      for (const [index, leaf] of leaves.entries()) add(gatheredOf(columns, leaf), chunks[index]!);
    }
    for (const leaf of leaves) gatheredOf(columns, leaf);
    const roots = leaves.map((leaf) => ({ leaf, counter: gatheredOf(columns, leaf).counter }));
    for await (const row of readRows(file)) {
      for (const { leaf, counter } of roots) count(row, leaf.keys, 0, counter);
    }
  }
  return [...columns].map(([path, { counter, encodings, type, ...sums }]) => ({
    path,
    type,
    ...sums,
    distinct: counter.estimate(),
    encodings: [...encodings].sort(),
  }));
}

interface Leaf {
  readonly path: string;
  /** How its values are reached in a row: member names, and ITEMS for each of a list, ENTRIES for each of a map. */
  readonly keys: readonly (string | typeof ITEMS | typeof KEYS | typeof VALUES)[];
  readonly type: string;
}

const ITEMS = Symbol("items");
const KEYS = Symbol("keys");
const VALUES = Symbol("values");

function leavesOf(schema: FileMetaData["schema"]): Leaf[] {
  const leaves: Leaf[] = [];
  let at = 0;
  const visit = (keys: Leaf["keys"], path: string): void => {
    const element = schema[at++]!;
    const children = element.num_children ?? 0;
    if (children === 0) {
      leaves.push({ path, keys, type: typeText(element) });
      return;
    }
    if (element.converted_type === "LIST") {
      at++; // the repeated group
      visit([...keys, ITEMS], `${path}[]`);
    } else if (element.converted_type === "MAP") {
      at++;
      visit([...keys, KEYS], `${path}.* (key)`);
      visit([...keys, VALUES], `${path}.*`);
    } else {
      for (let child = 0; child < children; child++) {
        const { name } = schema[at]!;
        visit([...keys, name], path === "" ? name : `${path}.${name}`);
      }
    }
  };
  visit([], "");
  return leaves;
}

function typeText({ type, logical_type, converted_type }: SchemaElement): string {
  const logical = logical_type?.type ?? converted_type;
  return (logical ?? type ?? "").toLowerCase().replace("byte_array", "bytes").replace("utf8", "string");
}

interface Gathered {
  type: string;
  values: number;
  nulls: number | undefined;
  min: unknown;
  max: unknown;
  compressed: number;
  uncompressed: number;
  readonly encodings: Set<string>;
  readonly counter: DistinctCounter;
  /** Whether `min` and `max` are still of all chunks so far. */
  bounded: boolean;
}

function gatheredOf(columns: Map<string, Gathered>, { path, type }: Leaf): Gathered {
  let gathered = columns.get(path);
  if (gathered === undefined) {
    const sums = { values: 0, nulls: 0, compressed: 0, uncompressed: 0 };
    const bounds = { min: undefined, max: undefined, bounded: true };
    gathered = { type, ...sums, ...bounds, encodings: new Set(), counter: new DistinctCounter() };
    columns.set(path, gathered);
  }
  return gathered;
}

function add(sum: Gathered, { meta_data }: ColumnChunk): void {
  if (meta_data === undefined) return;
  const { num_values, statistics, encodings, total_compressed_size, total_uncompressed_size } = meta_data;
  sum.values += Number(num_values);
  sum.compressed += Number(total_compressed_size);
  sum.uncompressed += Number(total_uncompressed_size);
  for (const encoding of encodings) sum.encodings.add(encoding);
  const nulls = statistics?.null_count;
  sum.nulls = nulls === undefined || sum.nulls === undefined ? undefined : sum.nulls + Number(nulls);
  const [min, max] = [statistics?.min_value ?? statistics?.min, statistics?.max_value ?? statistics?.max];
  if (nulls !== undefined && BigInt(nulls) === BigInt(num_values)) return; // all null: no bounds, and none needed
  if (min === undefined || max === undefined) sum.bounded = false;
  else {
    if (sum.min === undefined || min < (sum.min as typeof min)) sum.min = min;
    if (sum.max === undefined || max > (sum.max as typeof max)) sum.max = max;
  }
  if (!sum.bounded) sum.min = sum.max = undefined;
}

function count(value: unknown, keys: Leaf["keys"], at: number, counter: DistinctCounter): void {
  if (value === null || value === undefined) return;
  const key = keys[at];
  if (key === undefined) counter.add(value);
  else if (key === ITEMS) for (const item of value as unknown[]) count(item, keys, at + 1, counter);
  else if (typeof key === "string") count((value as Record<string, unknown>)[key], keys, at + 1, counter);
  else {
    const all = key === KEYS ? Object.keys(value) : Object.values(value);
    for (const one of all) count(one, keys, at + 1, counter);
  }
}

/** HyperLogLog with 2^12 registers, 1.6 % standard error; exact below 1,000. */
class DistinctCounter {
  readonly #registers = new Uint8Array(4096);
  #exact: Set<bigint> | undefined = new Set();

  add(value: unknown): void {
    const bytes = value instanceof Uint8Array ? value : String(value instanceof Date ? value.toISOString() : value);
    const hash = Bun.hash.xxHash64(bytes);
    if (this.#exact?.add(hash).size === 1000) this.#exact = undefined;
    const register = Number(hash & 4095n);
    const rest = hash >> 12n;
    const rank = rest === 0n ? 53 : 53 - rest.toString(2).length;
    if (rank > this.#registers[register]!) this.#registers[register] = rank;
  }

  estimate(): number {
    if (this.#exact) return this.#exact.size;
    const size = this.#registers.length;
    let sum = 0;
    let empty = 0;
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) empty++;
    }
    const raw = ((0.7213 / (1 + 1.079 / size)) * size * size) / sum;
    return Math.round(raw <= 2.5 * size && empty > 0 ? size * Math.log(size / empty) : raw);
  }
}
