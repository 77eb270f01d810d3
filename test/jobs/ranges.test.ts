// P4, P7: an object that is read in ranges gives what it gives in one piece, wherever it is cut and whoever is done first.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { encodeFrame } from "../../src/heka/writer.ts";
import { deriveTasks } from "../../src/jobs/derive.ts";
import { planPartition, planTasks, type Task } from "../../src/jobs/plan.ts";
import { WorkerPool } from "../../src/jobs/pool.ts";
import { type Job, runJob, runJobs } from "../../src/jobs/run.ts";
import { describeStream, resolveStream } from "../../src/jobs/streams.ts";
import type { ObjectBooks } from "../../src/pipeline/books.ts";
import { type LoadedStream, loadStream } from "../../src/pipeline/load.ts";
import { runRange } from "../../src/pipeline/range.ts";
import { runTasks, type TaskSpec } from "../../src/pipeline/task.ts";
import { folderSource } from "../../src/storage/folder.ts";
import { ping } from "./pings.ts";

let folder = "";
const loaded = new Map<string, LoadedStream>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "derive-ranges-"));
  mkdirSync(join(folder, "raw"));
  const columns =
    'id: string("id"), n: int().from((m) => { const n = m.int("n"); if (n % 7 === 3) throw new Error("x"); return n; })';
  writeFileSync(
    join(folder, "General.ts"),
    `import { defineStream, string, int } from "derive"; export default defineStream({ streamName: "telemetry",
     where: (m) => m.int("n") % 5 !== 1, columns: { ${columns} } });`,
  );
  writeFileSync(
    join(folder, "Plain.ts"),
    `import { defineStream, string, int } from "derive";
     export default defineStream({ streamName: "telemetry", columns: { id: string("id"), n: int("n") } });`,
  );
  for (const name of ["General", "Plain"]) loaded.set(name, await loadStream(resolveStream(`./${name}.ts`, folder)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Pieces of an object: frames, frames in frames, blanks, noise, broken headers, frames that are cut off or hold no message. */
const piece = fc
  .integer({ min: 0, max: 999 })
  .chain((n) =>
    fc.constantFrom(
      ping(n),
      ping(n, undefined, { isCompressed: true }),
      ping(n, Buffer.concat([ping(n + 1000), ping(n + 2000, ping(n + 3000))])),
      Buffer.alloc((n % 90) + 1, " \n"),
      Buffer.from("\x1e\x1e\x05no frame".repeat((n % 9) + 1)),
      ping(n).subarray(5),
      ping(n).subarray(0, -9),
      encodeFrame(new Uint8Array([0x0a, 0xff, n % 256])),
      ping(n),
      ping(n, undefined, { isCompressed: true }),
    ),
  );

interface Derived {
  readonly books: ObjectBooks[];
  readonly rows: number;
  readonly groups: readonly string[];
  readonly faults: string;
}

/** Tasks run one at a time, whichever of those that wait `choose` picks; in this thread, on what is in the folder. */
async function derive(name: string, tasks: readonly Task[], choose: (count: number) => number): Promise<Derived> {
  const stream = loaded.get(name)!;
  const place = join(folder, "raw");
  const source = folderSource(place);
  const waiting: (() => Promise<void>)[] = [];
  let isBusy = false;
  const work = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await waiting.splice(choose(waiting.length), 1)[0]!();
    isBusy = false;
  };
  const answer = async (spec: TaskSpec, onEvent: (event: unknown) => void) => {
    const faults: string[] = [];
    const run = {
      spec,
      stream,
      events: {
        rowGroup: (group: unknown) => onEvent({ kind: "rowGroup", group }),
        message: () => {},
        fault: (fault: unknown) => faults.push(`${JSON.stringify(fault)}\n`),
        progress: (storedBytes: number, messages: number, rows: number) =>
          onEvent({ kind: "progress", storedBytes, messages, rows }),
      },
    };
    const done = spec.range
      ? await runRange([run], spec.range, source)
      : { objects: await runTasks([run], source), ends: undefined };
    onEvent({ kind: "faults", lines: Buffer.from(faults.join("")) });
    return { kind: "done", objects: done.objects[0]!, range: done.ends };
  };
  const pool = {
    ask: (request: { task: TaskSpec }, onEvent: (event: unknown) => void) =>
      new Promise((resolve, reject) => {
        waiting.push(() => answer(request.task, onEvent).then(resolve, reject));
        if (!isBusy) void work();
        isBusy = true;
      }),
  } as unknown as Pick<WorkerPool, "ask">;
  const groups: string[] = [];
  const faults = new Map<number, string>();
  const told = [0, 0, 0];
  let rows = 0;
  const spec = { stream: resolveStream(`./${name}.ts`, folder), place, codec: "none", strict: false } as const;
  const books = await deriveTasks(tasks, spec, pool, 2, {
    async write(group) {
      groups.push(Bun.hash(group.bytes).toString());
      rows += group.rows;
    },
    progress(...more) {
      for (const [index, one] of more.entries()) told[index]! += one;
    },
    faults: (task, lines) => faults.set(task, (faults.get(task) ?? "") + Buffer.from(lines)),
    anew: (task) => faults.delete(task),
  });
  const { storedBytes, decoded, written } = books[0]!;
  expect(told).toEqual([storedBytes, decoded, written]);
  expect(rows).toBe(written);
  const all = [...faults].sort(([a], [b]) => a - b).map(([, lines]) => lines);
  return { books, rows, groups, faults: all.join("") };
}

const first = () => 0;

test("P4, P6, P7: any object, cut anywhere, in any order: the books and faults of the whole, the same row groups", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom("General", "Plain"),
      fc.infiniteStream(fc.nat(1000)),
      fc.constantFrom(false, false, false, true),
      async (pieces, parts, name, picks, isGzip) => {
        const raw = Buffer.concat(pieces);
        const bytes = isGzip ? gzipSync(raw) : raw;
        writeFileSync(join(folder, "raw/object"), bytes);
        const object = { key: "object", size: bytes.length };
        const tasks = planTasks([object], { taskBytes: Math.ceil(bytes.length / parts) });
        const whole = await derive(name, planTasks([object]), first);
        const inOrder = await derive(name, tasks, first);
        const inAnyOrder = await derive(name, tasks, (count) => picks.next().value % count);
        expect(inOrder.books).toEqual(whole.books);
        expect(inOrder.faults).toBe(whole.faults);
        expect(inAnyOrder).toEqual(inOrder);
      },
    ),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 25) },
  );
});

