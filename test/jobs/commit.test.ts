// How partitions appear: whole or not at all, whatever moment a run is killed at, and only when something changed. Two runs at once
// are in simulation.test.ts.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConditionFailed, ConflictError, InternalError, InterruptedError, OutputError } from "../../src/errors.ts";
import { CLAIM, readClaim } from "../../src/jobs/claim.ts";
import type { CommitStore } from "../../src/jobs/commit.ts";
import { GenerationWriter } from "../../src/jobs/generation.ts";
import { partName, refuseMixedLayouts } from "../../src/jobs/layout.ts";
import { type Manifest, readManifest } from "../../src/jobs/manifest.ts";
import { PartWriter } from "../../src/jobs/part.ts";
import { runPartition } from "../../src/jobs/partition.ts";
import { emptyBooks } from "../../src/pipeline/books.ts";
import { folderSink } from "../../src/storage/folder.ts";
import { type MemoryPlace, memoryPlace } from "../../src/storage/memory.ts";
import type { Expected } from "../../src/storage/ports.ts";
import { bytesOf, textOf } from "../storage/contract.ts";
import { type Asked, run, workOf } from "./simulated-run.ts";
import { FORMAT, group } from "./text-parts.ts";

/** Raw objects of these contents; the stream's name is the first row of each. */
const rawOf = (...contents: string[]) =>
  Object.fromEntries(contents.map((content, index) => [`raw/${index}`, content]));
const asked = (raw: Asked["raw"], changes: Partial<Asked> = {}): Asked => ({
  raw,
  stream: "_",
  onChange: "fail",
  ...changes,
});

const texts = (place: MemoryPlace) =>
  Object.fromEntries(
    [...place.objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, bytes]) => [key, textOf(bytes)]),
  );
const partsOf = (place: MemoryPlace) =>
  Object.fromEntries(
    Object.entries(texts(place)).flatMap(([key, text]) => (/part-/.test(key) ? [[key.slice(8), text]] : [])),
  );
const manifestOf = async (place: MemoryPlace): Promise<Manifest> => (await readManifest(place, "out/day"))!.manifest;

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

/** `place.create`, with something done before each part appears. */
function beforeCommit(place: MemoryPlace, action: (key: string) => unknown): CommitStore["create"] {
  return async (key) => {
    const upload = await place.create(key);
    const { commit } = upload;
    return Object.assign(upload, {
      commit: async (expected?: Expected) => {
        await action(key);
        return commit(expected);
      },
    });
  };
}

describe("a commit", () => {
  test("is parts, cut between row groups, and a manifest that tells of them", async () => {
    const place = memoryPlace();
    const end = await run(asked(rawOf("a", "cd", "e", "toolarge", "f")), place);
    expect(end).toMatchObject({ state: "written", late: [], conditionalWrites: true });
    expect(partsOf(place)).toEqual({
      "part-0-00000.zstd.parquet": "<_a>2",
      "part-0-00001.zstd.parquet": "<_cd>3",
      "part-0-00002.zstd.parquet": "<_e>2",
      "part-0-00003.zstd.parquet": "<_toolarge>9",
      "part-0-00004.zstd.parquet": "<_f>2",
    });
    expect(place.objects.size).toBe(6);
    const manifest = await manifestOf(place);
    const [first] = manifest.generations[0]!.parts;
    expect(first).toMatchObject({ key: "part-0-00000.zstd.parquet", rows: 2, bytes: 5 });
    expect(first!.sha256).toBe(new Bun.CryptoHasher("sha256").update("<_a>2").digest("hex"));
    expect(first!.crc32).toBe(Bun.hash.crc32("<_a>2").toString(16).padStart(8, "0"));
    expect(Object.keys(manifest)).toEqual([
      "format",
      "stream",
      "streamVersion",
      "fingerprint",
      "schema",
      "generations",
    ]);
    expect(manifest.generations[0]!.inputs[1]).toMatchObject({ key: "raw/1", size: 2, rows: 3 });
    expect(manifest.generations[0]!.counts).toMatchObject({ objects: 5, written: 18 });
  });

  test("of other rows replaces all, of another codec too, and leaves what is not ours", async () => {
    const place = memoryPlace({
      "out/day/part-0-00007.snappy.parquet": "old",
      "out/day/part-1-00000.parquet": "old",
      "out/day/event-0123456789abcdef.zstd.parquet": "event",
      "out/day/notes.txt": "mine",
      "out/day/below/part-0-00000.zstd.parquet": "below",
    });
    await run(asked(rawOf("abcd", "fghi", "k")), place);
    expect((await run(asked(rawOf("z"), { onChange: "replace" }), place)).state).toBe("replaced");
    expect(Object.keys(texts(place))).toEqual([
      "out/day/_SUCCESS",
      "out/day/below/part-0-00000.zstd.parquet",
      "out/day/event-0123456789abcdef.zstd.parquet",
      "out/day/notes.txt",
      "out/day/part-0-00000.zstd.parquet",
    ]);
  });

  test("P4: the same rows give the same bytes, `_SUCCESS` included", async () => {
    const [one, two] = [memoryPlace(), memoryPlace({ "out/day/part-0-00004.zstd.parquet": "left" })];
    for (const place of [one, two]) await run(asked(rawOf("abc", "de", "f")), place);
    expect(texts(one)).toEqual(texts(two));
  });

  test.each([
    ["zstd", "part-0-00000.zstd.parquet"],
    ["snappy", "part-0-00000.snappy.parquet"],
    ["gzip", "part-0-00000.gz.parquet"],
    ["none", "part-0-00000.parquet"],
  ] as const)("names parts of codec %p %p", (codec, name) => {
    expect(partName(0, 0, codec)).toBe(name);
  });
});

