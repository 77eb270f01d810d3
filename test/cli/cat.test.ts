// `derive cat`: raw objects of both eras, whole and damaged.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compressSnappy, encodeFrame, encodeMessage, type MessageInit } from "../../src/heka/writer.ts";
import { derive, inFolder, spawnDerive } from "./run.ts";

const frame = (init: MessageInit): Buffer => Buffer.from(encodeFrame(encodeMessage(init)));
const numbered = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from }, (_, i) =>
    frame({ uuid: new Uint8Array(16), timestamp: 1n, payload: `{"seq":${from + i}}` }),
  );
const payloads = (stdout: string): unknown[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(JSON.parse(line).payload).seq);

/** Writes files into a fresh folder and gives their path and URL. */
const withFile = <T>(bytes: Uint8Array, use: (path: string, url: string, folder: string) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    const path = join(folder, "object");
    writeFileSync(path, bytes);
    return use(path, pathToFileURL(path).href, folder);
  });

describe("json", () => {
  test("every member, exactly", async () => {
    const message = frame({
      uuid: Uint8Array.from({ length: 16 }, (_, i) => i),
      timestamp: 1443823905480123457n,
      type: "telemetry",
      logger: "l",
      severity: 3,
      payload: 'p\u2028"',
      envVersion: "1",
      pid: -5,
      hostname: "h",
      fields: [
        { name: "text", type: "string", values: ["a"] },
        { name: "texts", type: "string", values: ["a", "b"] },
        { name: "bytes", type: "bytes", values: [Uint8Array.of(0, 255)] },
        { name: "long", type: "integer", values: [9007199254740993n, -9223372036854775808n] },
        { name: "double", type: "double", values: [0.1, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1e300] },
        { name: "bool", type: "bool", values: [true] },
        { name: "__proto__", type: "string", values: ["own"] },
        { name: "twice", type: "string", values: ["1"] },
        { name: "twice", type: "string", values: ["2"] },
        { name: "none", type: "string", values: [] },
      ],
    });
    await withFile(message, async (path) => {
      const { exit, stdout, stderr } = await derive(["cat", path]);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(stdout).toBe(
        `{"uuid":"00010203-0405-0607-0809-0a0b0c0d0e0f","timestamp":1443823905480123457,"type":"telemetry","logger":"l",` +
          `"severity":3,"payload":${JSON.stringify('p\u2028"')},"envVersion":"1","pid":-5,"hostname":"h","fields":{` +
          `"text":"a","texts":["a","b"],"bytes":"AP8=","long":[9007199254740993,-9223372036854775808],` +
          `"double":[0.1,-0,"NaN","-Infinity",1e+300],"bool":true,"__proto__":"own","twice":["1","2"],"none":[]}}\n`,
      );
    });
  });

  test("files, folders, globs and stdin, in order", async () => {
    await inFolder(async (folder) => {
      mkdirSync(join(folder, "day/deep"), { recursive: true });
      const frames = numbered(0, 4);
      for (const [i, name] of ["day/a", "day/b", "day/deep/c", "d"].entries())
        writeFileSync(join(folder, name), frames[i]);
      const seen = async (...paths: string[]) =>
        payloads((await derive(["cat", ...paths.map((path) => join(folder, path))])).stdout);
      expect(await seen("day")).toEqual([0, 1, 2]);
      expect(await seen("d", "day/b")).toEqual([3, 1]);
      expect(await seen("day/*")).toEqual([0, 1, 2]);
      const { exit, stdout } = await spawnDerive(["cat", "-"], { stdin: Buffer.concat(frames), cwd: folder });
      expect([exit, payloads(stdout)]).toEqual([0, [0, 1, 2, 3]]);
    });
  });

  test("-n over all objects, --offset within one", async () => {
    const frames = numbered(0, 5);
    const second = frames[0].length;
    await withFile(Buffer.concat(frames), async (path, url) => {
      const seen = async (...words: string[]) => payloads((await derive(["cat", path, ...words])).stdout);
      expect(await seen("-n", "2")).toEqual([0, 1]);
      expect(await seen("--offset", String(second))).toEqual([1, 2, 3, 4]);
      expect(await seen("--offset", String(second + 3), "-n1")).toEqual([1]);
      expect((await derive(["cat", path, path, "-n7"])).stdout.trimEnd().split("\n")).toHaveLength(7);
      expect(await derive(["cat", path, "-n0"])).toMatchObject({ exit: 0, stdout: "" });
      const end = String(second * 5);
      expect(await derive(["cat", path, "--offset", end])).toMatchObject({
        exit: 4,
        stderr: expect.stringContaining(`Cannot read ${url} at offset ${end}: it ends at ${end}`),
      });
      expect(await derive(["cat", path, path, "--offset", "1"])).toMatchObject({ exit: 2 });
    });
  });
});

