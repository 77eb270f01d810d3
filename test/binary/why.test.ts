// `derive why` and `derive verify --raw` in the built binary: from rows back to raw bytes, and from raw bytes to rows.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { deriveEvent } from "../../src/jobs/event.ts";
import { WorkerPool } from "../../src/jobs/pool.ts";
import { describeStream, resolveStream } from "../../src/jobs/streams.ts";
import { READERS } from "../parquet/readers.ts";
import { type Double, startDouble } from "../s3/double.ts";
import { derive } from "./derive.ts";
import { pingFrame, UNDECODABLE, writeObject, writeStreams } from "./faulty-days.ts";

let folder = "";
let double: Double;
const DAY = "20151028";
const PARTITION = `hours/v1/submission_date_s3=${DAY}`;
const OBJECTS = ["a", "b", "c", "d"];
/** Wide enough that two objects take more than one row group of 16 MiB. */
const WIDE = 1500;

/** One object's frames by clientId, with a fault after every hundredth. */
function objectOf(
  name: string,
  pings: number,
): { bytes: Uint8Array; at: Map<string, { offset: number; frame: Uint8Array }> } {
  const pieces: Uint8Array[] = [];
  const at = new Map<string, { offset: number; frame: Uint8Array }>();
  let offset = 0;
  const add = (piece: Uint8Array): void => {
    pieces.push(piece);
    offset += piece.length;
  };
  for (let number = 0; number < pings; number++) {
    // Texts that a dictionary does not make smaller.
    const id = `${name}${number}-`.padEnd(WIDE, String(Bun.hash(`${name}${number}`)));
    const frame = pingFrame(id, number, number % 3 === 0);
    at.set(id, { offset, frame });
    add(frame);
    if (number % 100 === 50)
      add([pingFrame(id, "fails"), UNDECODABLE, Buffer.from("\x01noise")][((number / 50) % 3) | 0]!);
    if (number % 100 === 51) add(Buffer.from("\n"));
  }
  return { bytes: Buffer.concat(pieces), at };
}

const objects = new Map(OBJECTS.map((name, index) => [name, objectOf(name, [3000, 3, 8700, 500][index]!)]));

beforeAll(async () => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-why-"));
  writeStreams(folder);
  double = await startDouble({ pageSize: 3 });
  for (const name of ["a", "b", "c"]) writeObject(folder, DAY, name, objects.get(name)!.bytes, name === "b");
  const run = (...flags: string[]) =>
    derive(["batch", "Hours", "--from", DAY, "--max-errors", "5%", "--max-part-bytes", "1", ...flags], folder);
  expect((await run()).exit).toBe(0);
  writeObject(folder, DAY, "d", objects.get("d")!.bytes);
  expect((await run("--on-change", "append")).exit).toBe(0);
});
afterAll(() => {
  double.stop();
  rmSync(folder, { recursive: true, force: true });
});

const why = (...words: string[]) => derive(["why", ...words, "--max-part-bytes", "1"], folder);
const manifest = () => JSON.parse(readFileSync(join(folder, "out", PARTITION, "_SUCCESS"), "utf8"));
const rowsOf = (path: string) => READERS.duckdb!(new Uint8Array(readFileSync(join(folder, path))));