describe("a generation", () => {
  const writerOf = (place: MemoryPlace, format = FORMAT) => new GenerationWriter(place, "out/day", 3, format);
  const facts = (rows: number) => ({
    fingerprint: "f",
    inputs: [{ key: "raw/a", size: 9, etag: "e", rows }],
    counts: {},
  });

  test("without rows is one part without rows", async () => {
    const generation = await writerOf(memoryPlace()).finish(facts(0));
    expect(generation.parts).toMatchObject([{ key: "part-3-00000.zstd.parquet", rows: 0 }]);
  });

  test("P7: is refused where parts and inputs do not hold the same rows", async () => {
    const place = memoryPlace();
    const writer = writerOf(place);
    await writer.add(group("abc"));
    expect(await failure(writer.finish(facts(4)))).toBeInstanceOf(InternalError);
    await writer.abort();
    expect(place.objects.size).toBe(0);
  });

  test("P10: is refused where a part reads back damaged, or with other rows", async () => {
    for (const [check, type] of [
      [
        FORMAT.check.bind(undefined, { byteLength: 3, slice: async () => bytesOf("???").buffer as ArrayBuffer }),
        OutputError,
      ],
      [async () => ({ rows: 2 }), InternalError],
    ] as const) {
      const writer = writerOf(memoryPlace(), { ...FORMAT, check });
      await writer.add(group("abc"));
      const error = await failure(writer.finish(facts(3)));
      expect(error).toBeInstanceOf(type);
      expect(error.message).toContain("memory:///out/day/part-3-00000.zstd.parquet");
      await writer.abort();
    }
  });
});

