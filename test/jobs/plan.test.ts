// The plan: which objects, which partitions, which tasks, and which listings it takes to know.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { UsageError } from "../../src/errors.ts";
import { listDay, listDays } from "../../src/jobs/browse.ts";
import type { Filter } from "../../src/jobs/dimensions.ts";
import type { Dataset } from "../../src/jobs/metadata.ts";
import { type BatchPlan, inputsOf, planBatch, planTasks } from "../../src/jobs/plan.ts";
import { compareKeys } from "../../src/storage/keys.ts";
import { memoryPlace } from "../../src/storage/memory.ts";
import type { Source } from "../../src/storage/ports.ts";

const DATASET: Dataset = {
  name: "telemetry",
  prefix: "raw",
  dimensions: ["submissionDate", "docType", "appName"].map((name) => ({ name, allowed: "*" })),
};

const place = (...keys: string[]) => memoryPlace(Object.fromEntries(keys.map((key) => [key, key])));

const KEYS = [
  "raw/20151027/main/Firefox/a",
  "raw/20151028/crash/Fennec/a",
  "raw/20151028/crash/Firefox/a",
  "raw/20151028/main/Firefox/a",
  "raw/20151028/main/Firefox/b",
  "raw/20151029/main/Firefox/a",
  "rawest/20151028/main/Firefox/a",
];

const plan = (source: Source, days: string[], filters: Filter[] = [], partitionBy?: string[]) =>
  planBatch(source, DATASET, { days, filters, partitionBy });

const keysOf = ({ partitions }: Pick<BatchPlan, "partitions">) =>
  partitions.flatMap(({ tasks }) => tasks.flatMap(({ inputs }) => inputs.map(({ key }) => key)));

/** Notes what a source is asked to list. */
function spied(source: Source): { source: Source; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    source: {
      ...source,
      list(prefix) {
        asked.push(`list ${prefix}`);
        return source.list(prefix);
      },
      folders(prefix) {
        asked.push(`folders ${prefix}`);
        return source.folders(prefix);
      },
    },
  };
}