describe("from a row to the raw frame", () => {
  test("the rows of every part of every generation, at its ends and in between, each with its own frame and paths", async () => {
    const { generations } = manifest();
    expect(generations.map(({ parts }: { parts: unknown[] }) => parts.length)).toEqual([2, 1]);
    for (const { key, rows: count } of generations.flatMap(
      ({ parts }: { parts: { key: string; rows: number }[] }) => parts,
    )) {
      const rows = await rowsOf(`out/${PARTITION}/${key}`);
      expect(rows).toHaveLength(count);
      for (const row of new Set([0, Math.floor(count / 2), count - 1])) {
        const { exit, stdout, stderr } = await why(`out/${PARTITION}/${key}:${row}`, "--json");
        expect([exit, stderr]).toEqual([0, ""]);
        const found = JSON.parse(stdout);
        const { clientId, hours } = rows[row] as { clientId: string; hours: number };
        const { offset, frame } = objects.get(clientId[0]!)!.at.get(clientId)!;
        expect(found).toMatchObject({
          row,
          object: `file://${folder}/raw/t/${DAY}/${clientId[0]}`,
          offset,
          length: frame.length,
          fate: "written",
          stream: "Hours",
          checks: { object: true, rows: true, row: true, stream: true },
          columns: {
            clientId: { value: clientId, paths: [{ path: "clientId", as: "string", value: clientId }] },
            hours: { value: hours, paths: [{ path: "hours", as: "double", value: hours }] },
          },
        });
        expect(found.message.fields).toEqual({ clientId, hours });
      }
    }
  });

  test("for people: part, frame, checks, columns with their paths, the message; nothing that commands a terminal", async () => {
    const evil = "\x1b[2J\x07evil";
    writeFileSync(join(folder, "evil.heka"), Buffer.concat([pingFrame("one", 1), pingFrame(evil, 2)]));
    expect((await derive(["convert", "Hours", "evil.heka", "-o", "evil"], folder)).exit).toBe(0);
    const { exit, stdout } = await derive(["why", "evil/hours/v1/part-0-00000.zstd.parquet:1", "--input", "."], folder);
    expect(exit).toBe(0);
    expect(stdout).toContain("part-0-00000.zstd.parquet row 1");
    expect(stdout).toContain(`evil.heka offset ${pingFrame("one", 1).length} to `);
    expect(stdout).toContain(
      "the raw object is unchanged · it gives as many rows as then · the row is as it is stored",
    );
    expect(stdout).toMatch(/hours +2 +hours = 2/);
    expect(stdout).toContain("␛[2J␇evil");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there.
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });

  test("a stream with buildRecord: the paths are found by what changes with them", async () => {
    writeFileSync(
      join(folder, "streams/Built.ts"),
      `import { defineStream } from "derive";
export default defineStream({
  streamName: "telemetry",
  buildSchema: () => ({ type: "record", name: "Built", fields: [
    { name: "id", type: "string" }, { name: "minutes", type: "double" }, { name: "note", type: ["null", "string"] }, { name: "one", type: "int" },
  ] }),
  buildRecord: (message) => {
    if (message.has("absent") || message.double("hours", -1) === 2) return null;
    const note: string = message.json([]).note;
    return { id: message.string("clientId").toUpperCase(), minutes: message.double("hours") * 60, note: message.string("nothing", null) ?? note, one: 1 };
  },
});
`,
    );
    writeFileSync(join(folder, "built.heka"), Buffer.concat([1, 2, 3].map((hours) => pingFrame(`c${hours}`, hours))));
    expect((await derive(["convert", "Built", "built.heka", "-o", "built.parquet"], folder)).exit).toBe(0);
    const { exit, stdout } = await derive(["why", "built.parquet:1", "--input", "built.heka", "--json"], folder);
    const { columns, asked, checks } = JSON.parse(stdout);
    const paths = (name: string) => columns[name].paths.map(({ path }: { path: string }) => path);
    expect([exit, checks.row]).toEqual([0, true]);
    expect([paths("id"), paths("minutes"), paths("note"), paths("one")]).toEqual([["clientId"], ["hours"], ["[]"], []]);
    expect(asked.map(({ path }: { path: string }) => path)).toEqual(["absent", "nothing"]);
  });

  test("an event part, on S3, from its footer; and a part of a batch there", async () => {
    const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_ENDPOINT_URL_S3: double.endpoint };
    const { bytes, at } = objects.get("d")!;
    const key = `t/${DAY}/a%20key+with é`;
    double.store.place("raw", key, bytes);
    double.store.place("out", "somebody/else", new Uint8Array(1));
    const stream = resolveStream("Hours", folder);
    const pool = new WorkerPool(1);
    const s3 = { endpointUrl: double.endpoint };
    const before = { ...process.env };
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" });
    const job = {
      stream,
      facts: await describeStream(stream),
      dataset: { name: "telemetry", prefix: "t", dimensions: [{ name: "submissionDate", allowed: "*" as const }] },
      output: { url: "s3://out/events", s3 },
      input: s3,
      only: [],
      codec: "zstd" as const,
      maxErrors: { count: 100, fraction: 0 },
      strict: false,
    };
    const { part } = await deriveEvent(job, { bucket: "raw", key }, pool, new AbortController().signal);
    await pool.close();
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    const [id, { offset }] = [...at][123]!;
    const url = `s3://out/events/${part!.key}`;
    // In a folder whose derive.toml names another input.
    const elsewhere = (words: string[]) =>
      derive(["why", ...words, "--json", "--stream", join(folder, "streams/Hours.ts")], tmpdir(), { env });
    const ended = await elsewhere([`${url}:123`]);
    expect([ended.exit, ended.stderr]).toEqual([0, ""]);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      object: `s3://raw/${key}`,
      offset,
      checks: { object: true, row: true },
    });
    const back = await derive(
      [
        "why",
        join(folder, "streams/Hours.ts"),
        `s3://raw/${key}`,
        "--offset",
        String(offset),
        "-o",
        "s3://out/events",
        "--json",
      ],
      tmpdir(),
      { env },
    );
    expect(JSON.parse(back.stdout)).toMatchObject({ part: url, row: 123, columns: { clientId: { value: id } } });

    const words = [
      "batch",
      join(folder, "streams/Hours.ts"),
      "--from",
      DAY,
      "--input",
      "s3://raw",
      "-o",
      "s3://out/batch",
      "--max-errors",
      "5%",
    ];
    expect((await derive(words, folder, { env })).exit).toBe(0);
    const ofBatch = await elsewhere([
      `s3://out/batch/${PARTITION}/part-0-00000.zstd.parquet:123`,
      "--input",
      "s3://raw",
    ]);
    expect(JSON.parse(ofBatch.stdout)).toMatchObject({
      object: `s3://raw/${key}`,
      offset,
      checks: { object: true, rows: true, row: true },
    });
    const verified = await derive(["verify", "--raw", "s3://out/batch", "--input", "s3://raw", "--json"], tmpdir(), {
      env,
    });
    expect(JSON.parse(verified.stdout)).toMatchObject({
      exit: 0,
      raw: { objects: 1, read: bytes.length, accounted: true },
    });
  });

  test("what is not as it was then is told: the object, the stream, the row; exit 7", async () => {
    const part = `out/${PARTITION}/part-1-00000.zstd.parquet`;
    const path = join(folder, "raw/t", DAY, "d");
    const changed = Buffer.from(objects.get("d")!.bytes);
    changed.set([0x78], changed.length - 30); // within the last message
    writeFileSync(path, changed);
    const ofChanged = await why(`${part}:7`, "--json");
    writeFileSync(path, objects.get("d")!.bytes);
    expect([ofChanged.exit, JSON.parse(ofChanged.stdout).checks]).toEqual([
      7,
      expect.objectContaining({ object: false }),
    ]);
    expect(ofChanged.stderr).toContain(`raw/t/${DAY}/d has changed since`);

    const other = readFileSync(join(folder, "streams/Hours.ts"), "utf8").replace(
      "double()",
      "double().map((h) => h + 1)",
    );
    writeFileSync(join(folder, "Other.ts"), other);
    const ofOther = await why(`${part}:7`, "--json", "--stream", "./Other.ts");
    expect([ofOther.exit, JSON.parse(ofOther.stdout).checks]).toEqual([
      7,
      { object: true, rows: true, row: false, stream: false },
    ]);
    expect(ofOther.stderr).toContain("is not what stream Other makes of this message now");

    writeFileSync(
      join(folder, "Same.ts"),
      `// another text\n${readFileSync(join(folder, "streams/Hours.ts"), "utf8")}`,
    );
    const ofSame = await why(`${part}:7`, "--json", "--stream", "./Same.ts");
    expect([ofSame.exit, JSON.parse(ofSame.stdout).checks]).toEqual([
      0,
      { object: true, rows: true, row: true, stream: false },
    ]);

    renameSync(path, `${path}-gone`);
    const ofGone = await why(`${part}:7`);
    renameSync(`${path}-gone`, path);
    expect([ofGone.exit, ofGone.stderr]).toEqual([
      4,
      expect.stringContaining(`raw/t/${DAY}/d: it does not exist. --input names`),
    ]);
  });

  test.each([
    [["out/x.parquet"], 2, "write PART:ROW"],
    [["out/**/*.parquet:0"], 2, "is several files"],
    [["nowhere.parquet:0"], 4, "nowhere.parquet"],
    [[`out/${PARTITION}/part-1-00000.zstd.parquet:500`], 2, "its rows are 0 to 499"],
    [["Hours", `raw/t/${DAY}/a`], 2, "add --offset N"],
    [["Hours", `raw/t/${DAY}/a`, "--offset", "99999999"], 4, "it ends at"],
    [["Hours", "raw/t/nothing", "--offset", "0"], 4, "it does not exist"],
  ])("%j cannot be told: exit %i", async (words, exit, text) => {
    const ended = await why(...words);
    expect([ended.exit, ended.stderr]).toEqual([exit, expect.stringContaining(text)]);
  });
});