describe("P2: a partition that is committed", () => {
  const X = rawOf("abcd", "efgh");
  const more = { ...X, "raw/9": "z" };

  async function committed(first = asked(X)): Promise<MemoryPlace> {
    const place = memoryPlace();
    await run(first, place);
    return place;
  }

  test.each(["fail", "append", "replace"] as const)("from the same is left alone (%s)", async (onChange) => {
    const place = await committed();
    const writes: CommitStore = { ...place, put: () => expect.unreachable("nothing is written") };
    expect(await run(asked(X, { onChange }), writes)).toMatchObject({
      state: "unchanged",
      parts: [{ rows: 5 }, { rows: 5 }],
    });
  });

  test.each([
    [{ raw: { "raw/0": "abcd" } }, "1 raw object removed (raw/1)"],
    [{ raw: { ...X, "raw/1": "efgx" } }, "1 raw object changed (raw/1)"],
    [{ raw: rawOf("x", "y") }, "2 raw objects changed (raw/0, raw/1)"],
    [{ stream: "+" }, "the stream's file, its schema or an option is another"],
    [{ raw: {} }, "2 raw objects removed (raw/0, raw/1)"],
  ])("from something else is a conflict that says what differs: %j", async (change, difference) => {
    const place = await committed();
    const before = texts(place);
    for (const [onChange, doing] of [
      ["fail", "write"],
      ["append", "add to"],
    ] as const) {
      const error = await failure(run(asked(X, { onChange, ...change }), place));
      expect(error).toBeInstanceOf(ConflictError);
      expect(error.message).toStartWith(
        `Cannot ${doing} memory:///out/day/: it was committed from something else: ${difference}. Nothing was written. To make it anew: --on-change replace`,
      );
    }
    expect(texts(place)).toEqual(before);
  });

  test("from fewer objects is a conflict, or gets a further generation of parts", async () => {
    const place = await committed();
    const before = partsOf(place);
    const error = await failure(run(asked(more), place));
    expect(error.message).toContain(
      "1 raw object added (raw/9). Nothing was written. To add a generation of parts: --on-change append",
    );
    expect(await run(asked(more, { onChange: "append" }), place)).toMatchObject({
      state: "appended",
      parts: [{}, {}, { rows: 2 }],
    });
    expect(partsOf(place)).toEqual({ ...before, "part-1-00000.zstd.parquet": "<_z>2" });
    const { fingerprint, generations } = await manifestOf(place);
    expect(generations.map((one) => [one.generation, one.inputs.length])).toEqual([
      [0, 2],
      [1, 1],
    ]);
    expect(new Set([fingerprint, ...generations.map((one) => one.fingerprint)]).size).toBe(3);
    expect((await run(asked(more), place)).state).toBe("unchanged");
    const evenMore = { ...more, "raw/8": "y", "raw/7": "" };
    expect((await run(asked(evenMore, { onChange: "append" }), place)).state).toBe("appended");
    expect(partsOf(place)["part-2-00000.zstd.parquet"]).toBe("<__y>3");
    expect((await run(asked(rawOf("q"), { onChange: "replace" }), place)).state).toBe("replaced");
    expect(partsOf(place)).toEqual({ "part-0-00000.zstd.parquet": "<_q>2" });
  });

  test("keeps its `_SUCCESS` while parts are added to it", async () => {
    const place = await committed();
    const removed: string[] = [];
    const store: CommitStore = {
      ...place,
      remove(key, expected) {
        removed.push(key);
        return place.remove(key, expected);
      },
    };
    await run(asked(more, { onChange: "append" }), store);
    expect(removed).toEqual([`out/day/${CLAIM}`]);
  });

  test("gets back parts that were removed by hand, of any generation, and loses those that were added", async () => {
    const place = await committed();
    await run(asked(more, { onChange: "append" }), place);
    const before = texts(place);
    for (const gone of ["part-0-00001.zstd.parquet", "part-1-00000.zstd.parquet"]) {
      place.objects.delete(`out/day/${gone}`);
      place.objects.set("out/day/part-0-00005.zstd.parquet", bytesOf("stray"));
      await run(asked(more), place);
      expect(texts(place)).toEqual(before);
    }
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"format":1}',
    '{"format":1,"fingerprint":"f","generations":[{}]}',
    '{"format":2}',
  ])("a `_SUCCESS` of %p is not ours", async (text) => {
    const error = await failure(readManifest(memoryPlace({ "p/_SUCCESS": text }), "p"));
    expect(error).toBeInstanceOf(ConflictError);
    expect(error.message).toStartWith("Cannot use memory:///p/_SUCCESS: ");
  });

  test("a partition that was never committed has none", async () => {
    expect(await readManifest(memoryPlace({ "p/part-0-00000.zstd.parquet": "left" }), "p")).toBeUndefined();
  });
});