test("text is for reading: long values cut, nothing commands the terminal", async () => {
  const fields = [
    { name: "long", type: "string", values: ["x".repeat(5000)] },
    { name: "section", type: "bytes", values: ['{"a":1}'] },
    { name: "raw", type: "bytes", values: [Uint8Array.of(255, 254)] },
  ] as const;
  const message = frame({ timestamp: 1443823905480123457n, payload: "\x1b[31mred\nline", fields });
  await withFile(message, async (path, url) => {
    const { exit, stdout } = await derive(["cat", "--format", "text", path]);
    expect(exit).toBe(0);
    expect(stdout).toStartWith(`${url} at offset 0\n`);
    expect(stdout).toContain("1443823905480123457 (2015-10-02T22:11:45.480123457Z)");
    expect(stdout).toContain("␛[31mred␊line");
    expect(stdout).toContain("… (5,000 characters)");
    expect(stdout).toMatch(/fields\.section \(bytes\) +\{"a":1\}/);
    expect(stdout).toMatch(/fields\.raw \(bytes\) +2 bytes/);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(200);
  });
});

test("heka copies frames whole, undecodable ones too, damage not", async () => {
  const undecodable = Buffer.from(encodeFrame(Uint8Array.of(0x0a, 0x7f)));
  const [first, second] = numbered(0, 2);
  const compressed = Buffer.from(encodeFrame(compressSnappy(encodeMessage({ payload: "x".repeat(1000) }))));
  await withFile(Buffer.concat([first, Buffer.from("junk"), compressed, undecodable, second]), async (path) => {
    const { exit, bytes } = await derive(["cat", "--format", "heka", path]);
    expect(exit).toBe(0);
    expect(bytes.equals(Buffer.concat([first, compressed, undecodable, second]))).toBe(true);
    expect((await derive(["cat", "--format", "heka", "-n", "1", path])).bytes.equals(first)).toBe(true);
  });
});

describe("damage", () => {
  test("is told with URL and offset, and counted; the exit code stays 0 (P7)", async () => {
    const [first, second] = numbered(0, 2);
    const undecodable = Buffer.from(encodeFrame(Uint8Array.of(0x0a, 0x7f)));
    const bytes = Buffer.concat([first, Buffer.from("junk"), second, undecodable, Buffer.from("\n")]);
    await withFile(bytes, async (path, url) => {
      const { exit, stdout, stderr } = await derive(["cat", path]);
      expect([exit, payloads(stdout)]).toEqual([0, [0, 1]]);
      expect(stderr).toContain(`warning: ${url} at offset ${first.length}: 4 bytes: `);
      expect(stderr).toContain(
        `warning: ${url} at offset ${first.length + 4 + second.length}: ${undecodable.length} bytes: `,
      );
      expect((await derive(["cat", "-q", path])).stderr).toBe("");
      expect((await derive(["cat", "-v", path])).stderr).toStartWith(`reading ${url}\n`);

      const counted = await derive(["cat", "--count", "--json", path]);
      expect(JSON.parse(counted.stdout)).toEqual({
        object: url,
        storedBytes: bytes.length,
        bytes: bytes.length,
        bytesInFrames: bytes.length - 5,
        bytesDamaged: 4,
        bytesBlank: 1,
        frames: 3,
        undecodable: 1,
        signed: 0,
        decoded: 2,
      });
      const { stdout: line } = await derive(["cat", "--count", path]);
      expect(line).toBe(`2 messages, ${bytes.length} B, 1 undecodable, 4 B damaged  ${url}\n`);
    });
  });

  test("of more than a hundred places the first are told", async () => {
    const [one] = numbered(0, 1);
    await withFile(
      Buffer.concat(Array.from({ length: 120 }, () => Buffer.concat([one, Buffer.from("junk")]))),
      async (path) => {
        const { stderr } = await derive(["cat", path]);
        expect(stderr.trimEnd().split("\n")).toHaveLength(101);
        expect(stderr).toContain("120 faults in all; the first 100 are listed");
      },
    );
  });

  test("a missing input and a broken one cost exit 4, and nobody else", async () => {
    const bytes = Buffer.concat(numbered(0, 2));
    await withFile(bytes, async (path, _, folder) => {
      const cut = join(folder, "cut.gz");
      const gzipped = Bun.gzipSync(new Uint8Array(bytes));
      writeFileSync(cut, gzipped.subarray(0, gzipped.length - 6));
      const { exit, stdout, stderr } = await derive(["cat", join(folder, "none"), cut, path]);
      expect(exit).toBe(4);
      expect(payloads(stdout).slice(-2)).toEqual([0, 1]);
      expect(stderr).toContain(`error: Cannot read ${pathToFileURL(join(folder, "none")).href}: it does not exist`);
      expect(stderr).toContain(`error: Cannot decompress ${pathToFileURL(cut).href} at offset`);
    });
  });
});

