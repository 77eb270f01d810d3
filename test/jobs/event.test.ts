// P5: one raw object gives one event part, and batch takes its place. On folders, through the same calls as Lambda's; the order
// of steps under faults and kills is in event-simulation.test.ts.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BudgetError, ConflictError, InterruptedError, UsageError } from "../../src/errors.ts";
import { framePing } from "../../src/heka/ping.ts";
import { deriveEvent, type EventJob } from "../../src/jobs/event.ts";
import { runEvent } from "../../src/jobs/event-run.ts";
import { eventName } from "../../src/jobs/layout.ts";
import type { Dataset } from "../../src/jobs/metadata.ts";
import { planBatch } from "../../src/jobs/plan.ts";
import { WorkerPool } from "../../src/jobs/pool.ts";
import { runJob } from "../../src/jobs/run.ts";
import { describeStream, resolveStream, type StreamFacts, type StreamRef } from "../../src/jobs/streams.ts";
import { verifyPlace } from "../../src/jobs/verify.ts";
import { readFooter, readRows } from "../../src/parquet/read.ts";
import { emptyBooks } from "../../src/pipeline/books.ts";
import { folderSource } from "../../src/storage/folder.ts";
import { memoryPlace } from "../../src/storage/memory.ts";
import { FORMAT, group } from "./text-parts.ts";

const STREAM = `
import { defineStream, string, int } from "derive";
export default defineStream({
  streamName: "telemetry",
  dimensions: { docType: ["main"] },
  where: (message) => message.int("n") > 0,
  columns: {
    id: string("documentId"),
    n: int().from((message) => { const n = message.int("n"); if (n === 13) throw new TypeError("secret"); return n; }),
  },
});`;

const DATASET: Dataset = {
  name: "telemetry",
  bucket: "as-sources-json-says",
  prefix: "raw-2",
  dimensions: [
    { name: "submissionDate", allowed: "*" },
    { name: "docType", allowed: "*" },
  ],
};
const DAY = "s/v1/submission_date_s3=20151028";
const BUCKET = "the-events-own";

let folder = "";
let stream: StreamRef;
let facts: StreamFacts;
const pool = new WorkerPool(4);
const { signal } = new AbortController();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "derive-event-"));
  writeFileSync(join(folder, "S.ts"), STREAM);
  stream = resolveStream("./S.ts", folder);
  facts = await describeStream(stream);
});
beforeEach(() => {
  for (const name of ["raw", "out"]) rmSync(join(folder, name), { recursive: true, force: true });
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

const keyOf = (name: string, docType = "main") => `raw-2/20151028/${docType}/${name}`;

/** Lays a raw object of these numbers, one message each. */
function lay(name: string, ...numbers: number[]): string {
  const key = keyOf(name);
  const path = join(folder, "raw", key);
  mkdirSync(dirname(path), { recursive: true });
  const frames = numbers.map((n) => framePing({ id: `${name}-${n}`, type: "main", n }, {}, "heka"));
  writeFileSync(path, Buffer.concat(frames));
  return key;
}

const job = (changes: Partial<EventJob> = {}): EventJob => ({
  stream,
  facts,
  dataset: DATASET,
  output: { url: join(folder, "out") },
  input: { url: join(folder, "raw") },
  only: [],
  codec: "zstd",
  maxErrors: { count: 0, fraction: 0 },
  strict: false,
  ...changes,
});
const event = (key: string, changes: Partial<EventJob> = {}) =>
  deriveEvent(job(changes), { bucket: BUCKET, key }, pool, signal);

async function batch(onChange: "fail" | "append" | "replace" = "fail") {
  const place = join(folder, "raw");
  const { partitions } = await planBatch(folderSource(place), DATASET, {
    days: ["20151028"],
    filters: [facts.dimensions],
  });
  const target = { kind: "dataset", place: join(folder, "out"), root: "s/v1" } as const;
  const { codec, maxErrors, strict } = job();
  const options = { codec, maxErrors, strict, maxPartBytes: 1 << 28, onChange, forceUnlock: false, workers: 1 };
  const [result] = await runJob(
    { stream, facts, place, partitions, target, only: [], partitionBy: ["submissionDate"], ...options },
    { signal, progress: () => {} },
  );
  return result!;
}

const list = () => {
  try {
    return readdirSync(join(folder, "out", DAY)).sort();
  } catch {
    return [];
  }
};
const urlOf = (name: string) => Bun.pathToFileURL(join(folder, "out", DAY, name)).href;
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(folder, "out", DAY, name)));
const fileOf = (name: string) => {
  const bytes = bytesOf(name);
  return {
    byteLength: bytes.length,
    slice: (start: number, end?: number) => bytes.slice(start, end).buffer as ArrayBuffer,
  };
};

