// How partitions appear: whole or not at all, whatever moment a run is killed at, and only when something changed.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConflictError, InternalError, OutputError } from "../../src/errors.ts";
import { type CommitFacts, PartitionWriter, partName, refuseMixedLayouts } from "../../src/jobs/commit.ts";
import { decide, type Intended, type Manifest, missingParts, readManifest } from "../../src/jobs/manifest.ts";
import { type PartFormat, PartWriter } from "../../src/jobs/part.ts";
import type { EncodedRowGroup } from "../../src/parquet/rowgroup.ts";
import { folderSink } from "../../src/storage/folder.ts";
import { type MemoryPlace, memoryPlace } from "../../src/storage/memory.ts";
import type { Sink } from "../../src/storage/ports.ts";
import { bytesOf, textOf } from "../storage/contract.ts";

/** Parts of text in place of Parquet: "<", a letter for each row, ">" and the number of rows. */
const FORMAT: PartFormat & { maxPartBytes: number } = {
  codec: "zstd",
  maxPartBytes: 5,
  newAssembler() {
    let size = 1;
    let rows = 0;
    return {
      header: () => bytesOf("<"),
      place(one) {
        size += one.bytes.byteLength;
        rows += one.rows;
        return new Uint8Array(one.bytes);
      },
      finish: () => bytesOf(`>${rows}`),
      get size() {
        return size;
      },
      get rows() {
        return rows;
      },
    };
  },
  async check(file) {
    const text = textOf(new Uint8Array(await file.slice(0)));
    if (text.length !== file.byteLength || !/^<.*>\d+$/.test(text)) throw new Error("bad page");
    return { rows: text.indexOf(">") - 1 };
  },
};

const group = (letters: string) => ({ bytes: bytesOf(letters), rows: letters.length }) as unknown as EncodedRowGroup;

const facts = (fingerprint: string, rows: number): CommitFacts => ({
  stream: "S",
  streamVersion: 1,
  fingerprint,
  inputs: [{ key: "raw/a", size: 9, etag: "e", rows }],
  counts: { written: rows },
});

async function write(sink: Sink, letters: readonly string[], fingerprint = letters.join("")): Promise<Manifest> {
  const writer = new PartitionWriter(sink, "out/day", FORMAT);
  try {
    for (const one of letters) await writer.add(group(one));
    return await writer.commit(facts(fingerprint, letters.join("").length));
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

const texts = (place: MemoryPlace) =>
  Object.fromEntries(
    [...place.objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, bytes]) => [key, textOf(bytes)]),
  );

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