test.each([
  [["--count", "-n", "1"], "Cannot use --count with -n"],
  [["--count", "--offset", "1"], "Cannot use --count with -n or --offset"],
  [["--json", "--format", "text"], "Cannot use --json with --format text"],
  [["--format", "jsn"], "Did you mean json?"],
])("derive cat x %j is refused", async (words, error) => {
  const { exit, stderr } = await derive(["cat", "x", ...words]);
  expect(exit).toBe(2);
  expect(stderr).toContain(error);
});

const real = join(import.meta.dir, "../../../shared/data");
if (!existsSync(real)) console.warn("SKIPPED: real Heka files, ../shared/data is missing");

test.skipIf(!existsSync(real))("real files: as many messages as their README says", async () => {
  const { exit, stdout } = await derive(["cat", "--count", "--json", join(real, "*.heka")]);
  expect(exit).toBe(0);
  const counts = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const decoded = Object.fromEntries(counts.map((count) => [count.object.split("/").at(-1), count.decoded]));
  expect(decoded).toEqual({
    "test_gzip.heka": 10,
    "test_gzip_mixed.heka": 10,
    "test_invalid_utf8.heka": 1,
    "test_mixed.heka": 10,
    "test_plain.heka": 10,
    "test_snappy.heka": 10,
    "test_telemetry_gzip.heka": 1,
    "test_telemetry_snappy.heka": 1,
  });
  for (const count of counts) {
    expect(count.bytesDamaged + count.undecodable).toBe(0);
    expect(count.bytes).toBe(count.bytesInFrames + count.bytesBlank);
  }
});

describe("--match", () => {
  const kinds = ["main", "crash", "main"].map((docType) =>
    frame({
      uuid: new Uint8Array(16),
      type: "telemetry",
      fields: [{ name: "docType", type: "string", values: [docType] }],
    }),
  );
  const broken = Buffer.from(encodeFrame(Uint8Array.of(0xff)));
  const words = ["--match", 'Type == "telemetry" && Fields[docType] =~ /^main/'];

  test("prints, copies or counts what matches; -n counts matches; a frame that holds no message matches nothing", async () => {
    await withFile(Buffer.concat([...kinds, broken]), async (path) => {
      const json = await derive(["cat", path, ...words]);
      expect([json.exit, json.stdout.split("\n").length]).toEqual([0, 3]);
      const heka = await derive(["cat", path, ...words, "--format", "heka"]);
      expect(heka.bytes).toEqual(Buffer.concat([kinds[0]!, kinds[2]!]));
      expect(heka.stderr).toContain(`at offset ${Buffer.concat(kinds).length}`);
      expect((await derive(["cat", path, ...words, "-n", "1"])).stdout.split("\n").length).toBe(2);
      expect((await derive(["cat", path, ...words, "--count"])).stdout).toStartWith("2 of 3 messages, ");
      expect(JSON.parse((await derive(["cat", path, ...words, "--count", "--json"])).stdout)).toMatchObject({
        decoded: 3,
        undecodable: 1,
        matched: 2,
      });
    });
  });

  test("an expression that is not understood is exit 2, with the place", async () => {
    const { exit, stderr, stdout } = await derive(["cat", "nowhere", "--match", "Typ == 'x'"]);
    expect([exit, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Did you mean Type?");
  });
});