/** The rows that a reader of the whole folder sees. */
async function rows(): Promise<string[]> {
  const found: string[] = [];
  for (const name of list().filter((name) => name.endsWith(".parquet"))) {
    for await (const row of readRows(fileOf(name))) found.push(String(row.id));
  }
  return found.sort();
}

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

function nameOf(key: string): string {
  const hash = new Bun.CryptoHasher("sha256").update(`${BUCKET}/${key}`).digest("hex");
  return `event-${hash.slice(0, 16)}.zstd.parquet`;
}

describe("P5: one raw object, one part", () => {
  test("at a key made of the object's own, with its rows, naming the object", async () => {
    const key = lay("a", 1, 2, 0);
    const { state, url, part, books } = await event(key);
    expect({ state, url, part }).toMatchObject({
      state: "written",
      url: Bun.pathToFileURL(join(folder, "raw", key)).href,
      part: { key: `${DAY}/${nameOf(key)}`, rows: 2 },
    });
    expect(books).toMatchObject({ objects: 1, frames: 3, written: 2, filtered: 1, failed: 0 });
    expect(list()).toEqual([nameOf(key)]);
    expect(await rows()).toEqual(["a-1", "a-2"]);
    const { key_value_metadata = [] } = await readFooter(fileOf(nameOf(key)));
    const said = Object.fromEntries(key_value_metadata.map(({ key, value }) => [key, value]));
    expect(said).toMatchObject({
      "derive.stream": "S",
      "derive.raw.bucket": BUCKET,
      "derive.raw.key": key,
      "derive.raw.etag": expect.stringMatching(/^xxh3:[0-9a-f]{16}$/),
    });
  });

  test("without rows too; again and ten times at once it is the same one", async () => {
    const key = lay("a", 0);
    const ends = await Promise.all(Array.from({ length: 10 }, () => event(key)));
    expect(ends.filter(({ state }) => state === "written").length).toBe(1);
    expect(ends.filter(({ state }) => state === "unchanged").length).toBe(9);
    expect(list()).toEqual([nameOf(key)]);
    const bytes = bytesOf(nameOf(key));
    expect((await event(key)).state).toBe("unchanged");
    rmSync(join(folder, "out"), { recursive: true });
    expect((await event(key)).state).toBe("written");
    expect(bytesOf(nameOf(key))).toEqual(bytes); // P4
    expect(await rows()).toEqual([]);
  });

  test("the newest version wins, whichever event comes last", async () => {
    const key = lay("a", 1);
    await event(key);
    lay("a", 2, 3);
    expect((await event(key)).state).toBe("written");
    expect((await event(key)).state).toBe("unchanged");
    expect(await rows()).toEqual(["a-2", "a-3"]);
  });

  test("an object that is gone is a result; what was made from it stays", async () => {
    const key = lay("a", 1);
    await event(key);
    rmSync(join(folder, "raw", key));
    expect(await event(key)).toMatchObject({ state: "gone" });
    expect(await rows()).toEqual(["a-1"]);
    expect(await event(keyOf("never"))).toMatchObject({ state: "gone" });
  });

  test("what the stream or --only does not ask for is left out", async () => {
    expect((await event(keyOf("a", "crash"))).state).toBe("left out");
    expect((await event(lay("a", 1), { only: [{ submissionDate: ["20151029"] }] })).state).toBe("left out");
    expect((await event("raw-2/20151028/")).state).toBe("left out");
    expect(list()).toEqual([]);
  });

  test("a key that is none of the dataset's is an error that says so", async () => {
    const outside = await failure(event("raw-3/20151028/main/a"));
    expect(outside).toBeInstanceOf(UsageError);
    expect(outside.message).toContain("its key does not begin with raw-2/, the prefix of dataset telemetry");
    const short = await failure(event("raw-2/20151028/a"));
    expect(short).toBeInstanceOf(UsageError);
    expect(short.message).toContain("raw-2/<submissionDate>/<docType>/<object>");
    expect(await failure(event(keyOf(".DS_Store")))).toBeInstanceOf(UsageError);
  });

  test("P8: over the error budget nothing is written, and what was there stays", async () => {
    const key = lay("a", 1);
    await event(key);
    lay("a", 1, 13);
    const books = emptyBooks();
    const error = await failure(deriveEvent(job(), { bucket: BUCKET, key }, pool, signal, books));
    expect(error).toBeInstanceOf(BudgetError);
    expect(error.message).toContain(`${key}: 1 error in 2 frames`);
    expect(books).toMatchObject({ failed: 1, failures: { "TypeError at S.ts:9": 1 } });
    expect(await rows()).toEqual(["a-1"]);
    expect((await event(key, { maxErrors: { count: 10, fraction: 0 } })).books.failed).toBe(1);
  });

  test("an abort leaves nothing, and the threads free", async () => {
    const key = lay("a", ...Array.from({ length: 3000 }, (_, n) => n + 100));
    const ending = new AbortController();
    const run = deriveEvent(job(), { bucket: BUCKET, key }, pool, ending.signal);
    setTimeout(() => ending.abort(), 5);
    const began = performance.now();
    expect(await failure(run)).toBeInstanceOf(InterruptedError);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(list()).toEqual([]);
    expect(await failure(deriveEvent(job(), { bucket: BUCKET, key }, pool, ending.signal))).toBeInstanceOf(
      InterruptedError,
    );
    expect((await event(key)).books.written).toBe(3000);
  });
});