describe("a cut", () => {
  const cutAt = async (pieces: readonly Uint8Array[], cut: number) => {
    const bytes = Buffer.concat(pieces);
    writeFileSync(join(folder, "raw/object"), bytes);
    const object = { key: "object", size: bytes.length };
    const ranges = [
      { start: 0, end: cut },
      { start: cut, end: bytes.length },
    ];
    const whole = await derive("Plain", planTasks([object]), first);
    const cutUp = await derive(
      "Plain",
      ranges.map((range, index) => ({ index, inputs: [object], range })),
      (count) => count - 1,
    );
    expect(cutUp.books).toEqual(whole.books);
    expect(cutUp.faults).toBe(whole.faults);
    return cutUp;
  };

  test("P6 at each byte of frames, blanks, damage, and frames that hold frames", async () => {
    const holding = ping(1, Buffer.concat([ping(2), ping(3)]));
    const pieces = [ping(0), holding, Buffer.from(" \r\n\t"), Buffer.from("\x1e\x04damage"), ping(4), holding];
    const { length } = Buffer.concat(pieces);
    for (let cut = 1; cut < length; cut += 11) {
      expect((await cutAt(pieces, cut)).books[0]).toMatchObject({ frames: 4, damagedRanges: 1, bytesBlank: 4 });
    }
  });
});

