// Jobs on worker threads: the same bytes for any number of workers, one failing partition, what is committed when.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BudgetError, ConflictError, InputError, UsageError } from "../../src/errors.ts";
import { framePing } from "../../src/heka/ping.ts";
import { type Partition, planPartition } from "../../src/jobs/plan.ts";
import { type Job, runJob } from "../../src/jobs/run.ts";
import { describeStream, resolveStream } from "../../src/jobs/streams.ts";

let folder = "";
const objects: { key: string; size: number }[] = [];

const STREAM = `
import { defineStream, string, double, int } from "derive";
export default defineStream({
  streamName: "telemetry",
  columns: {
    id: string("documentId"),
    country: string("geoCountry").default("??"),
    n: int().from((message) => { const n = message.int("n"); if (n === 13) throw new TypeError("secret"); return n; }),
  },
});`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "derive-run-"));
  mkdirSync(join(folder, "raw"));
  writeFileSync(join(folder, "S.ts"), STREAM);
  for (let i = 0; i < 12; i++) {
    const frames: Uint8Array[] = [];
    for (let j = 0; j < 20; j++) {
      const ping = { id: `${i}-${j}`, type: "main", n: i * 20 + j + 100 };
      frames.push(framePing(ping, { geoCountry: ["DE", "FR", null][j % 3] }, j % 2 === 0 ? "heka" : "hindsight"));
    }
    const bytes = Buffer.concat(frames);
    const key = `o${String(i).padStart(2, "0")}`;
    writeFileSync(join(folder, "raw", key), bytes);
    objects.push({ key, size: bytes.length });
  }
  writeFileSync(join(folder, "raw", "bad"), framePing({ id: "bad", type: "main", n: 13 }, {}, "heka"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One task for each object: so many are cut only from large partitions otherwise. */
function partition(path: string, keys = objects): Partition {
  const tasks = keys.map((object, index) => ({ index, inputs: [object] }));
  return { ...planPartition(path, keys), tasks };
}

async function job(output: string, changes: Partial<Job> = {}): Promise<Job> {
  const stream = resolveStream("./S.ts", folder);
  return {
    stream,
    facts: await describeStream(stream),
    place: join(folder, "raw"),
    partitions: [partition("")],
    target: { kind: "dataset", place: join(folder, output), root: "s/v1" },
    only: [],
    partitionBy: [],
    codec: "zstd",
    maxPartBytes: 1 << 28,
    maxErrors: { count: 0, fraction: 0 },
    onChange: "fail",
    forceUnlock: false,
    strict: false,
    workers: 2,
    ...changes,
  };
}

const watcher = { signal: new AbortController().signal, progress: () => {} };
const run = async (output: string, changes: Partial<Job> = {}) => runJob(await job(output, changes), watcher);

const list = (path: string) => readdirSync(join(folder, path), { recursive: true }).map(String).sort();
const read = (path: string) => readFileSync(join(folder, path));

describe("P4 the bytes do not depend on the number of workers", () => {
  test("one part", async () => {
    for (const workers of [1, 2, 5])
      expect((await run(`w${workers}`, { workers }))[0]).toMatchObject({ state: "written" });
    for (const workers of [2, 5]) {
      expect(list(`w${workers}`)).toEqual(list("w1"));
      expect(read(`w${workers}/s/v1/part-0-00000.zstd.parquet`)).toEqual(read("w1/s/v1/part-0-00000.zstd.parquet"));
      expect(read(`w${workers}/s/v1/_SUCCESS`)).toEqual(read("w1/s/v1/_SUCCESS"));
    }
  });

  test("several parts: cut between row groups", async () => {
    const results = [];
    for (const workers of [1, 3]) results.push((await run(`p${workers}`, { workers, maxPartBytes: 700 }))[0]!);
    expect(results[0]!.parts.length).toBeGreaterThan(3);
    expect(results[1]!.parts).toEqual(results[0]!.parts);
    expect(results[0]!.parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(240);
  });
});

test("one partition that fails does not stop the others, and leaves nothing", async () => {
  const bad = { key: "bad", size: read("raw/bad").length };
  const partitions = [
    partition("d=1"),
    partition("d=2", [bad]),
    partition("d=3", [{ key: "gone", size: 1 }]),
    partition("d=4"),
  ];
  const results = await run("several", { partitions });
  expect(results.map(({ state }) => state)).toEqual(["written", "failed", "failed", "written"]);
  expect(results[1]!.error).toBeInstanceOf(BudgetError);
  expect(results[1]!.books.failures).toEqual({ "TypeError at S.ts:8": 1 });
  expect(results[2]!.error).toBeInstanceOf(InputError);
  expect(results[2]!.error!.message).toContain("raw/gone");
  expect(readdirSync(join(folder, "several/s/v1")).sort()).toEqual(["d=1", "d=4"]);
});

test("P2 a second run writes nothing; other inputs are a conflict; replace replaces", async () => {
  expect((await run("twice"))[0]!.state).toBe("written");
  const before = read("twice/s/v1/_SUCCESS");
  expect((await run("twice"))[0]).toMatchObject({ state: "unchanged", error: undefined });
  expect(read("twice/s/v1/_SUCCESS")).toEqual(before);

  const fewer = [partition("", objects.slice(0, 3))];
  const [conflict] = await run("twice", { partitions: fewer });
  expect(conflict).toMatchObject({ state: "failed" });
  expect(conflict!.error).toBeInstanceOf(ConflictError);
  expect(read("twice/s/v1/_SUCCESS")).toEqual(before);

  const [replaced] = await run("twice", { partitions: fewer, onChange: "replace" });
  expect(replaced).toMatchObject({ state: "replaced" });
  expect(replaced!.parts.map(({ rows }) => rows)).toEqual([60]);
  expect((await run("twice", { codec: "gzip", partitions: fewer }))[0]!.error).toBeInstanceOf(ConflictError);
});

test("a part that was removed by hand is made again", async () => {
  const [first] = await run("repair");
  rmSync(join(folder, "repair/s/v1/part-0-00000.zstd.parquet"));
  expect((await run("repair"))[0]!.parts).toEqual(first!.parts);
});

test("P7 _SUCCESS tells the rows of each input", async () => {
  await run("rows");
  const [generation] = JSON.parse(read("rows/s/v1/_SUCCESS").toString()).generations;
  expect(generation.inputs.map(({ key, rows }: { key: string; rows: number }) => [key, rows])).toEqual(
    objects.map(({ key }) => [key, 20]),
  );
  expect(generation.counts).toMatchObject({ objects: 12, decoded: 240, written: 240, failed: 0 });
});

describe("one file", () => {
  const target = (name: string) => ({ kind: "file", place: folder, key: name }) as const;

  test("is written, found unchanged, refused, replaced", async () => {
    expect((await run("", { target: target("x.parquet") }))[0]!.state).toBe("written");
    expect((await run("", { target: target("x.parquet") }))[0]!.state).toBe("unchanged");
    const fewer = [partition("", objects.slice(0, 2))];
    const [refused] = await run("", { target: target("x.parquet"), partitions: fewer });
    expect(refused!.error).toBeInstanceOf(ConflictError);
    const [replaced] = await run("", { target: target("x.parquet"), partitions: fewer, onChange: "replace" });
    expect(replaced).toMatchObject({ state: "replaced", parts: [{ rows: 40 }] });
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

test("an interrupted run commits nothing and says so", async () => {
  const abort = new AbortController();
  const results = runJob(await job("interrupted"), {
    signal: abort.signal,
    progress: () => abort.abort(),
  });
  expect((await results)[0]).toMatchObject({ state: "failed" });
  expect((await results)[0]!.error!.name).toBe("InterruptedError");
  expect(readdirSync(folder)).not.toContain("interrupted");
});

describe("a stream's file that is no stream", () => {
  test.each([
    ["Syntax.ts", "export default {;;", /Cannot load stream .*Syntax\.ts:1:\d+/],
    ["Import.ts", 'import "./nowhere";\nexport default 1;', /Cannot load stream .*nowhere/],
    ["Throws.ts", "\n\nthrow new Error('at the top');", /at the top \(at Throws\.ts:3\)/],
    ["Default.ts", "export default {};", /default export is not one/],
    [
      "Schema.ts",
      'import { defineStream } from "derive";\nexport default defineStream({ streamName: "t", buildSchema: () => ({ type: "record", name: "R", fields: [{ name: "a", type: "nope" }] } as any), buildRecord: () => ({}) as any });',
      /Cannot use stream Schema: .*fields\.a/,
    ],
    ["Exits.ts", "process.exit(3);", /it ended its thread/],
  ])("%s", async (name, text, message) => {
    writeFileSync(join(folder, name), text);
    const described = describeStream(resolveStream(`./${name}`, folder));
    await expect(described).rejects.toThrow(message);
    await expect(describeStream(resolveStream(`./${name}`, folder))).rejects.toThrow(UsageError);
  });

  test("a name that is nearly right", () => {
    expect(() => resolveStream("ExampleSteam", folder)).toThrow(/Did you mean ExampleStream\?/);
    expect(() => resolveStream("./T.ts", folder)).toThrow(/no file/);
  });
});
