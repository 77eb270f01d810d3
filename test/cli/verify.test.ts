// `derive verify`: exit codes, what people and programs are told, and how much memory it takes.
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { createAppender } from "../../src/avro/appender.ts";
import { toParquetSchema } from "../../src/avro/columns.ts";
import { parseSchema } from "../../src/avro/schema.ts";
import { PartAssembler } from "../../src/parquet/file.ts";
import { RowGroupBuilder } from "../../src/parquet/rowgroup.ts";
import { committed, parquetPart, partKey } from "../jobs/committed.ts";
import { derive, entry, inFolder } from "./run.ts";

const one = { bytes: parquetPart(30), rows: 30 };
const two = { bytes: parquetPart(7, 5), rows: 12 };

function lay(folder: string, objects: Record<string, Uint8Array | string>): void {
  for (const [key, content] of Object.entries(objects)) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), content);
  }
}

const withDays = <T>(use: (folder: string) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    lay(folder, { ...committed("s/v1/day=1/", [one]), ...committed("s/v1/day=2/", [one, two]) });
    return use(folder);
  });

describe("a sound output", () => {
  test("is one line, and one for each partition with -v; nothing on stdout", async () => {
    await withDays(async (folder) => {
      const total = `✓ 2 partitions, 3 parts, 72 rows, ${((2 * one.bytes.length + two.bytes.length) / 1000).toPrecision(3)} kB: all sound\n`;
      expect(await derive(["verify", folder])).toMatchObject({ exit: 0, stdout: "", stderr: total });
      expect(await derive(["verify", folder, "-q"])).toMatchObject({ exit: 0, stdout: "", stderr: "" });
      const { stderr } = await derive(["verify", folder, "-v"]);
      const day = (n: number) => `${pathToFileURL(folder).href}/s/v1/day=${n}/`;
      expect(stderr.split("\n")[0]).toEndWith(`  ${day(1)}`);
      expect(stderr.split("\n")[0]).toStartWith("ok          1 part, 30 rows, ");
      expect(stderr.split("\n")[1]).toEndWith(`  ${day(2)}`);
      expect(stderr).toEndWith(total);
    });
  });

  test("may be named by any of its folders, by URL, or by one of its parts", async () => {
    await withDays(async (folder) => {
      const day = join(folder, "s/v1/day=2");
      for (const place of [day, `${day}/`, pathToFileURL(day).href, join(day, partKey(0, 1)), join(folder, "s")]) {
        expect([place, (await derive(["verify", place])).exit]).toEqual([place, 0]);
      }
      const file = await derive(["verify", join(day, partKey(0, 1))]);
      expect(file.stderr).toContain("1 partition, 1 part, 12 rows");
    });
  });

  test("that derive itself wrote", async () => {
    await inFolder(async (folder) => {
      const raw = join(folder, "empty.heka");
      writeFileSync(raw, "\n");
      const out = join(folder, "out");
      expect(await derive(["convert", "ExecutiveStream", raw, "-o", out])).toMatchObject({ exit: 0 });
      const { exit, stdout } = await derive(["verify", out, "--json"]);
      expect(exit).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        exit: 0,
        partitions: [{ state: "ok", parts: 1, rows: 0, problems: [] }],
      });
    });
  });
});