test("from a raw frame to its fate: its part and row, or the cause why there is none", async () => {
  const { bytes, at } = objects.get("d")!;
  const entries = [...at];
  const fateAt = async (offset: number) => {
    const { exit, stdout, stderr } = await why("Hours", `raw/t/${DAY}/d`, "--offset", String(offset), "--json");
    expect([exit, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout);
  };
  const [, { offset, frame }] = entries[321]!;
  for (const byte of [offset, offset + 9, offset + frame.length - 1]) {
    expect(await fateAt(byte)).toMatchObject({
      fate: "written",
      offset,
      part: `file://${folder}/out/${PARTITION}/part-1-00000.zstd.parquet`,
      row: 321,
      checks: { object: true, rows: true, row: true, stream: true },
    });
  }
  const after = (number: number) => entries[number]![1].offset + entries[number]![1].frame.length;
  expect(await fateAt(after(50))).toMatchObject({
    fate: "undecodable",
    part: null,
    offset: after(50),
    length: UNDECODABLE.length,
  });
  expect(await fateAt(after(51))).toMatchObject({ fate: "blank", length: 1 });
  expect(await fateAt(after(150))).toMatchObject({ fate: "failed", cause: "hours is not a double", path: "hours" });
  const damaged = [150, 250, 350].map(after).find((byte) => bytes[byte] === 1);
  if (damaged !== undefined) expect(await fateAt(damaged)).toMatchObject({ fate: "damaged", length: 6 });

  writeFileSync(
    join(folder, "streams/Few.ts"),
    'import { defineStream, string } from "derive";\nexport default defineStream({ streamName: "telemetry", where: () => false, columns: { clientId: string() } });\n',
  );
  const filtered = await why("Few", `raw/t/${DAY}/d`, "--offset", String(offset));
  expect([filtered.exit, filtered.stdout]).toEqual([0, expect.stringContaining("left out by the stream: where")]);
  cpSync(join(folder, "raw/t", DAY, "d"), join(folder, "loose.heka"));
  const loose = await why("Hours", "loose.heka", "--offset", String(offset));
  expect([loose.exit, loose.stderr]).toEqual([0, expect.stringContaining("was made from")]);
});

describe("P7 verify --raw", () => {
  const verify = (...words: string[]) => derive(["verify", "--raw", ...words], folder);

  test("every byte of every generation is accounted for, in one line", async () => {
    const { exit, stderr } = await verify("out/hours");
    expect([exit, stderr]).toEqual([0, expect.stringContaining("every byte is accounted for")]);
    const { stdout } = await verify("out/hours", "--json");
    const { raw, partitions } = JSON.parse(stdout);
    const counts = manifest().generations.map((one: { counts: Record<string, number> }) => one.counts);
    const sum = (name: string) => counts.reduce((total: number, one: Record<string, number>) => total + one[name]!, 0);
    expect(raw).toEqual({
      objects: 4,
      listed: sum("storedBytes"),
      read: sum("storedBytes"),
      bytes: OBJECTS.reduce((total, name) => total + objects.get(name)!.bytes.length, 0),
      bytesInFrames: sum("bytesInFrames"),
      bytesDamaged: sum("bytesDamaged"),
      bytesBlank: sum("bytesBlank"),
      frames: sum("frames"),
      rowsWritten: 12_203,
      rowsInFooters: 12_203,
      accounted: true,
    });
    expect(partitions[0].raw.later).toEqual([]);
  });

  test.each([
    ["gone", undefined, /\/d: missing: _SUCCESS was made from this raw object/],
    [
      "longer",
      (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.from("\n")]),
      /\/d: changed: \d+ bytes found, \d+ in _SUCCESS/,
    ],
    [
      "of the same size",
      (bytes: Uint8Array) => Buffer.from(bytes).fill(0x20, 40, 41),
      /\/d: changed: ETag xxh3:\w+ found/,
    ],
  ])("a raw object that is %s: where, and exit 7", async (_what, change, text) => {
    const path = join(folder, "raw/t", DAY, "d");
    const { bytes } = objects.get("d")!;
    if (change) writeFileSync(path, change(bytes));
    else rmSync(path);
    const { exit, stderr } = await verify("out/hours");
    writeFileSync(path, bytes);
    expect([exit, stderr]).toEqual([7, expect.stringMatching(text)]);
    expect(stderr).toContain("not every byte is accounted for");
  });

  test("books that were edited, and raw objects that came later", async () => {
    const path = join(folder, "out", PARTITION, "_SUCCESS");
    const text = readFileSync(path, "utf8");
    writeObject(folder, DAY, "later", pingFrame("x", 1));
    const edited = JSON.parse(text);
    edited.generations[1].counts.bytesDamaged += 5;
    edited.generations[1].counts.bytes += 5;
    writeFileSync(path, JSON.stringify(edited));
    const { exit, stderr } = await verify("out/hours");
    writeFileSync(path, text);
    rmSync(join(folder, "raw/t", DAY, "later"));
    expect([exit, stderr]).toEqual([7, expect.stringMatching(/raw: bytesDamaged: \d+ found, \d+ in _SUCCESS/)]);
    expect(stderr).toMatch(/1 raw object beside those that it was made from, such as file:.*later/);
  });
});
