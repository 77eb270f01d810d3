// For the tests: the same file through three readers (hyparquet, DuckDB, arrow-rs), their values in one common form.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { tableFromIPC } from "apache-arrow";
import { readParquet } from "parquet-wasm";
import { type Node, parseSchema, type RecordNode } from "../../src/avro/schema.ts";
import { Instant, readRows } from "../../src/parquet/read.ts";

type Row = Record<string, unknown>;

export const READERS: { readonly [name: string]: (file: Uint8Array<ArrayBuffer>) => Promise<Row[]> } = {
  hyparquet: async (file) => await Array.fromAsync(readRows(file.buffer)),
  duckdb: async (file) => (await duck("SELECT * FROM read_parquet($file)", file)) as Row[],
  "arrow-rs": async (file) => [...tableFromIPC(readParquet(file).intoIPCStream())].map((row) => row?.toJSON() as Row),
};

let connection: Promise<DuckDBConnection> | undefined;

/** Runs SQL over a file, which it calls `$file`. */
export async function duck(sql: string, file: Uint8Array): Promise<Row[]> {
  connection ??= DuckDBInstance.create(":memory:").then((instance) => instance.connect());
  const folder = mkdtempSync(join(tmpdir(), "derive-parquet-"));
  try {
    const path = join(folder, "part.parquet");
    await Bun.write(path, file);
    return (await (await connection).runAndReadAll(sql.replace("$file", `'${path}'`))).getRowObjects() as Row[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rows in the common form: see `plain`. */
export async function readWith(reader: string, literal: unknown, file: Uint8Array<ArrayBuffer>): Promise<unknown[]> {
  const { root } = parseSchema(literal);
  return (await READERS[reader]!(file)).map((row) => plain(root, row));
}

/**
 * long, times and timestamps are bigints in their unit (time-millis a number), dates days, decimals unscaled bigints,
 * bytes hex, maps entries sorted by key, a union of several { member0, member1, … }.
 */
// biome-ignore lint/suspicious/noExplicitAny: each reader has classes of its own for the same value
function plain(node: Node, value: any): unknown {
  if (value === null || value === undefined) return null;
  switch (node.kind) {
    case "record":
      return plainRecord(node, fieldsOf(value));
    case "array":
      return [...(value.items ?? value)].map((item) => plain(node.items, item));
    case "map":
      return entriesOf(value)
        .map(([key, inner]) => [key, plain(node.values, inner)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1));
    case "union": {
      if (node.branches.length === 1) return plain(node.branches[0]!, value);
      const members = fieldsOf(value);
      return Object.fromEntries(node.branches.map((branch, i) => [`member${i}`, plain(branch, members[`member${i}`])]));
    }
    case "bytes":
    case "fixed":
      return Buffer.from(value.bytes ?? value).toString("hex");
    case "decimal":
      if (typeof value === "number") return BigInt(Math.round(value * 10 ** node.scale));
      if (typeof value.value === "bigint") return value.value;
      return BigInt.asIntN(
        128,
        [...value].reduceRight((sum: bigint, word: number) => (sum << 32n) | BigInt(word), 0n),
      );
    case "long":
      return node.logical === undefined ? BigInt(value) : plainTime(node.logical, value);
    case "int":
      return node.logical === undefined ? value : plainTime(node.logical, value);
    default:
      return value;
  }
}

function plainRecord(node: RecordNode, fields: Row): Row {
  const present = node.fields.filter((field) => field.type.kind !== "null");
  return Object.fromEntries(present.map((field) => [field.name, plain(field.type, fields[field.name])]));
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function plainTime(logical: string, value: any): unknown {
  if (logical === "date") return value.days ?? Number(value) / 86_400_000;
  if (logical === "time-millis") return value.micros === undefined ? value : Number(value.micros) / 1000;
  if (logical === "time-micros") return value.micros ?? value;
  if (typeof value === "bigint") return value;
  if (value instanceof Instant) return value.units;
  const micros = value.micros ?? (value.millis === undefined ? undefined : value.millis * 1000n);
  const unit = logical.endsWith("-millis") ? 1 : 1000;
  if (micros !== undefined) return unit === 1 ? micros / 1000n : micros;
  return BigInt(Math.round(Number(value) * unit));
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function fieldsOf(value: any): Row {
  return value.entries ?? value.toJSON?.() ?? value;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function entriesOf(value: any): [string, unknown][] {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  if (Array.isArray(value.entries)) return value.entries.map((entry: any) => [entry.key, entry.value]);
  return Symbol.iterator in value ? [...value] : Object.entries(value);
}
