// Measures the kernel's columns against those of src/parquet, type by type: bun scripts/bench/columns.ts. A Markdown table of
// nanoseconds a row on stdout: to append values that are there already, and to finish a row group without compression.

import { KernelColumns } from "../../src/kernel/columns.ts";
import { createKernel } from "../../src/kernel/instance.ts";
import { kernelModule } from "../../src/kernel/module.ts";
import { RowAppender } from "../../src/kernel/rows.ts";
import type { Value } from "../../src/parquet/column.ts";
import { RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { type SchemaElement, schemaOf } from "../../src/parquet/schema.ts";
import { TestBatch } from "../../test/kernel/batch.ts";
import { Random } from "../sample/random.ts";
import { buildWebAssembly } from "../webassembly.ts";

const BATCH = 256;
const BATCHES = 64;
const ROUNDS = 9;
const TEXT = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;

const random = new Random(1, "columns");
const pick = (count: number) => random.int(0, count - 1);
const hex = (seed: number) => new Bun.CryptoHasher("md5").update(String(seed)).digest("hex");

interface Case {
  readonly name: string;
  readonly element: Omit<SchemaElement, "name">;
  readonly value: (row: number) => Value | null;
}

const CASES: readonly Case[] = [
  { name: "text, always the same", element: TEXT, value: () => "main" },
  { name: "text, 200 distinct", element: TEXT, value: () => `value ${pick(200)}` },
  {
    name: "text, 200 distinct, a tenth null",
    element: TEXT,
    value: () => (pick(10) === 0 ? null : `value ${pick(200)}`),
  },
  { name: "text, all distinct", element: TEXT, value: hex },
  { name: "int, 50 distinct", element: { type: "INT32" }, value: () => pick(50) },
  { name: "long, all distinct", element: { type: "INT64" }, value: (row) => BigInt(row) * 1_234_567n },
  { name: "double, 100 distinct", element: { type: "DOUBLE" }, value: () => pick(100) / 4 },
  { name: "double, all distinct", element: { type: "DOUBLE" }, value: (row) => row / 7 },
  { name: "float, all distinct", element: { type: "FLOAT" }, value: (row) => Math.fround(row / 7) },
  { name: "boolean", element: { type: "BOOLEAN" }, value: () => pick(2) === 0 },
];

/** Of the whole process, ms: on a busy machine it says more than the clock. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** Medians over some rounds, in ns a row. */
function measure(append: () => void, finish: () => void): { append: number; finish: number } {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = cpu();
    append();
    const appended = cpu();
    finish();
    return { append: appended - start, finish: cpu() - appended };
  });
  const perRow = (part: "append" | "finish") => (median(rounds.map((round) => round[part])) * 1e6) / (BATCH * BATCHES);
  return { append: perRow("append"), finish: perRow("finish") };
}

buildWebAssembly();
const kernel = createKernel((await kernelModule())!);
console.log("| column | append: plain | kernel | finish: plain | kernel |\n|---|---|---|---|---|");
for (const { name, element, value } of CASES) {
  const values = Array.from({ length: BATCH * BATCHES }, (_, row) => value(row));
  const repetition_type = values.includes(null) ? "OPTIONAL" : "REQUIRED";
  const schema = schemaOf([
    { name: "Row", num_children: 1 },
    { name: "x", repetition_type, ...element },
  ]);
  const plain = new RowGroupBuilder(schema, { codec: "none" });
  const ofPlain = measure(
    () => {
      const column = plain.columns[0]!;
      for (const each of values) {
        if (each === null) column.absent(0, 0);
        else column.put(each, 0);
        plain.endRows();
      }
    },
    () => plain.finish(),
  );

  const columns = new KernelColumns(kernel, 1);
  const group = new RowGroupBuilder(schema, { codec: "none" }, columns.columnFor);
  const appenders = Array.from({ length: BATCHES }, (_, i) => {
    const batch = new TestBatch(kernel, group.columns);
    batch.fill(values.slice(i * BATCH, (i + 1) * BATCH).map((each) => [each]));
    const appender = new RowAppender(kernel, group, () => group.finish());
    appender.route(batch.places);
    return { batch, appender };
  });
  const ofKernel = measure(
    () => {
      for (const { batch, appender } of appenders) appender.append({ keep: batch.keep, from: 0, to: BATCH });
    },
    () => group.finish(),
  );
  for (const { batch, appender } of appenders) {
    appender.release();
    batch.release();
  }
  columns.release();
  const [a, b, c, d] = [ofPlain.append, ofKernel.append, ofPlain.finish, ofKernel.finish].map((ns) => ns.toFixed(0));
  console.log(`| ${name} | ${a} | ${b} | ${c} | ${d} |`);
}