describe("a commit", () => {
  test("is parts, cut between row groups, and a manifest that tells of them", async () => {
    const place = memoryPlace();
    const manifest = await write(place, ["ab", "cd", "e", "toolarge", "f"], "print");
    expect(manifest.generations[0]!.parts.map(({ key, rows, bytes }) => [key, rows, bytes])).toEqual([
      ["part-0-00000.zstd.parquet", 4, 7],
      ["part-0-00001.zstd.parquet", 1, 4],
      ["part-0-00002.zstd.parquet", 8, 11],
      ["part-0-00003.zstd.parquet", 1, 4],
    ]);
    expect(place.objects.size).toBe(5);
    expect(textOf(place.objects.get("out/day/part-0-00000.zstd.parquet")!)).toBe("<abcd>4");
    const [first] = manifest.generations[0]!.parts;
    expect(first!.sha256).toBe(new Bun.CryptoHasher("sha256").update("<abcd>4").digest("hex"));
    expect(first!.crc32).toBe(Bun.hash.crc32("<abcd>4").toString(16).padStart(8, "0"));
    expect(await readManifest(place, "out/day")).toEqual(manifest);
    expect(JSON.parse(textOf(place.objects.get("out/day/_SUCCESS")!))).toEqual({
      format: 1,
      stream: "S",
      streamVersion: 1,
      fingerprint: "print",
      generations: [
        {
          generation: 0,
          fingerprint: "print",
          inputs: [{ key: "raw/a", size: 9, etag: "e", rows: 14 }],
          parts: [...manifest.generations[0]!.parts],
          counts: { written: 14 },
        },
      ],
    });
  });

  test("without rows is one part without rows", async () => {
    const place = memoryPlace();
    await write(place, []);
    expect(texts(place)["out/day/part-0-00000.zstd.parquet"]).toBe("<>0");
  });

  test("of other rows replaces all, of another codec too, and leaves what is not ours", async () => {
    const place = memoryPlace({
      "out/day/part-0-00007.snappy.parquet": "old",
      "out/day/part-1-00000.parquet": "old",
      "out/day/event-0123456789abcdef.zstd.parquet": "event",
      "out/day/notes.txt": "mine",
      "out/day/below/part-0-00000.zstd.parquet": "below",
    });
    await write(place, ["abcde", "fghij", "k"]);
    await write(place, ["z"]);
    expect(Object.keys(texts(place))).toEqual([
      "out/day/_SUCCESS",
      "out/day/below/part-0-00000.zstd.parquet",
      "out/day/event-0123456789abcdef.zstd.parquet",
      "out/day/notes.txt",
      "out/day/part-0-00000.zstd.parquet",
    ]);
  });

  test("P7: is refused where parts and inputs do not hold the same rows", async () => {
    const place = memoryPlace();
    const writer = new PartitionWriter(place, "out/day", FORMAT);
    await writer.add(group("abc"));
    expect(await failure(writer.commit(facts("f", 4)))).toBeInstanceOf(InternalError);
    await writer.abort();
    expect(place.objects.size).toBe(0);
  });

  test("P10: is refused where a part reads back damaged, or with other rows", async () => {
    const place = memoryPlace();
    for (const [check, type] of [
      [
        FORMAT.check.bind(undefined, { byteLength: 3, slice: async () => bytesOf("???").buffer as ArrayBuffer }),
        OutputError,
      ],
      [async () => ({ rows: 2 }), InternalError],
    ] as const) {
      const writer = new PartitionWriter(place, "out/day", { ...FORMAT, check });
      await writer.add(group("abc"));
      const error = await failure(writer.commit(facts("f", 3)));
      expect(error).toBeInstanceOf(type);
      expect(error.message).toContain("memory:///out/day/part-0-00000.zstd.parquet");
      await writer.abort();
    }
    expect(place.objects.size).toBe(0);
  });

  test("P4: the same rows give the same bytes, `_SUCCESS` included", async () => {
    const [one, two] = [memoryPlace(), memoryPlace({ "out/day/part-0-00004.zstd.parquet": "left" })];
    await write(one, ["abc", "de", "f"]);
    await write(two, ["abc", "de", "f"]);
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

/** Dies before its `steps`th change of what readers see, and does nothing from then on. */
function dying(place: MemoryPlace, steps: number): Sink {
  let left = steps;
  const step = async <T>(change: () => Promise<T>): Promise<T> => {
    if (left-- <= 0) throw new Error("killed");
    return change();
  };
  return {
    ...place,
    put: (...parameters) => step(() => place.put(...parameters)),
    remove: (key) => step(() => place.remove(key)),
    async create(key) {
      const upload = await place.create(key);
      return {
        get byteLength() {
          return upload.byteLength;
        },
        write: (bytes) => upload.write(bytes),
        slice: (start, end) => upload.slice(start, end),
        commit: (expected) => step(() => upload.commit(expected)),
        abort: () => upload.abort(),
      };
    },
  };
}

/** A partition that looks complete has to be: every part of the manifest with its bytes, and no other part. */
async function expectNoLie(place: MemoryPlace): Promise<boolean> {
  const manifest = await readManifest(place, "out/day");
  if (manifest === undefined) return false;
  const listed = manifest.generations.flatMap(({ parts }) => parts).map(({ key, sha256 }) => [key, sha256]);
  const found = [...place.objects].filter(([key]) => key.includes("/part-"));
  expect(Object.fromEntries(found.map(([key, bytes]) => [key.slice("out/day/".length), sha256(bytes)]))).toEqual(
    Object.fromEntries(listed),
  );
  return true;
}

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

describe("P1, P3: a run killed at any step", () => {
  const OLD = ["old01", "old02", "old03"];
  const cases: [string, readonly string[], readonly string[]][] = [
    ["of a new partition", [], ["abcde", "fghij"]],
    ["of one that gets fewer parts", OLD, ["abcde", "fghij"]],
    ["of one that gets more parts", OLD.slice(0, 1), ["abcde", "fghij", "k"]],
  ];

  test.each(cases)("%s never leaves a lie, and the next run finishes", async (_name, before, after) => {
    const undisturbed = memoryPlace();
    await write(undisturbed, after);
    let finished = false;
    let died = 0;
    for (let steps = 0; !finished; steps++) {
      const place = memoryPlace();
      if (before.length > 0) await write(place, before);
      const error = await write(dying(place, steps), after).catch((thrown: Error) => thrown);
      finished = !(error instanceof Error);
      if (!finished) died++;
      const complete = await expectNoLie(place);
      expect(complete).toBe(finished || (before.length > 0 && steps === 0));
      await write(place, after);
      expect(await expectNoLie(place)).toBe(true);
      expect(texts(place)).toEqual(texts(undisturbed));
    }
    expect(died).toBe(2 + after.length + Math.max(0, before.length - after.length));
  });

  test("twice in a row, at any two steps, neither", async () => {
    const undisturbed = memoryPlace();
    await write(undisturbed, ["abcde", "fghij"]);
    for (let first = 0; first < 5; first++) {
      for (let second = 0; second < 5; second++) {
        const place = memoryPlace();
        await write(place, OLD);
        await failure(write(dying(place, first), ["other", "rows"]));
        await expectNoLie(place);
        await write(dying(place, second), ["abcde", "fghij"]).catch(() => {});
        await expectNoLie(place);
        await write(place, ["abcde", "fghij"]);
        expect(texts(place)).toEqual(texts(undisturbed));
      }
    }
  });
});

describe("a folder", () => {
  const root = mkdtempSync(join(tmpdir(), "derive-test-"));
  afterAll(() => rmSync(root, { recursive: true }));
  const files = () => readdirSync(root, { recursive: true }).map(String).sort();

  test("holds nothing after an abort, and only parts and `_SUCCESS` after a commit", async () => {
    const sink = folderSink(root);
    const writer = new PartitionWriter(sink, "out/day", FORMAT);
    for (const letters of ["abcde", "fghij", "k"]) await writer.add(group(letters));
    expect(files()).toHaveLength(5);
    await writer.abort();
    expect(files()).toEqual([]);
    const manifest = await write(sink, ["abcde", "fghij", "k"]);
    const parts = manifest.generations[0]!.parts.map(({ key }) => `out/day/${key}`);
    expect(files()).toEqual(["out", "out/day", "out/day/_SUCCESS", ...parts]);
    expect(await missingParts(sink, "out/day", manifest)).toEqual([]);
    rmSync(join(root, parts[1]!));
    expect(await missingParts(sink, "out/day", manifest)).toEqual([parts[1]!]);
  });

  test("takes one file without a manifest", async () => {
    const sink = folderSink(join(root, "single"));
    const part = await PartWriter.create(sink, "x.parquet", FORMAT);
    await part.add(group("ab"));
    expect(await part.commit("nothing")).toMatchObject({ key: "x.parquet", rows: 2, bytes: 5 });
    const again = await PartWriter.create(sink, "x.parquet", FORMAT);
    expect(await failure(again.commit("nothing"))).toBeInstanceOf(ConflictError);
    await again.abort();
    expect(readdirSync(join(root, "single"))).toEqual(["x.parquet"]);
  });
});

describe("P2: what to do about a partition", () => {
  const inputs = [
    { key: "raw/a", size: 1, etag: "a" },
    { key: "raw/b", size: 2, etag: "b" },
  ];
  const intended: Intended = { stream: "S", streamVersion: 1, fingerprint: "f", inputs };
  const manifest: Manifest = {
    format: 1,
    stream: "S",
    streamVersion: 1,
    fingerprint: "f",
    generations: [
      {
        generation: 0,
        fingerprint: "f",
        inputs: inputs.map((input) => ({ ...input, rows: 1 })),
        parts: [],
        counts: {},
      },
    ],
  };

  test("is decided by the fingerprint", () => {
    expect(decide(undefined, intended, "fail", "url")).toBe("write");
    expect(decide(undefined, intended, "replace", "url")).toBe("write");
    expect(decide(manifest, intended, "fail", "url")).toBe("unchanged");
    expect(decide(manifest, intended, "replace", "url")).toBe("unchanged");
    expect(decide(manifest, { ...intended, fingerprint: "g" }, "replace", "url")).toBe("replace");
  });

  test.each([
    [{ stream: "T" }, "stream S then, T now"],
    [{ streamVersion: 2 }, "version 1 of the stream then, 2 now"],
    [{ inputs: inputs.slice(1) }, "1 raw object removed (raw/a)"],
    [{ inputs: [...inputs, { key: "raw/c", size: 1, etag: "" }] }, "1 raw object added (raw/c)"],
    [{ inputs: [inputs[0]!, { ...inputs[1]!, etag: "c" }] }, "1 raw object changed (raw/b)"],
    [{ inputs: [] }, "2 raw objects removed (raw/a, raw/b)"],
    [{}, "the same raw objects, but the stream's file, its schema or an option is another"],
  ])("a conflict says what differs: %j", (change, difference) => {
    const attempt = () => decide(manifest, { ...intended, ...change, fingerprint: "g" }, "fail", "file:///out/day/");
    expect(attempt).toThrow(ConflictError);
    expect(attempt).toThrow(
      `Cannot write file:///out/day/: it was committed from something else: ${difference}. Nothing was written. ` +
        "To make it anew: --on-change replace; to keep both: another --output",
    );
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
