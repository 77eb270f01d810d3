// P6, P7, P9: objects made to hurt, through the built binary: nothing dies, memory and time are bounded, and every sound frame
// beside what is hostile becomes a row. The slow ones are for npm run fuzz.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { HOSTILE, type Hostile } from "../fuzz/hostile.ts";

const MAX_RSS = 500e6;
const MAX_SECONDS = 120;

const STREAM = `import { defineStream, json, long, map, string } from "derive";
export default defineStream({
  streamName: "telemetry",
  columns: {
    id: string(),
    b: long("a.b").optional(),
    text: string("text").optional(),
    environment: json("environment").optional(),
    proto: string(["__proto__", "polluted"]).optional(),
    names: map(string(), ["constructor"]).optional(),
  },
});
`;

const wanted = Object.entries(HOSTILE).filter(([, { slow }]) => !slow || process.env.DERIVE_FUZZ_SECONDS !== undefined);

let folder = "";
beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-hostile-"));
  writeFileSync(join(folder, "Hostile.ts"), STREAM);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the binary; how much memory it took is told by GNU time, where that is there. */
function run(words: readonly string[], env: Record<string, string> = {}) {
  const time = existsSync("/usr/bin/time") ? ["/usr/bin/time", "-q", "-f", "%M", "-o", join(folder, "rss")] : [];
  const started = performance.now();
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync([...time, builtBinary(), ...words], {
    cwd: folder,
    env,
  });
  const seconds = (performance.now() - started) / 1000;
  const rss = time.length > 0 ? Number(readFileSync(join(folder, "rss"), "utf8")) * 1024 : 0;
  return { exit: signalCode ?? exitCode, stdout: stdout.toString(), stderr: stderr.toString(), seconds, rss };
}

/** What is promised of each: with the kernel and without it the same, byte by byte. */
function check(name: string, { bytes, counts = {}, failures = {} }: Hostile): void {
  writeFileSync(join(folder, "object"), bytes());
  const frames = { frames: 10, undecodable: 0, ...counts };
  const expected = {
    ...{ bytesDamaged: 0, bytesBlank: 0, signed: 0, ...frames },
    decoded: frames.frames - frames.undecodable,
  };
  const counted = run(["cat", "--count", "--json", "object"]);
  expect({ name, exit: counted.exit, counts: JSON.parse(counted.stdout) }).toMatchObject({ exit: 0, counts: expected });

  const failed = Object.values(failures).reduce((sum, times) => sum + times, 0);
  const files: Buffer[] = [];
  for (const env of [{}, { DERIVE_KERNEL: "off" }] as Record<string, string>[]) {
    const converted = run(
      ["convert", "./Hostile.ts", "object", "-o", "out.parquet", "--json", "--max-errors", "100%"],
      env,
    );
    expect([name, converted.exit, converted.stderr.includes("yes")]).toEqual([name, 0, false]);
    const { totals } = JSON.parse(converted.stdout);
    const written = expected.decoded - failed;
    expect({ name, totals }).toMatchObject({ totals: { ...expected, written, failed, filtered: 0, failures } });
    files.push(readFileSync(join(folder, "out.parquet")));
    rmSync(join(folder, "out.parquet"));
    expect([name, "memory", converted.rss < MAX_RSS, converted.seconds < MAX_SECONDS]).toEqual([
      name,
      "memory",
      true,
      true,
    ]);
  }
  expect([name, "kernel or not", files[0]!.equals(files[1]!)]).toEqual([name, "kernel or not", true]);
  expect([name, "memory of cat", counted.rss < MAX_RSS, counted.seconds < MAX_SECONDS]).toEqual([
    name,
    "memory of cat",
    true,
    true,
  ]);
}

test.each(wanted)("%s", (name, hostile) => check(name, hostile), 300_000);

test("many at once, in worker threads: each has its own rows and its own books", () => {
  const raw = join(folder, "raw");
  mkdirSync(raw);
  const few = wanted.filter(([name]) => /^(length 4 GiB|a block that claims|headers and|names)/.test(name));
  for (const [index, [, { bytes }]] of few.entries()) writeFileSync(join(raw, `${index}`), bytes());
  const { exit, stdout } = run([
    "convert",
    "./Hostile.ts",
    "raw",
    "-o",
    "many.parquet",
    "--json",
    "--max-errors",
    "100%",
  ]);
  const { totals } = JSON.parse(stdout);
  const frames = few.reduce((sum, [, { counts }]) => sum + (counts?.frames ?? 10), 0);
  expect([exit, totals.objects, totals.frames]).toEqual([0, few.length, frames]);
  expect(totals.bytes).toBe(totals.bytesInFrames + totals.bytesDamaged + totals.bytesBlank);
});
