// P10: what was committed and is not as committed any more is found, whatever differs.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InputError } from "../../src/errors.ts";
import { type VerifiedPartition, verifyFile, verifyPlace } from "../../src/jobs/verify.ts";
import { memoryPlace } from "../../src/storage/memory.ts";
import type { Source } from "../../src/storage/ports.ts";
import { committed, manifestOf, type PartOfTest, parquetPart, partKey } from "./committed.ts";

const never = new AbortController().signal;
const one: PartOfTest = { bytes: parquetPart(30), rows: 30 };
const two: PartOfTest = { bytes: parquetPart(7, 5), rows: 12 };
const none: PartOfTest = { bytes: parquetPart(), rows: 0 };
const FIRST = partKey(0, 0);

const verify = (place: Source): Promise<VerifiedPartition[]> => Array.fromAsync(verifyPlace(place, never));

/** The problems of a place with one partition, as "name: cause". */
async function problemsOf(objects: Record<string, Uint8Array | string>): Promise<string[]> {
  const [partition, ...others] = await verify(memoryPlace(objects));
  expect(others).toEqual([]);
  expect(partition!.state === "ok").toBe(partition!.problems.length === 0);
  return partition!.problems.map(({ url, cause }) => `${url.slice("memory:///".length)}: ${cause}`);
}

describe("a sound place", () => {
  test("passes: partitions at any depth, of several generations, without rows", async () => {
    const place = memoryPlace({
      ...committed("s/v1/day=1/", [one]),
      ...committed("s/v1/day=2/", [one, two], [none], [two]),
      ...committed("s/v1/day=2/app=x/", [none]),
      "s/v1/notes.txt": "not in a partition",
    });
    const found = (await verify(place)).map(({ url, state, parts, rows, problems }) => [
      url,
      state,
      parts,
      rows,
      problems,
    ]);
    expect(found).toEqual([
      ["memory:///s/v1/day=1/", "ok", 1, 30, []],
      ["memory:///s/v1/day=2/app=x/", "ok", 1, 0, []],
      ["memory:///s/v1/day=2/", "ok", 4, 54, []],
    ]);
  });

  test("may be one partition, and has its bytes counted", async () => {
    const [partition] = await verify(memoryPlace(committed("", [one, two])));
    expect(partition).toMatchObject({
      url: "memory:///",
      state: "ok",
      parts: 2,
      rows: 42,
      bytes: one.bytes.length + two.bytes.length,
      problems: [],
      events: [],
      strangers: [],
      strangerCount: 0,
      claimed: false,
      committed: { generations: 1, counts: { written: 42 } },
    });
    const { columns, rowGroups } = partition!.layout;
    expect(rowGroups.reduce((sum, { rows }) => sum + rows, 0)).toBe(42);
    const bytes = Object.values(columns).reduce((sum, { compressed }) => sum + compressed, 0);
    expect(bytes).toBe(rowGroups.reduce((sum, group) => sum + group.bytes, 0));
  });

  test("of many partitions is verified a few at a time, in order", async () => {
    const objects: Record<string, Uint8Array | string> = {};
    for (let day = 1000; day < 1500; day++) Object.assign(objects, committed(`s/day=${day}/`, [none]));
    const place = memoryPlace(objects);
    let open = 0;
    let most = 0;
    const watched: Source = {
      ...place,
      open(key) {
        const reader = place.open(key);
        return {
          etag: () => reader.etag(),
          async *[Symbol.asyncIterator]() {
            most = Math.max(most, ++open);
            await Bun.sleep(0);
            yield* reader;
            open--;
          },
        };
      },
    };
    const found = await verify(watched);
    expect(found.map(({ url, state }) => [url, state])).toEqual(
      Array.from({ length: 500 }, (_, i) => [`memory:///s/day=${1000 + i}/`, "ok"]),
    );
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });
});