describe("P3: a claim", () => {
  const X = rawOf("abcd", "efgh");
  const claimOf = async (place: MemoryPlace) => (await readClaim(place, "out/day"))?.claim;

  /** What a run leaves that was killed before its last part. */
  async function killed(changes: Partial<Asked> = {}, before?: Asked): Promise<MemoryPlace> {
    const place = memoryPlace();
    if (before) await run(before, place);
    const forever = new Promise<void>(() => {});
    const store: CommitStore = { ...place, create: beforeCommit(place, (key) => key.includes("-00001") && forever) };
    void run(asked(X, changes), store).catch(() => {});
    for (let waited = 0; waited < 1000 && !place.objects.has("out/day/part-0-00000.zstd.parquet"); waited++)
      await Bun.sleep(1);
    await Bun.sleep(5);
    return place;
  }

  test("names what is to come, its build and time", async () => {
    const claim = await claimOf(await killed());
    expect(claim).toMatchObject({
      format: 1,
      stream: "S",
      base: null,
      generations: [
        {
          generation: 0,
          inputs: [
            { key: "raw/0", size: 4 },
            { key: "raw/1", size: 4 },
          ],
        },
      ],
    });
    expect(Date.now() - Date.parse(claim!.time)).toBeLessThan(60_000);
    expect(claim!.build).toMatch(/^\d/);
  });

  test("is finished by the next run, which reports what came late", async () => {
    const undisturbed = memoryPlace();
    await run(asked(X), undisturbed);
    const place = await killed();
    const now = { ...X, "raw/9": "late" };
    expect(await run(asked(now), place)).toMatchObject({ state: "late", late: ["raw/9"] });
    expect(texts(place)).toEqual(texts(undisturbed));
    expect(await failure(run(asked(now), place))).toBeInstanceOf(ConflictError);
    expect((await run(asked(now, { onChange: "append" }), place)).state).toBe("appended");
  });

  test("is finished also where this run has listed less", async () => {
    const place = await killed();
    expect(await run(asked({ "raw/0": "abcd" }), place, X)).toMatchObject({ state: "written", late: [] });
    expect((await run(asked(X), place)).state).toBe("unchanged");
  });

  test.each([
    [{ stream: "+" }, "its stream or options are others"],
    [{ raw: { "raw/0": "abcd" } }, "raw object raw/1, which it names, is gone"],
    [{ raw: { ...X, "raw/1": "efgx" } }, "raw object raw/1, which it names, has changed since"],
  ])("of something else keeps others off until it is set aside: %j", async (change, why) => {
    const place = await killed();
    const before = texts(place);
    const error = await failure(run(asked(X, change), place));
    expect(error).toBeInstanceOf(ConflictError);
    expect(error.message).toStartWith(
      "Cannot write memory:///out/day/: another run claimed it less than a minute ago (20",
    );
    expect(error.message).toContain(
      `), and ${why}. Nothing was written. If that run is not at work any more, --force-unlock`,
    );
    expect(texts(place)).toEqual(before);
    const undisturbed = memoryPlace();
    await run(asked(X, change), undisturbed);
    expect((await run(asked(X, { ...change, forceUnlock: true }), place)).state).toBe("written");
    expect(texts(place)).toEqual(texts(undisturbed));
  });

  test("that nobody can read keeps others off too", async () => {
    const place = memoryPlace({ [`out/day/${CLAIM}`]: "{}" });
    expect((await failure(run(asked(X), place))).message).toContain("at a time that its claim does not tell");
    expect((await run(asked(X, { forceUnlock: true }), place)).state).toBe("written");
    expect(place.objects.has(`out/day/${CLAIM}`)).toBe(false);
  });

  test("aborts uploads that its run has left", async () => {
    const place = await killed();
    const aborted: string[] = [];
    await run(asked(X), { ...place, abortPending: async (prefix) => aborted.push(prefix) });
    expect(aborted).toEqual(["out/day"]);
  });

  test("is taken back where nothing was changed, and left where a part was", async () => {
    for (const [failing, left] of [
      ["_SUCCESS", false],
      ["part-0-00000", true],
      ["part-0-00001", true],
    ] as const) {
      const place = memoryPlace();
      let reads = 0;
      const refuse = (key: string) => {
        if (key.includes(failing)) throw new OutputError("503");
      };
      const store: CommitStore = {
        ...place,
        async read(key) {
          if (++reads > 2) refuse(key);
          return place.read(key);
        },
        create: beforeCommit(place, refuse),
      };
      expect(await failure(run(asked(X), store))).toBeInstanceOf(OutputError);
      expect((await claimOf(place)) !== undefined).toBe(left);
    }
  });

  test("is taken back by an interrupted run that has changed nothing", async () => {
    const place = memoryPlace();
    const abort = new AbortController();
    const store: CommitStore = {
      ...place,
      put: async (key, bytes, expected) => {
        abort.abort();
        return place.put(key, bytes, expected);
      },
    };
    const work = { ...workOf(asked(X), store, X), signal: abort.signal };
    expect(await failure(runPartition(work, emptyBooks()))).toBeInstanceOf(InterruptedError);
    expect(place.objects.size).toBe(0);
  });

  test("is read again where the store knows no conditions", async () => {
    const place = memoryPlace();
    let other = true;
    const store: CommitStore = {
      ...place,
      honoursConditions: async () => false,
      async put(key, bytes, expected) {
        const etag = await place.put(key, bytes, expected);
        if (other) await place.put(key, bytesOf("{}"), "anything"); // another run that has looked at the same moment
        other = false;
        return etag;
      },
    };
    expect(await failure(run(asked(X), store))).toBeInstanceOf(ConflictError);
    place.objects.delete(`out/day/${CLAIM}`);
    expect(await run(asked(X), store)).toMatchObject({ state: "written", conditionalWrites: false });
  });
});