test("aborted at each of its steps it begins no further write", async () => {
  for (const covered of [false, true]) {
    let reached = true;
    for (let at = 1; reached; at++) {
      const place = memoryPlace({ "raw/x": "abc" });
      const part = `day/${eventName(BUCKET, "raw/x", "zstd")}`;
      if (covered) {
        const etag = (await place.head("raw/x"))!.etag!;
        const inputs = [{ key: "raw/x", size: 3, etag, rows: 3 }];
        const manifest = {
          format: 1,
          fingerprint: "",
          generations: [{ generation: 0, fingerprint: "", inputs, parts: [] }],
        };
        place.objects.set("day/_SUCCESS", Buffer.from(JSON.stringify(manifest)));
        place.objects.set(part, Buffer.from("old"));
      }
      const ending = new AbortController();
      const begun: string[] = [];
      let steps = 0;
      const step = <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) => {
        return async (...args: A): Promise<R> => {
          begun.push(ending.signal.aborted ? `${name}, aborted` : name);
          if (++steps === at) ending.abort();
          return call(...args);
        };
      };
      const end = await runEvent(
        {
          store: {
            urlOf: place.urlOf,
            read: step("read", place.read),
            head: step("head", place.head),
            remove: step("remove", place.remove),
            create: step("create", async (key) => {
              const upload = await place.create(key);
              return Object.assign(Object.create(upload), { commit: step("commit", upload.commit) });
            }),
          },
          source: { head: step("head of x", place.head), etag: place.etag },
          bucket: BUCKET,
          key: "raw/x",
          rawUrl: "memory:///raw/x",
          prefix: "day",
          name: eventName(BUCKET, "raw/x", "zstd"),
          maxErrors: { count: 0, fraction: 0 },
          signal: ending.signal,
          batch: "",
          format: () => ({ ...FORMAT, check: async () => ({ rows: 3 }) }),
          derive: step("derive", async ({ key, size, etag }, writer) => {
            await writer.add(group("abc"));
            return { ...emptyBooks(), key, size, etag, written: 3 };
          }),
        },
        emptyBooks(),
      ).catch((error: Error) => error);
      reached = steps >= at;
      if (reached) expect(end).toBeInstanceOf(InterruptedError);
      else expect(end).toMatchObject({ state: covered ? "covered" : "written" });
      expect(begun.filter((name) => /^(commit|remove|create|derive), aborted/.test(name))).toEqual([]);
      const there = place.objects.get(part);
      const allowed = covered ? [undefined, "old"] : [undefined, "<abc>3"];
      expect(allowed).toContain(there && Buffer.from(there).toString());
    }
  }
});

