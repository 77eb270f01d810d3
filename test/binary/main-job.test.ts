// The main job through the built binary, in fresh folders: raw files in, Parquet out, read back by readers not ours.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { builtBinary } from "../../scripts/built.ts";
import { writeSampleDay } from "../../scripts/sample-day.ts";
import { framePing } from "../../src/heka/ping.ts";
import { READERS } from "../parquet/readers.ts";
import { derive } from "./derive.ts";

let folder = "";
const DAY = "telemetry-2/20151028/telemetry/4";
const out = (...segments: string[]) => join(folder, ...segments);
const batch = (...more: string[]) =>
  derive(["batch", "ExampleStream", "--from", "20151028", "--metadata", "raw", "--input", "raw", ...more], folder);

async function rowsOf(path: string, reader = "duckdb"): Promise<Record<string, unknown>[]> {
  return READERS[reader]!(new Uint8Array(readFileSync(out(path))));
}

beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-binary-"));
  writeSampleDay(out("raw"), { pings: 150, seed: 7 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PARTITION = "example_stream/v1/submission_date_s3=20151028";

describe("batch", () => {
  test("P7 a day becomes a partition, and its books balance with what DuckDB and arrow-rs read", async () => {
    const { exit, stdout, stderr } = await batch("-o", "derived", "--json", "--report-file", "report.json");
    expect([exit, stderr.includes("written")]).toEqual([0, true]);
    const report = JSON.parse(stdout);
    expect(JSON.parse(readFileSync(out("report.json"), "utf8"))).toEqual(report);
    const [partition] = report.partitions;
    expect(partition).toMatchObject({ state: "written", error: null });
    expect(partition.decoded).toBe(150);
    expect(partition.decoded).toBe(partition.written + partition.filtered + partition.failed);
    expect(partition.bytes).toBe(partition.bytesInFrames + partition.bytesDamaged + partition.bytesBlank);
    expect(report.totals.storedBytes).toBe(partition.storedBytes);
    const path = `derived/${PARTITION}/${partition.parts[0].key}`;
    for (const reader of Object.keys(READERS)) {
      const rows = await rowsOf(path, reader);
      expect(rows).toHaveLength(partition.written);
      expect(rows.every(({ docType }) => docType === "main" || docType === "crash")).toBe(true);
    }
  });

  test("P2 again: unchanged, nothing written; other options: exit 5; replaced when asked to", async () => {
    const before = readFileSync(out("derived", PARTITION, "_SUCCESS"));
    expect((await batch("-o", "derived")).stderr).toContain("unchanged");
    const conflict = await batch("-o", "derived", "--codec", "gzip");
    expect(conflict.exit).toBe(5);
    expect(conflict.stderr).toContain("--on-change replace");
    expect(readFileSync(out("derived", PARTITION, "_SUCCESS"))).toEqual(before);
    expect((await batch("-o", "derived", "--codec", "gzip", "--on-change", "replace")).exit).toBe(0);
    expect(readdirSync(out("derived", PARTITION)).sort()).toEqual(["_SUCCESS", "part-0-00000.gz.parquet"]);
  });

  test("P4 the same bytes from another folder, time zone, locale and number of workers", async () => {
    cpSync(out("raw"), out("elsewhere/raw"), { recursive: true });
    const words = ["batch", "ExampleStream", "--from", "2015-10-28", "--metadata", "raw", "--input", "raw"];
    await derive([...words, "-o", "a", "-j", "1"], out("elsewhere"), { env: { TZ: "Pacific/Apia", LC_ALL: "tr_TR" } });
    await batch("-o", "b", "-j", "3");
    for (const name of ["_SUCCESS", "part-0-00000.zstd.parquet"]) {
      expect(readFileSync(out("elsewhere/a", PARTITION, name))).toEqual(readFileSync(out("b", PARTITION, name)));
    }
  });

  test("several days, one of them empty; dimensions; a dry run", async () => {
    const words = [
      "batch",
      "AddonsStream",
      "--from",
      "20151027",
      "--to",
      "20151028",
      "--metadata",
      "raw",
      "--input",
      "raw",
    ];
    const only = ["--only", "appUpdateChannel=nightly,aurora", "--only", "appVersion=4*"];
    const dry = await derive([...words, ...only, "-o", "days", "--dry-run"], folder);
    expect([dry.exit, existsSync(out("days"))]).toEqual([0, false]);
    const ran = await derive([...words, ...only, "-o", "days", "--json"], folder);
    const report = JSON.parse(ran.stdout);
    expect([ran.exit, report.partitions.map(({ state }: { state: string }) => state)]).toEqual([
      0,
      ["empty", "written"],
    ]);
    const rows = await rowsOf("days/addons_stream/v1/submission_date_s3=20151028/part-0-00000.zstd.parquet");
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ channel }) => channel))).toEqual(new Set(["nightly", "aurora"]));
  });

  test("no object on any day is exit 4, unless --allow-empty", async () => {
    const words = ["batch", "ExampleStream", "--from", "20150101", "--metadata", "raw", "--input", "raw", "-o", "none"];
    expect((await derive(words, folder)).exit).toBe(4);
    expect((await derive([...words, "--allow-empty"], folder)).exit).toBe(0);
    expect(existsSync(out("none"))).toBe(false);
  });

  test("configured by derive.toml and DERIVE_*, it is a short command", async () => {
    mkdirSync(out("configured"));
    writeFileSync(out("configured/derive.toml"), 'metadata = "../raw"\noutput = "here"\n');
    const { exit } = await derive(["batch", "ExampleStream", "--from", "20151028"], out("configured"), {
      env: { DERIVE_INPUT: "../raw" },
    });
    expect([exit, existsSync(out("configured/here", PARTITION, "_SUCCESS"))]).toEqual([0, true]);
  });

  test("a damaged object fails its day alone, exit 4; too many errors are exit 3", async () => {
    cpSync(out("raw"), out("broken"), { recursive: true });
    const next = out("broken", DAY.replace("20151028", "20151029"), "main/Firefox/nightly/44.0a1/1");
    mkdirSync(next, { recursive: true });
    const frames = framePing({ id: "x", type: "main" }, {}, "hindsight");
    writeFileSync(join(next, "cut"), gzipSync(frames).subarray(0, 60));
    const words = ["batch", "ExampleStream", "--from", "20151028", "--metadata", "broken", "--input", "broken"];
    const two = await derive([...words, "--to", "20151029", "-o", "two"], folder);
    expect([two.exit, readdirSync(out("two/example_stream/v1"))]).toEqual([4, ["submission_date_s3=20151028"]]);
    expect(two.stderr).toMatch(/Cannot decompress file:\/\/\/.*cut/);
    const [object] = readdirSync(out("broken", DAY), { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    appendFileSync(join(object!.parentPath, object!.name), "x");
    const budget = await derive([...words, "-o", "three", "--max-errors", "0"], folder);
    expect([budget.exit, existsSync(out("three"))]).toEqual([3, false]);
    const strict = await derive([...words, "-o", "four", "--strict"], folder);
    expect([strict.exit, existsSync(out("four"))]).toEqual([4, false]);
  });
});