describe("exit 7", () => {
  test("names what differs, what was expected and what was found; the others are verified all the same", async () => {
    await withDays(async (folder) => {
      const path = join(folder, "s/v1/day=1", partKey(0, 0));
      const bytes = readFileSync(path);
      bytes[100]! ^= 4;
      writeFileSync(path, bytes);
      rmSync(join(folder, "s/v1/day=2", partKey(0, 1)));
      lay(folder, { "s/v1/day=2/part-7-00000.parquet": "x", "s/v1/day=3/part-0-00000.parquet": "x" });
      const { exit, stdout, stderr } = await derive(["verify", folder]);
      expect({ exit, stdout }).toEqual({ exit: 7, stdout: "" });
      const url = pathToFileURL(folder).href;
      const lines = stderr
        .replace(/[0-9a-f]{64}|[0-9a-f]{8}(?= )/g, "…")
        .replaceAll(url, "")
        .split("\n");
      expect(lines.slice(0, -2)).toEqual([
        `error: /s/v1/day=1/${partKey(0, 0)}: CRC-32: … found, … in _SUCCESS`,
        `error: /s/v1/day=1/${partKey(0, 0)}: SHA-256: … found, … in _SUCCESS`,
        expect.stringMatching(/Cannot trust Parquet: a page .* \(byte \d+\)\.$/),
        `error: /s/v1/day=2/${partKey(0, 1)}: missing: _SUCCESS lists it, and it is not there`,
        "error: /s/v1/day=2/part-7-00000.parquet: surplus: _SUCCESS does not list this part",
        "error: /s/v1/day=3/: incomplete: there is no _SUCCESS. Run the same derive command again",
      ]);
      expect(lines.at(-2)).toEndWith(": 0 ok, 2 differ, 1 incomplete; 6 problems");
    });
  });

  test("--json is one object, in the order of URLs", async () => {
    await withDays(async (folder) => {
      const event = "event-0123456789abcdef.zstd.parquet";
      lay(folder, { "s/v1/day=1/_derive.json": "{}", [`s/v1/day=1/${event}`]: two.bytes, "s/v1/day=1/notes.txt": "" });
      rmSync(join(folder, "s/v1/day=2/_SUCCESS"));
      const { exit, stdout } = await derive(["verify", folder, "--json", "-q"]);
      expect(exit).toBe(7);
      const url = (n: number) => `${pathToFileURL(folder).href}/s/v1/day=${n}/`;
      expect(JSON.parse(stdout)).toMatchObject({
        exit: 7,
        partitions: [
          {
            url: url(1),
            state: "ok",
            parts: 1,
            rows: 30,
            bytes: one.bytes.length,
            problems: [],
            events: [`${url(1)}${event}`],
            strangers: [`${url(1)}notes.txt`],
            strangerCount: 1,
            claimed: true,
          },
          {
            url: url(2),
            state: "incomplete",
            parts: 0,
            rows: 0,
            bytes: 0,
            problems: [{ url: url(2), cause: expect.stringContaining("no _SUCCESS") }],
            events: [],
            strangers: [],
            strangerCount: 0,
            claimed: false,
          },
        ],
      });
    });
  });

  test("what a manifest says cannot command the terminal", async () => {
    await inFolder(async (folder) => {
      const objects = committed("", [one]);
      lay(folder, { ...objects, _SUCCESS: String(objects._SUCCESS).replace('"Sample"', '"\\u001b[2J"') });
      const { exit, stderr } = await derive(["verify", folder]);
      expect(exit).toBe(7);
      expect(stderr).toContain("stream in its footer: Sample found, ␛[2J in _SUCCESS");
    });
  });

  test("a claim and strangers are told and are no fault", async () => {
    await withDays(async (folder) => {
      lay(folder, { "s/v1/day=1/_derive.json": "{}", "s/v1/day=2/notes.txt": "" });
      const { exit, stderr } = await derive(["verify", folder]);
      expect(exit).toBe(0);
      expect(stderr).toContain("day=1/: a run on it is not finished");
      expect(stderr).toContain("day=2/: 1 object that derive did not write, such as file:");
    });
  });
});

test("exit 4 where nothing is derived, 2 for places that are none", async () => {
  await inFolder(async (folder) => {
    for (const place of [folder, join(folder, "nowhere"), join(folder, "nowhere.parquet")]) {
      const { exit, stderr } = await derive(["verify", place]);
      expect(exit).toBe(4);
      expect(stderr).toContain("no _SUCCESS and no part lies there");
    }
    expect(await derive(["verify"])).toMatchObject({ exit: 2 });
    expect(await derive(["verify", "gopher://x"])).toMatchObject({ exit: 2 });
  });
});

test("P9: memory does not grow with the size of a part", async () => {
  await inFolder(async (folder) => {
    const schema = parseSchema({ type: "record", name: "Wide", fields: [{ name: "id", type: "bytes" }] });
    const columns = toParquetSchema(schema);
    const group = new RowGroupBuilder(columns, { codec: "none" });
    const appender = createAppender(schema, group);
    for (let row = 0; row < 64; row++) appender.append({ id: crypto.getRandomValues(new Uint8Array(1 << 16)) });
    const encoded = group.finish();
    const peakOf = async (groups: number): Promise<number> => {
      const path = join(folder, `${groups}.parquet`);
      const part = new PartAssembler(columns, []);
      const file = Bun.file(path).writer();
      file.write(part.header());
      for (let i = 0; i < groups; i++) {
        file.write(part.place(encoded));
        await file.flush();
      }
      file.write(part.finish());
      await file.end();
      const child = Bun.spawn([...entry, "verify", path], { stdout: "ignore", stderr: "pipe" });
      expect([await child.exited, await child.stderr.text()]).toEqual([0, expect.stringContaining(": all sound")]);
      rmSync(path);
      return child.resourceUsage()!.maxRSS / 1024 ** 2;
    };
    const small = await peakOf(2);
    const large = await peakOf(50);
    expect(large - small).toBeLessThan(64);
  });
});

test("leaves no temporary file behind", async () => {
  await withDays(async (folder) => {
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    const { exitCode } = Bun.spawnSync([...entry, "verify", join(folder, "s")], {
      env: { PATH: process.env.PATH, TMPDIR: temporary },
    });
    expect([exitCode, readdirSync(temporary)]).toEqual([0, []]);
  });
});