describe("a part", () => {
  test("with any one bit flipped is found", async () => {
    for (let at = 0; at < two.bytes.length; at++) {
      const bytes = two.bytes.slice();
      bytes[at] ^= 1 << (at % 8);
      const problems = await problemsOf({ ...committed("", [two]), [FIRST]: bytes });
      expect(problems.length, `byte ${at}`).toBeGreaterThanOrEqual(2);
      expect(problems[0]).toMatch(new RegExp(`^${FIRST}: CRC-32: [0-9a-f]{8} found, [0-9a-f]{8} in _SUCCESS$`));
      expect(problems[1]).toMatch(new RegExp(`^${FIRST}: SHA-256: [0-9a-f]{64} found, [0-9a-f]{64} in _SUCCESS$`));
    }
  });

  test("cut off anywhere, or with bytes behind it, is found", async () => {
    const { bytes } = two;
    const wrong = Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length));
    for (const content of [...wrong, Buffer.concat([bytes, bytes]), Buffer.concat([bytes, new Uint8Array(1)])]) {
      const problems = await problemsOf({ ...committed("", [two]), [FIRST]: content });
      expect(problems[0]).toBe(`${FIRST}: size in bytes: ${content.length} found, ${bytes.length} in _SUCCESS`);
    }
  });

  test("that is another part is found, with what differs", async () => {
    const problems = await problemsOf({ ...committed("", [one, two]), [FIRST]: two.bytes });
    expect(problems.map((text) => text.replace(/[0-9a-f]{64}|[0-9a-f]{8}/g, "…"))).toEqual([
      `${FIRST}: size in bytes: ${two.bytes.length} found, ${one.bytes.length} in _SUCCESS`,
      `${FIRST}: CRC-32: … found, … in _SUCCESS`,
      `${FIRST}: SHA-256: … found, … in _SUCCESS`,
      `${FIRST}: rows in its footer: 12 found, 30 in _SUCCESS`,
    ]);
  });

  test("that is gone, and one too many, are found", async () => {
    const { [FIRST]: _gone, ...rest } = committed("", [one, two]);
    expect(await problemsOf(rest)).toEqual([`${FIRST}: missing: _SUCCESS lists it, and it is not there`]);
    expect(
      await problemsOf({ ...committed("", [one]), [partKey(0, 1)]: two.bytes, "part-0-00000.snappy.parquet": "" }),
    ).toEqual([
      "part-0-00000.snappy.parquet: surplus: _SUCCESS does not list this part",
      `${partKey(0, 1)}: surplus: _SUCCESS does not list this part`,
    ]);
  });

  test("that cannot be read does not hide what is wrong with the others", async () => {
    const place = memoryPlace({ ...committed("a/", [one, two]), ...committed("b/", [one]), [`b/${FIRST}`]: two.bytes });
    const broken: Source = {
      ...place,
      open: (key) => {
        if (key === `a/${FIRST}`) throw new InputError("Cannot read memory:///a: the device failed");
        return place.open(key);
      },
    };
    const [a, b] = await verify(broken);
    expect(a).toMatchObject({
      state: "differs",
      problems: [{ url: `memory:///a/${FIRST}`, cause: "Cannot read memory:///a: the device failed" }],
    });
    expect(b!.problems.length).toBeGreaterThan(2);
  });
});