describe("a batch", () => {
  test("is one partition a day, in the order of days; empty days are told", async () => {
    const { partitions, emptyDays, strangers } = await plan(place(...KEYS), ["20151027", "20151028", "20151030"]);
    expect(partitions.map(({ path, day, objects }) => [path, day, objects])).toEqual([
      ["submission_date_s3=20151027", "20151027", 1],
      ["submission_date_s3=20151028", "20151028", 4],
    ]);
    expect(partitions[1]!.storedBytes).toBe(KEYS.slice(1, 5).join("").length);
    expect(emptyDays).toEqual(["20151030"]);
    expect(strangers).toEqual([]);
    expect(keysOf({ partitions })).toEqual(KEYS.slice(0, 5));
  });

  test("goes into one flat listing a day where nothing is pruned", async () => {
    const { source, asked } = spied(place(...KEYS));
    await plan(source, ["20151028"]);
    expect(asked).toEqual(["list raw/20151028/"]);
  });

  test("looks literal values up, lists siblings for globs only, and nothing below what is pruned", async () => {
    const { source, asked } = spied(place(...KEYS));
    expect(keysOf(await plan(source, ["20151028"], [{ docType: ["main", "none"] }]))).toEqual(KEYS.slice(3, 5));
    expect(asked.splice(0)).toEqual(["list raw/20151028/main/", "list raw/20151028/none/"]);

    expect(keysOf(await plan(source, ["20151028"], [{ appName: ["Fenn*"] }]))).toEqual([KEYS[1]!]);
    expect(asked.splice(0)).toEqual([
      "folders raw/20151028/",
      "folders raw/20151028/crash/",
      "list raw/20151028/crash/Fennec/",
      "folders raw/20151028/main/",
    ]);

    await plan(source, ["20151028"], [{ submissionDate: ["20151029"] }]);
    expect(asked).toEqual([]);
  });

  test("joins filters by AND", async () => {
    const filters: Filter[] = [
      { docType: ["main", "crash"], appName: ["F*"] },
      { docType: ["c*"] },
      { appName: ["Firefox"] },
    ];
    expect(keysOf(await plan(place(...KEYS), ["20151028"], filters))).toEqual([KEYS[2]!]);
    expect((await plan(place(...KEYS), ["20151028"], [{ docType: ["x"] }])).emptyDays).toEqual(["20151028"]);
  });

  test("partitions by further dimensions, by their values in keys", async () => {
    const { partitions } = await plan(place(...KEYS), ["20151028"], [], ["submissionDate", "appName"]);
    expect(partitions.map(({ path, objects }) => [path, objects])).toEqual([
      ["submission_date_s3=20151028/app_name_s3=Fennec", 1],
      ["submission_date_s3=20151028/app_name_s3=Firefox", 3],
    ]);
    expect(keysOf({ partitions: [partitions[1]!] })).toEqual(KEYS.slice(2, 5));
  });

  test.each([
    [[], "the day comes first"],
    [["docType"], "the day comes first"],
    [["docType", "submissionDate"], "the day comes first"],
    [["submissionDate", "docTyp"], "Did you mean docType?"],
    [["submissionDate", "docType", "docType"], "named twice"],
  ])("refuses partitionBy %j", async (partitionBy, message) => {
    const error = await plan(place(...KEYS), ["20151028"], [], partitionBy).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(message);
  });

  test("takes odd values as they are, one folder each", async () => {
    const odd = ["a b", "%2F", "..", "é=ü", "x:y", "日本"];
    const source = place(...odd.map((value) => `raw/20151028/${value}/app/o`), "raw/20151028//app/o");
    const { partitions } = await plan(source, ["20151028"], [], ["submissionDate", "docType"]);
    expect(partitions.map(({ path }) => path.split("/"))).toEqual(
      ["%252F", "..", "__HIVE_DEFAULT_PARTITION__", "a b", "x%3Ay", "é%3Dü", "日本"].map((value) => [
        "submission_date_s3=20151028",
        `doc_type_s3=${value}`,
      ]),
    );
    expect(keysOf(await plan(source, ["20151028"], [{ docType: ["a b"] }]))).toEqual(["raw/20151028/a b/app/o"]);
  });

  test("tells of keys with too few segments or a hidden name; deeper objects belong, markers of folders do not matter", async () => {
    const source = place(
      "raw/20151028/x",
      "raw/20151028/main/y",
      "raw/20151028/main/Firefox/deep/er/z",
      "raw/20151028/main/Firefox/.DS_Store",
      "raw/20151028/main/Firefox/",
    );
    source.objects.set("raw/20151028/", new Uint8Array());
    source.objects.set("raw/20151028/main/Firefox/", new Uint8Array());
    for (const filters of [[], [{ appName: ["F*"] }]]) {
      const made = await plan(source, ["20151028"], filters);
      expect(keysOf(made)).toEqual(["raw/20151028/main/Firefox/deep/er/z"]);
      expect([...made.strangers].sort()).toEqual([
        "raw/20151028/main/Firefox/.DS_Store",
        "raw/20151028/main/y",
        "raw/20151028/x",
      ]);
    }
  });

  test("a dataset at the top of its place, with the day alone", async () => {
    const dataset: Dataset = { name: "d", prefix: "", dimensions: [{ name: "day", allowed: "*" }] };
    const made = await planBatch(place("20151028/a", "20151029/b"), dataset, { days: ["20151028"], filters: [] });
    expect(keysOf(made)).toEqual(["20151028/a"]);
    expect(made.partitions[0]!.path).toBe("day_s3=20151028");
  });

  test("P4: depends on the objects alone, not on the order in which they came to be", async () => {
    const value = fc.constantFrom("a", "a.b", "a-", "é", "😀", "\uffee", "B");
    const key = fc.tuple(value, value, value).map((values) => `raw/20151028/${values.join("/")}`);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { maxLength: 20 }), fc.boolean(), async (keys, pruned) => {
        const filters = pruned ? [{ appName: ["a*", "😀"] }] : [];
        const made = await plan(place(...keys), ["20151028"], filters, ["submissionDate", "docType"]);
        expect(await plan(place(...keys.reverse()), ["20151028"], filters, ["submissionDate", "docType"])).toEqual(
          made,
        );
        const expected = keys.filter((one) => !pruned || /^(a|😀)/u.test(one.split("/")[3]!));
        expect(keysOf(made).sort(compareKeys)).toEqual(expected.sort(compareKeys));
        for (const partition of made.partitions) {
          const sorted = keysOf({ partitions: [partition] });
          expect(sorted).toEqual([...sorted].sort(compareKeys));
        }
      }),
    );
  });
});