describe("a folder", () => {
  const root = mkdtempSync(join(tmpdir(), "derive-test-"));
  afterAll(() => rmSync(root, { recursive: true }));
  const files = () => readdirSync(root, { recursive: true }).map(String).sort();

  test("holds nothing after an abort, and only parts and `_SUCCESS` after a commit", async () => {
    const sink = folderSink(root);
    const writer = new GenerationWriter(sink, "out/day", 0, FORMAT);
    for (const letters of ["abcde", "fghij", "k"]) await writer.add(group(letters));
    expect(files()).toHaveLength(5);
    await writer.abort();
    expect(files()).toEqual([]);
    const { parts } = await run(asked(rawOf("abcd", "efgh", "i")), sink);
    const keys = parts.map(({ key }) => `out/day/${key}`);
    expect(keys).toHaveLength(3);
    expect(files()).toEqual(["out", "out/day", "out/day/_SUCCESS", ...keys]);
    expect((await run(asked(rawOf("z"), { onChange: "replace" }), sink)).state).toBe("replaced");
    expect(files()).toEqual(["out", "out/day", "out/day/_SUCCESS", keys[0]!]);
    expect((await run(asked(rawOf("z", "y"), { onChange: "append" }), sink)).state).toBe("appended");
    expect(files()).toEqual(["out", "out/day", "out/day/_SUCCESS", keys[0]!, "out/day/part-1-00000.zstd.parquet"]);
  });

  test("takes one file without a manifest", async () => {
    const sink = folderSink(join(root, "single"));
    const part = await PartWriter.create(sink, "x.parquet", FORMAT);
    await part.add(group("ab"));
    expect(await part.commit("nothing")).toMatchObject({ key: "x.parquet", rows: 2, bytes: 5 });
    const again = await PartWriter.create(sink, "x.parquet", FORMAT);
    expect(await failure(again.commit("nothing"))).toBeInstanceOf(ConditionFailed);
    await again.abort();
    expect(readdirSync(join(root, "single"))).toEqual(["x.parquet"]);
  });
});

test("partitions above or below committed ones are refused: their rows would be seen twice", async () => {
  const place = memoryPlace({ "s/v1/day=1/doc=a/_SUCCESS": "", "s/v1/day=2/_SUCCESS": "", "s/v2/_SUCCESS": "" });
  const refused = async (root: string, prefix: string) => {
    const outcome = await refuseMixedLayouts(place, root, prefix).catch((error) => error);
    if (outcome !== undefined) expect(outcome).toBeInstanceOf(ConflictError);
    return outcome !== undefined;
  };
  expect(await refused("s/v1", "s/v1/day=1")).toBe(true);
  expect(await refused("s/v1", "s/v1/day=1/doc=a")).toBe(false);
  expect(await refused("s/v1", "s/v1/day=1/doc=b")).toBe(false);
  expect(await refused("s/v1", "s/v1/day=2")).toBe(false);
  expect(await refused("s/v1", "s/v1/day=2/doc=a")).toBe(true);
  expect(await refused("s/v1", "s/v1")).toBe(true);
  expect(await refused("s/v2", "s/v2")).toBe(false);
  expect(await refused("s/v2", "s/v2/day=1")).toBe(true);
});