describe("a manifest", () => {
  type Spoiled = ReturnType<typeof manifestOf>;
  const spoil = (change: (manifest: Spoiled) => void) => {
    const manifest = manifestOf([one], [two]);
    change(manifest);
    return problemsOf({ ...committed("", [one], [two]), _SUCCESS: JSON.stringify(manifest) });
  };
  const generation = (manifest: Spoiled) => manifest.generations[1]!;

  test.each<[string, (manifest: Spoiled) => void, RegExp]>([
    ["rows of a part", (m) => generation(m).parts[0]!.rows++, /rows in its footer: 12 found, 13 in _SUCCESS/],
    ["bytes of a part", (m) => generation(m).parts[0]!.bytes--, /size in bytes/],
    ["CRC-32", (m) => (generation(m).parts[0]!.crc32 = "00000000"), /CRC-32: .* found, 00000000 in _SUCCESS/],
    ["SHA-256", (m) => (generation(m).parts[0]!.sha256 = "0".repeat(64)), /SHA-256/],
    ["part left out", (m) => generation(m).parts.pop(), /surplus/],
    ["generation left out", (m) => m.generations.pop(), /surplus/],
    ["all generations left out", (m) => m.generations.splice(0), /lists no generation/],
    ["generation twice", (m) => m.generations.push(generation(m)), /generation 1 is listed twice/],
    ["part twice", (m) => generation(m).parts.push(generation(m).parts[0]!), /is listed twice/],
    ["input twice", (m) => generation(m).inputs.push(generation(m).inputs[0]!), /raw\/1\/a is listed twice/],
    [
      "rows of an input",
      (m) => generation(m).inputs[0]!.rows--,
      /generation 1 does not balance in rows: .* 11 and 12$/,
    ],
    ["size of an input", (m) => generation(m).inputs[0]!.size--, /stored bytes: .* 100 and 99$/],
    ["an input left out", (m) => generation(m).inputs.pop(), /objects: .* 2 and 1$/],
    ["counts.written", (m) => generation(m).counts.written++, /counts\.written and its parts hold 13 and 12$/],
    ["counts.bytes", (m) => generation(m).counts.bytes++, /balance in bytes: read and accounted for 1001 and 1000$/],
    ["counts.undecodable", (m) => generation(m).counts.undecodable++, /balance in frames/],
    ["counts.filtered", (m) => generation(m).counts.filtered++, /balance in decoded messages/],
    ["stream", (m) => (m.stream = "Other"), /stream in its footer: Sample found, Other in _SUCCESS/],
    ["version", (m) => (m.streamVersion = 2), /version of the stream in its footer: 1 found, 2 in _SUCCESS/],
    ["format", (m) => (m.format = 2), /its format is 2, .* newer derive/],
  ])("edited (%s) is found", async (_name, change, expected) => {
    const problems = await spoil(change);
    expect(problems.some((text) => expected.test(text)) || problems).toBe(true);
  });

  test.each([
    ["", /not JSON/],
    ["null", /not a JSON object/],
    ["[]", /not a JSON object/],
    ["{}", /its format is not 1/],
    ['{"format":1}', /stream is not a text/],
    [JSON.stringify(manifestOf([one])).slice(0, -9), /not JSON/],
    [new Uint8Array([0x7b, 0xff, 0x7d]), /not UTF-8/],
  ])("that is none (%p) is found", async (content, expected) => {
    const problems = await problemsOf({ ...committed("", [one]), _SUCCESS: content });
    expect(problems[0]).toStartWith("_SUCCESS: ");
    expect(problems[0]).toMatch(expected);
  });

  test("with any member missing or of another type is found, with its path", async () => {
    const paths: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]) => {
      if (path.length > 0) paths.push(path);
      if (typeof value !== "object" || value === null) return;
      for (const [key, inner] of Object.entries(value))
        walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    };
    walk(manifestOf([one]), []);
    expect(paths.length).toBeGreaterThan(30);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.constantFrom(undefined, null, -1, 0.5, "", []),
        async (path, bad) => {
          const manifest = manifestOf([one]);
          let holder: Record<string | number, unknown> = manifest;
          for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
          holder[path.at(-1)!] = bad;
          const problems = await problemsOf({ ...committed("", [one]), _SUCCESS: JSON.stringify(manifest) });
          expect(problems).not.toBeEmpty();
        },
      ),
    );
  });

  test("P13: cannot name an object outside its partition", async () => {
    for (const key of [
      "../secret",
      "/etc/passwd",
      "part-/../../secret",
      "_SUCCESS",
      "below/part-0-00000.zstd.parquet",
    ]) {
      const manifest = manifestOf([one]);
      manifest.generations[0]!.parts[0]!.key = key;
      const place = memoryPlace({ ...committed("day/", [one]), "day/_SUCCESS": JSON.stringify(manifest), secret: "s" });
      const opened: string[] = [];
      const watched: Source = {
        ...place,
        open(name) {
          opened.push(name);
          return place.open(name);
        },
      };
      const [partition] = await verify(watched);
      expect(partition!.problems[0]!.cause).toBe("generations[0].parts[0].key is not the name of a part");
      expect(opened).toEqual(["day/_SUCCESS"]);
    }
  });
});

