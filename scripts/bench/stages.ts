// Where the CPU time of a task goes: the pipeline in this process, with the calls between its stages counted.
// bun scripts/bench/stages.ts <stream> <in.heka...>: microseconds for each message as JSON, of the best of several passes
import { basename, dirname, resolve } from "node:path";
import { BatchReader } from "../../src/kernel/batch.ts";
import { createKernel } from "../../src/kernel/instance.ts";
import { END } from "../../src/kernel/layout.ts";
import { kernelModule } from "../../src/kernel/module.ts";
import { RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { loadStream } from "../../src/pipeline/load.ts";
import { RecordWriter } from "../../src/pipeline/records.ts";
import { runTask } from "../../src/pipeline/task.ts";
import { openSource } from "../../src/storage/place.ts";

export interface Stages {
  readonly messages: number;
  /** Microseconds of CPU time for each message. */
  readonly stages: readonly { readonly name: string; readonly micros: number }[];
}

const PASSES = 4;

/** CPU microseconds of this process: others on the machine do not count. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Measures a stream on objects of the Heka era in one folder. The least of several passes: the first ones compile. */
export async function measureStages(stream: string, paths: readonly string[]): Promise<Stages> {
  const decode = await least(() => decodeWhole(paths));
  let best: { total: number; spent: Record<string, number>; messages: number } | undefined;
  for (let pass = 0; pass < PASSES; pass++) {
    const one = await profileTask(stream, paths);
    if (best === undefined || one.total < best.total) best = one;
  }
  const { total, spent, messages } = best!;
  const rest = total - Object.values(spent).reduce((sum, micros) => sum + micros, 0);
  const stages = [
    ["into the window", spent.fill!],
    ["frames, Snappy, protobuf, JSON paths", spent.read!],
    ["values into columns", spent.rows!],
    ["encode Parquet", spent.encode!],
    ["read the file, books, collector", rest],
    ["the whole task", total],
    ["for comparison: frames and Snappy of whole messages, nothing else", decode],
  ] as const;
  return { messages, stages: stages.map(([name, micros]) => ({ name, micros: micros / messages })) };
}

async function least(run: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) times.push(await run());
  return Math.min(...times);
}

/** Only decompression: a field that no message has is asked for. */
async function decodeWhole(paths: readonly string[]): Promise<number> {
  const reader = new BatchReader(createKernel((await kernelModule())!), "lazily");
  reader.asks.add(["no such field"], "text", { value: null });
  let micros = 0;
  for (const path of paths) {
    const bytes = await Bun.file(path).bytes();
    const started = cpu();
    reader.begin(0);
    for (let at = 0; at < bytes.length; ) {
      at += reader.fill(bytes.subarray(at));
      do reader.read(at === bytes.length);
      while (reader.count > 0 && reader.ended === END.full);
    }
    micros += cpu() - started;
  }
  reader.close();
  return micros;
}

async function profileTask(stream: string, paths: readonly string[]) {
  const loaded = await loadStream(/\.ts$/.test(stream) ? { path: resolve(stream) } : { builtin: stream });
  const spent = { fill: 0, read: 0, rows: 0, encode: 0 };
  const restore = [
    timed(BatchReader.prototype, "fill", spent, "fill"),
    timed(BatchReader.prototype, "read", spent, "read"),
    timed(RecordWriter.prototype, "takeBatch", spent, "rows"),
    timed(RecordWriter.prototype, "write", spent, "rows"),
    timed(RecordWriter.prototype, "endBatch", spent, "rows"),
    timed(RowGroupBuilder.prototype, "finish", spent, "encode"),
  ];
  const place = { url: `file://${dirname(resolve(paths[0]!))}` };
  const inputs = paths.map((path) => ({ key: basename(path), size: Bun.file(path).size }));
  const task = { stream: { builtin: stream }, place, inputs, codec: "zstd", strict: false } as const;
  const started = cpu();
  const books = await runTask(task, openSource(place), loaded, { rowGroup() {}, message() {}, progress() {} });
  const total = cpu() - started;
  for (const undo of restore) undo();
  return { total, spent, messages: books.reduce((sum, object) => sum + object.frames, 0) };
}

// biome-ignore lint/suspicious/noExplicitAny: any class's methods.
type Methods = any;
/** The stages under way: what an inner one takes does not count for the outer one. */
const inner: number[] = [];

/** Counts the time of a method in `spent[name]`; gives the way back. */
function timed(owner: Methods, method: string, spent: Record<string, number>, name: string): () => void {
  const original = owner[method];
  owner[method] = function (...args: unknown[]) {
    const started = cpu();
    inner.push(0);
    try {
      return original.apply(this, args);
    } finally {
      const taken = cpu() - started;
      spent[name]! += taken - inner.pop()!;
      if (inner.length > 0) inner[inner.length - 1]! += taken;
    }
  };
  return () => {
    owner[method] = original;
  };
}

if (import.meta.main) {
  const [stream, ...paths] = process.argv.slice(2);
  if (stream === undefined || paths.length === 0) throw new Error("Usage: stages.ts <stream> <in.heka…>");
  console.log(JSON.stringify(await measureStages(stream, paths)));
}