describe("P5: events and batch share one dataset", () => {
  test("a day served by events, compacted by batch, with no row twice", async () => {
    const keys = [lay("a", 1, 2), lay("b", 3), lay("c", 0)];
    for (const key of keys) await event(key);
    const before = await rows();
    expect(before).toEqual(["a-1", "a-2", "b-3"]);
    expect(await batch()).toMatchObject({ state: "written", late: [], error: undefined });
    expect(list()).toEqual(["_SUCCESS", "part-0-00000.zstd.parquet"]);
    expect(await rows()).toEqual(before);
    for (const key of keys) expect(await event(key)).toMatchObject({ state: "covered", part: undefined });
    expect(list()).toEqual(["_SUCCESS", "part-0-00000.zstd.parquet"]);
  });

  test("an object that came later keeps its part, which is no conflict, until batch adds it", async () => {
    await event(lay("a", 1));
    await batch();
    const late = lay("b", 2);
    expect((await event(late)).state).toBe("written");
    expect(list()).toContain(nameOf(late));
    expect((await event(late)).state).toBe("unchanged");
    expect(await batch("append")).toMatchObject({ state: "appended", late: [] });
    expect(list()).toEqual(["_SUCCESS", "part-0-00000.zstd.parquet", "part-1-00000.zstd.parquet"]);
    expect(await rows()).toEqual(["a-1", "b-2"]);
  });

  test("a covered object that changed is an error that says so, until batch makes the day anew", async () => {
    const key = lay("a", 1);
    await batch();
    lay("a", 2);
    const error = await failure(event(key));
    expect(error).toBeInstanceOf(ConflictError);
    expect(error.message).toContain("covered, run batch again");
    expect(error.message).toContain("derive batch S --from 20151028 --on-change replace");
    expect(await rows()).toEqual(["a-1"]);
    expect((await batch("replace")).state).toBe("replaced");
    expect((await event(key)).state).toBe("covered");
    expect(await rows()).toEqual(["a-2"]);
  });

  test("what a killed event left is removed by the next batch run, also one that has nothing to do", async () => {
    const key = lay("a", 1);
    await event(key);
    const left = bytesOf(nameOf(key));
    await batch();
    writeFileSync(join(folder, "out", DAY, nameOf(key)), left);
    expect(await rows()).toEqual(["a-1", "a-1"]);
    expect((await batch()).state).toBe("unchanged");
    expect(await rows()).toEqual(["a-1"]);
    writeFileSync(join(folder, "out", DAY, nameOf(key)), left);
    expect((await event(key)).state).toBe("covered");
    expect(await rows()).toEqual(["a-1"]);
  });

  test("what is none of our event parts stays as it is", async () => {
    lay("a", 1);
    mkdirSync(join(folder, "out", DAY), { recursive: true });
    const name = "event-0123456789abcdef.zstd.parquet";
    for (const text of ["", "PAR1", "not Parquet, but PAR1", `${"x".repeat(70_000)}\u0001\u0000\u0000\u0000PAR1`]) {
      writeFileSync(join(folder, "out", DAY, name), text);
      expect((await batch("replace")).error).toBeUndefined();
      expect(list()).toContain(name);
    }
  });

  test("verify tells of both kinds, and of an event part that is covered", async () => {
    const [key, other] = [lay("a", 1), lay("b", 2)];
    await event(key);
    const verified = async () => (await Array.fromAsync(verifyPlace(folderSource(join(folder, "out")), signal)))[0]!;
    expect(await verified()).toMatchObject({ state: "ok", parts: 0, events: [urlOf(nameOf(key))] });
    const left = bytesOf(nameOf(key));
    rmSync(join(folder, "raw", other));
    await batch();
    lay("b", 2);
    await event(other);
    expect(await verified()).toMatchObject({ state: "ok", parts: 1, events: [urlOf(nameOf(other))] });
    writeFileSync(join(folder, "out", DAY, nameOf(key)), left);
    writeFileSync(join(folder, "out", DAY, "event-0123456789abcdef.zstd.parquet"), bytesOf(nameOf(other)));
    await event(other, { codec: "gzip" });
    const { state, problems, events } = await verified();
    expect({ state, events }).toEqual({ state: "differs", events: [expect.anything()] });
    expect(problems.map(({ cause }) => cause.replace(/:.*/, "")).sort()).toEqual([
      "covered",
      `its name is not that of raw object ${BUCKET}/${other}, which it says it was made from`,
      "twice",
    ]);
    expect(problems.find(({ url }) => url === urlOf(nameOf(key)))!.cause).toContain(`raw object ${key} too`);
  });
});