describe("besides parts", () => {
  test("a folder without _SUCCESS is incomplete", async () => {
    const { _SUCCESS, ...parts } = committed("", [one]);
    for (const objects of [parts, { "_derive.json": "{}" }, { ...parts, "_derive.json": "{}" }]) {
      const [partition] = await verify(memoryPlace(objects as Record<string, Uint8Array>));
      expect(partition).toMatchObject({ state: "incomplete", claimed: "_derive.json" in objects });
      expect(partition!.problems).toEqual([
        { url: "memory:///", cause: "incomplete: there is no _SUCCESS. Run the same derive command again" },
      ]);
    }
  });

  test("a claim on a complete partition is told and is no problem", async () => {
    const [partition] = await verify(memoryPlace({ ...committed("", [one]), "_derive.json": "{}" }));
    expect(partition).toMatchObject({ state: "ok", claimed: true });
  });

  test("event parts are checked and listed, with and without a manifest", async () => {
    const event = "event-0123456789abcdef.zstd.parquet";
    for (const objects of [committed("", [one]), {}]) {
      const [sound] = await verify(memoryPlace({ ...objects, [event]: two.bytes }));
      expect(sound).toMatchObject({
        state: "ok",
        events: [`memory:///${event}`],
        rows: "_SUCCESS" in objects ? 30 : 0,
      });
      expect(await problemsOf({ ...objects, [event]: two.bytes.subarray(1) })).toEqual([
        `${event}: Cannot read Parquet: PAR1 is missing at byte 0.`,
      ]);
    }
  });

  test("strangers are listed, hidden names and folders are not", async () => {
    const objects = { "notes.txt": "", "data.parquet": "", _logs: "", ".x": "", "event-x": "", "sub/notes.txt": "" };
    const [partition] = await verify(memoryPlace({ ...committed("", [one]), ...objects }));
    expect(partition).toMatchObject({
      state: "ok",
      strangers: ["memory:///data.parquet", "memory:///event-x", "memory:///notes.txt"],
      strangerCount: 3,
    });
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`x${i}`, ""]));
    const [crowded] = await verify(memoryPlace({ ...committed("", [one]), ...many }));
    expect([crowded!.strangers.length, crowded!.strangerCount]).toEqual([100, 250]);
  });

  test("nothing of ours is an InputError that says what to name", async () => {
    const places: Record<string, string>[] = [{}, { "raw/a": "x", "sources.json": "{}" }];
    for (const objects of places) {
      const error = await verify(memoryPlace(objects)).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toContain("Name the --output of a batch");
    }
  });

  test("an interrupted verification ends", async () => {
    const place = memoryPlace(committed("", [one]));
    expect(Array.fromAsync(verifyPlace(place, AbortSignal.abort(new Error("SIGINT"))))).rejects.toThrow("SIGINT");
  });
});

describe("one file without a manifest", () => {
  const file = (bytes: Uint8Array) => verifyFile(memoryPlace({ "x.parquet": bytes }), "x.parquet", never);

  test("is sound or not", async () => {
    expect(await file(two.bytes)).toMatchObject({ url: "memory:///x.parquet", state: "ok", parts: 1, rows: 12 });
    expect(await file(none.bytes)).toMatchObject({ state: "ok", rows: 0 });
    expect(await file(new Uint8Array())).toMatchObject({ state: "differs" });
  });

  test("any bit flip gives an answer; those in pages, magic and footer length are found", async () => {
    const footerStart = two.bytes.length - 8 - new DataView(two.bytes.buffer).getUint32(two.bytes.length - 8, true);
    let unseen = 0;
    for (let at = 0; at < two.bytes.length; at++) {
      const bytes = two.bytes.slice();
      bytes[at] ^= 1 << (at % 8);
      const { state } = await file(bytes);
      if (state === "ok") unseen++;
      if (at < 4 || at >= two.bytes.length - 8) expect([at, state]).toEqual([at, "differs"]);
    }
    // Statistics, column names and the like carry no checksum in Parquet: only the manifest's hashes see them.
    expect(unseen).toBeLessThan(two.bytes.length - footerStart);
  });

  test("any cut is found", async () => {
    for (let length = 0; length < two.bytes.length; length++) {
      expect([length, (await file(two.bytes.subarray(0, length))).state]).toEqual([length, "differs"]);
    }
  });
});