describe("convert and try", () => {
  const STREAM = `
    import { defineStream, string } from "derive";
    import { shout } from "./lib/words";
    export default defineStream({
      streamName: "telemetry",
      columns: { id: string("documentId"), country: string("geoCountry").map(shout).optional() },
    });`;

  beforeAll(() => {
    mkdirSync(out("mine/streams/lib"), { recursive: true });
    writeFileSync(out("mine/streams/MyStream.ts"), STREAM);
    writeFileSync(out("mine/streams/lib/words.ts"), 'export const shout = (word: string): string => word + "!";');
    const ping = (id: string, geoCountry: string | null) => ({ frame: { id, type: "main" }, meta: { geoCountry } });
    const pings = [ping("a", "DE"), ping("b", null), ping("c", "é\u{1F600}")];
    for (const era of ["heka", "hindsight", "landfill"] as const) {
      writeFileSync(
        out("mine", `${era}.heka`),
        Buffer.concat(pings.map(({ frame, meta }) => framePing(frame, meta, era))),
      );
    }
  });

  const expected = [
    { id: "a", country: "DE!" },
    { id: "b", country: null },
    { id: "c", country: "é\u{1F600}!" },
  ];

  test("a stream from ./streams, in an empty environment, on both eras: the same rows", async () => {
    for (const era of ["heka", "hindsight"]) {
      const ran = await derive(["convert", "MyStream", `${era}.heka`, "-o", `${era}.parquet`], out("mine"));
      expect([ran.exit, ran.stdout]).toEqual([0, ""]);
      for (const reader of Object.keys(READERS)) expect(await rowsOf(`mine/${era}.parquet`, reader)).toEqual(expected);
    }
  });

  test("globs, folders and stdin; a folder as output gets _SUCCESS", async () => {
    const glob = await derive(["convert", "MyStream", "h*.heka", "-o", "out", "--json"], out("mine"));
    expect(JSON.parse(glob.stdout).totals).toMatchObject({ objects: 2, written: 6 });
    expect(existsSync(out("mine/out/my_stream/v1/_SUCCESS"))).toBe(true);
    const stdin = readFileSync(out("mine/heka.heka"));
    const piped = await derive(["convert", "MyStream", "-", "-o", "piped.parquet"], out("mine"), { stdin });
    expect(piped.exit).toBe(0);
    expect(readFileSync(out("mine/piped.parquet"))).toEqual(readFileSync(out("mine/heka.parquet")));
  });

  test("one worker or several, one object or the same bytes split in two: the rows are the same", async () => {
    const bytes = readFileSync(out("mine/heka.heka"));
    mkdirSync(out("mine/split"));
    const first = framePing({ id: "a", type: "main" }, { geoCountry: "DE" }, "heka").length;
    writeFileSync(out("mine/split/1"), bytes.subarray(0, first));
    writeFileSync(out("mine/split/2"), bytes.subarray(first));
    await derive(["convert", "./streams/MyStream.ts", "split", "-o", "split.parquet"], out("mine"));
    expect(readFileSync(out("mine/split.parquet"))).toEqual(readFileSync(out("mine/heka.parquet")));
  });

  test("zero rows make a file that every reader opens", async () => {
    writeFileSync(out("mine/blank.heka"), "\n");
    expect((await derive(["convert", "MyStream", "blank.heka", "-o", "zero.parquet"], out("mine"))).exit).toBe(0);
    for (const reader of Object.keys(READERS)) expect(await rowsOf("mine/zero.parquet", reader)).toEqual([]);
  });

  test("try shows rows and fill rates, and writes nothing", async () => {
    const before = readdirSync(out("mine")).sort();
    const shown = await derive(["try", "MyStream", "heka.heka", "-n", "2"], out("mine"));
    expect(shown.exit).toBe(0);
    expect(shown.stdout.trimEnd().split("\n")).toHaveLength(3);
    expect(shown.stderr).toMatch(/country +66\.7 %/);
    const json = JSON.parse((await derive(["try", "MyStream", "heka.heka", "--json"], out("mine"))).stdout);
    expect(json).toMatchObject({ rows: expected, fill: { id: 1 }, written: 3 });
    expect(readdirSync(out("mine")).sort()).toEqual(before);
  });

  test("wrong words: exit 2, the nearest name, nothing on stdout", async () => {
    for (const [words, text] of [
      [["convert", "MyStraem", "heka.heka", "-o", "x"], "Did you mean MyStream?"],
      [["convert", "MyStream", "heka.heka", "--ouput", "x"], "Did you mean --output?"],
      [["covnert", "MyStream"], "Did you mean convert?"],
      [["convert", "MyStream", "heka.heka"], "--output"],
    ] as const) {
      const ran = await derive(words, out("mine"));
      expect([ran.exit, ran.stdout]).toEqual([2, ""]);
      expect(ran.stderr).toContain(text);
    }
    expect((await derive(["convert", "MyStream", "nothing.heka", "-o", "x"], out("mine"))).exit).toBe(4);
  });
});

test("Ctrl-C ends a batch with 130, within five seconds, and commits nothing", async () => {
  const started = performance.now();
  writeFileSync(
    out("Slow.ts"),
    'import { defineStream, string } from "derive";\nexport default defineStream({ streamName: "telemetry", where: () => { Bun.sleepSync(50); return true; }, columns: { id: string("documentId") } });',
  );
  const words = [
    "batch",
    "./Slow.ts",
    "--from",
    "20151028",
    "--metadata",
    "raw",
    "--input",
    "raw",
    "-o",
    "slow",
    "-j",
    "1",
  ];
  const { exit } = await derive(words, folder, { signal: { name: "SIGINT", afterMs: 700 } });
  expect(exit).toBe(130);
  expect(performance.now() - started).toBeLessThan(5700);
  expect(existsSync(out("slow"))).toBe(false);
});