describe("tasks", () => {
  const MiB = 1024 * 1024;
  const objects = (...sizes: number[]) =>
    sizes.map((size, i) => ({ key: String(i).padStart(6, "0"), size: size * MiB }));
  const sizes = (...all: number[]) =>
    planTasks(objects(...all)).map(({ inputs }) => inputs.map(({ size }) => size / MiB));

  test("hold 128 MiB, and never lose an object", () => {
    expect(sizes()).toEqual([]);
    expect(sizes(0)).toEqual([[0]]);
    expect(sizes(64, 64, 1)).toEqual([[64, 64], [1]]);
    expect(sizes(127, 2, 128, 128, 1)).toEqual([[127], [2], [128], [128], [1]]);
    expect(planTasks(objects(128, 128)).map(({ index }) => index)).toEqual([0, 1]);
  });

  test("grow to 512 MiB with the partition, so that it has about 16, and then about 64", () => {
    const tasksOf = (count: number) => sizes(...Array(count).fill(64)).map(({ length }) => length * 64);
    expect(tasksOf(32)).toEqual(Array(16).fill(128));
    expect(tasksOf(64)).toEqual(Array(16).fill(256));
    expect(tasksOf(128)).toEqual(Array(16).fill(512));
    expect(tasksOf(256)).toEqual(Array(32).fill(512));
    expect(tasksOf(1024)).toEqual(Array(64).fill(1024));
  });

  test("are ranges of an object that is larger: as long as each other, without a gap", () => {
    const tasks = planTasks(objects(10, 1100, 600, 1), { taskBytes: 512 * MiB });
    expect(tasks.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(tasks.map(({ inputs }) => inputs.map(({ size }) => size / MiB))).toEqual([
      [10],
      [1100],
      [1100],
      [1100],
      [600],
      [600],
      [1],
    ]);
    const ranges = tasks.map(({ range }) => range && [range.start / MiB, range.end / MiB].map(Math.floor));
    expect(ranges).toEqual([undefined, [0, 366], [366, 733], [733, 1100], [0, 300], [300, 600], undefined]);
    expect(tasks[1]!.range!.end).toBe(tasks[2]!.range!.start);
    expect(inputsOf(tasks)).toEqual(objects(10, 1100, 600, 1));
  });

  test("are in the order of keys, whatever the order of the listing", () => {
    const all = objects(300, 300, 300, 300, 300);
    expect(planTasks([...all].reverse())).toEqual(planTasks(all));
  });
});

describe("a dataset to look at", () => {
  test("its days", async () => {
    expect(await listDays(place(...KEYS), DATASET)).toEqual(["20151027", "20151028", "20151029"]);
    expect(await listDays(place(), DATASET)).toEqual([]);
  });

  test("one day: objects and sizes by the values of each dimension", async () => {
    const day = await listDay(place(...KEYS, "raw/20151028/stray"), DATASET, "20151028");
    expect(day).toMatchObject({ day: "20151028", objects: 4, strangers: ["raw/20151028/stray"] });
    expect(
      day.dimensions.map(({ name, values }) => [name, values.map(({ value, objects }) => [value, objects])]),
    ).toEqual([
      [
        "docType",
        [
          ["crash", 2],
          ["main", 2],
        ],
      ],
      [
        "appName",
        [
          ["Fennec", 1],
          ["Firefox", 3],
        ],
      ],
    ]);
    for (const { values } of day.dimensions) {
      expect(values.reduce((sum, value) => sum + value.storedBytes, 0)).toBe(day.storedBytes);
    }
  });
});