test("an object that changes while its ranges are read is an input error", async () => {
  const bytes = Buffer.concat(Array.from({ length: 50 }, (_, n) => ping(n)));
  writeFileSync(join(folder, "raw/object"), bytes);
  const tasks = planTasks([{ key: "object", size: bytes.length }], { taskBytes: 2000 });
  let asked = 0;
  const derived = derive("Plain", tasks, () => {
    if (++asked === 3) appendFileSync(join(folder, "raw/object"), ping(50));
    return 0;
  });
  expect(derived).rejects.toThrow(/Cannot use .*raw\/object: it changed while it was read/);
  await derived.catch(() => {});
});

describe("on worker threads", () => {
  const watcher = { signal: new AbortController().signal, progress: () => {} };
  const list = (path: string) => readdirSync(join(folder, path), { recursive: true }).map(String).sort();

  async function job(name: string, output: string, tasks: readonly Task[], changes: Partial<Job>): Promise<Job> {
    const stream = resolveStream(`./${name}.ts`, folder);
    const partition = { ...planPartition("", [...new Set(tasks.flatMap(({ inputs }) => inputs))]), tasks };
    return {
      stream,
      facts: await describeStream(stream),
      place: join(folder, "raw"),
      partitions: [partition],
      target: { kind: "dataset", place: join(folder, output), root: name },
      only: [],
      partitionBy: [],
      codec: "zstd",
      maxPartBytes: 1 << 28,
      maxErrors: { count: 1e6, fraction: 1 },
      onChange: "fail",
      forceUnlock: false,
      strict: false,
      workers: 2,
      ...changes,
    };
  }

  test("P4 the same files for any number of workers, also of several streams and of the quarantine", async () => {
    const frames = Array.from({ length: 400 }, (_, n) =>
      n % 50 === 17
        ? Buffer.from("\x1enoise")
        : ping(n, n % 40 === 0 ? ping(n + 1) : undefined, { isCompressed: n % 3 === 0 }),
    );
    const size = Buffer.concat(frames).length;
    writeFileSync(join(folder, "raw/big"), Buffer.concat(frames));
    const objects = [{ key: "big", size }];
    const tasks = planTasks(objects, { taskBytes: size / 6 });
    expect(tasks.length).toBe(6);
    for (const workers of [1, 2, 5]) {
      const quarantine = { url: join(folder, `q${workers}`) };
      const results = await runJob(await job("General", `w${workers}`, tasks, { workers, quarantine }), watcher);
      expect(results[0]).toMatchObject({
        state: "written",
        books: { objects: 1, storedBytes: size, damagedRanges: 8 },
      });
    }
    await runJob(
      await job("General", "whole", planTasks(objects), { quarantine: { url: join(folder, "q-whole") } }),
      watcher,
    );
    const jobs = [await job("General", "several", tasks, {}), await job("Plain", "several", tasks, {})];
    const pool = new WorkerPool(2);
    for (const [one] of await runJobs(jobs, pool, watcher)) expect(one!.error).toBeUndefined();
    pool.close();
    for (const [one, other] of [
      ["w1", "w2"],
      ["w1", "w5"],
      ["w1/General", "several/General"],
      ["q1", "q2"],
      ["q1", "q5"],
      ["q1", "q-whole"],
    ] as const) {
      expect(list(other)).toEqual(list(one));
      for (const file of list(one).filter((name) => /\.\w+$|_SUCCESS/.test(name)))
        expect(readFileSync(join(folder, other, file))).toEqual(readFileSync(join(folder, one, file)));
    }
    const inputs = (output: string) =>
      JSON.parse(readFileSync(join(folder, output, "General/_SUCCESS"), "utf8")).generations[0].inputs;
    expect(inputs("w1")).toEqual(inputs("whole"));
  });
});
