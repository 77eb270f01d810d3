// P1, P2, P3 through the built binary on S3: killed before each of its requests and at each lost answer, run again, compared.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { framePing } from "../../src/heka/ping.ts";
import { type Asked, type Double, startDouble } from "../s3/double.ts";
import { textOf } from "../storage/contract.ts";
import { CREDENTIALS } from "../storage/s3-places.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

let folder = "";
let double: Double;
/** Whether the answer to a request is lost. */
let lose: (asked: Asked) => boolean = () => false;

const STREAM = `import { defineStream, string } from "derive";
export default defineStream({ streamName: "telemetry", columns: { id: string("documentId") } });`;
const PARTITION = "out/s/v1";

beforeAll(async () => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-s3-commit-"));
  writeFileSync(join(folder, "S.ts"), STREAM);
  for (const [set, objects] of [
    ["raw", ["a", "b"]],
    ["more", ["a", "b", "c"]],
  ] as const) {
    mkdirSync(join(folder, set));
    for (const name of objects)
      writeFileSync(join(folder, set, name), framePing({ id: name, type: "main" }, {}, "heka"));
  }
  double = await startDouble();
});
afterAll(() => {
  double.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  lose = () => false;
  double.asked.length = 0;
  objects().clear();
});

const objects = () => double.store.buckets.get("bucket")!;
const state = () => Object.fromEntries([...objects()].map(([key, { bytes }]) => [key, textOf(bytes)]));

interface Ran {
  readonly exit: number | null;
  readonly report: {
    partitions: { state: string; late: string[]; error: string | null }[];
    conditionalWrites: boolean;
  };
}

/** @param kill is asked before each request whether the program dies there; `interrupt`, whether Ctrl-C comes while it hangs */
async function convert(
  set: string,
  flags: readonly string[] = [],
  kill?: (asked: Asked) => boolean,
  interrupt?: (asked: Asked) => boolean,
): Promise<Ran> {
  const child = Bun.spawn(
    [builtBinary(), "convert", "./S.ts", set, "-o", "s3://bucket/out", "--json", "-j", "1", ...flags],
    {
      cwd: folder,
      env: { ...CREDENTIALS, AWS_ENDPOINT_URL_S3: double.endpoint, DERIVE_PATH_STYLE: "1" },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  double.fault = (asked) => {
    if (lose(asked)) return "lost";
    if (!kill?.(asked) && !interrupt?.(asked)) return undefined;
    child.kill(interrupt ? "SIGINT" : "SIGKILL");
    return "hang";
  };
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  if (!kill && !interrupt && stdout === "") throw new Error(stderr);
  return { exit: child.exitCode, report: stdout === "" ? undefined! : JSON.parse(stdout) };
}

describe("P3: killed before its Nth request, for every N, and run again", () => {
  const cases: [string, { set: string; flags: string[] } | undefined, { set: string; flags: string[] }][] = [
    ["a first run", undefined, { set: "raw", flags: [] }],
    ["a replacement", { set: "raw", flags: ["--codec", "gzip"] }, { set: "raw", flags: ["--on-change", "replace"] }],
    ["further objects", { set: "raw", flags: [] }, { set: "more", flags: ["--on-change", "append"] }],
  ];
  test.each(cases)(
    "%s",
    async (_name, before, now) => {
      if (before) await convert(before.set, before.flags);
      const start = new Map(objects());
      expect((await convert(now.set, now.flags)).exit).toBe(0);
      const undisturbed = state();
      let killed = true;
      for (let n = 1; killed; n++) {
        objects().clear();
        for (const [key, object] of start) objects().set(key, object);
        const first = double.asked.length;
        killed = false;
        await convert(now.set, now.flags, ({ number }) => {
          killed ||= number === first + n;
          return killed;
        });
        if (Object.keys(state()).some((key) => key.endsWith("_SUCCESS"))) {
          const manifest = JSON.parse(state()[`${PARTITION}/_SUCCESS`]!);
          for (const { parts } of manifest.generations) {
            for (const { key, sha256 } of parts) {
              const { bytes } = objects().get(`${PARTITION}/${key}`)!;
              expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sha256);
            }
          }
        }
        expect({ n, ...(await convert(now.set, now.flags)) }).toMatchObject({ n, exit: 0 });
        expect(state()).toEqual(undisturbed);
      }
    },
    120_000,
  );
});

test("P3: an object that arrives between the kill and the next run is told as late, once parts were written", async () => {
  expect((await convert("raw")).exit).toBe(0);
  const undisturbed = state();
  objects().clear();
  await convert("raw", [], ({ operation, key }) => operation === "PutObject" && key.endsWith("_SUCCESS"));
  expect(Object.keys(state()).sort()).toEqual([`${PARTITION}/_derive.json`, `${PARTITION}/part-0-00000.zstd.parquet`]);
  const { exit, report } = await convert("more");
  expect([exit, report.partitions[0]]).toMatchObject([0, { state: "late", late: ["c"] }]);
  expect(state()).toEqual(undisturbed);
});

test("a write whose answer is lost is known for our own", async () => {
  expect((await convert("raw")).exit).toBe(0);
  const undisturbed = state();
  const puts = double.asked.filter(({ operation }) => operation === "PutObject" || operation === "DeleteObject").length;
  for (let n = 1; n <= puts; n++) {
    objects().clear();
    let put = 0;
    lose = ({ operation }) => (operation === "PutObject" || operation === "DeleteObject") && ++put === n;
    const { exit, report } = await convert("raw");
    expect({ n, exit, state: report.partitions[0]!.state }).toEqual({ n, exit: 0, state: "written" });
    expect(state()).toEqual(undisturbed);
  }
});

test.each([
  ["part-0-00000.zstd.parquet", [`${PARTITION}/_derive.json`]],
  ["the first listing", []],
])(
  "interrupted while %s hangs it ends within five seconds",
  async (hanging, left) => {
    let started = 0;
    const { exit } = await convert("raw", [], undefined, ({ key, operation }) => {
      if (hanging === "the first listing" ? operation !== "ListObjectsV2" : !key.endsWith(hanging)) return false;
      started = performance.now();
      return true;
    });
    expect(exit).toBe(130);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(Object.keys(state())).toEqual(left);
    expect((await convert("raw")).exit).toBe(0);
    expect(Object.keys(state()).sort()).toEqual([`${PARTITION}/_SUCCESS`, `${PARTITION}/part-0-00000.zstd.parquet`]);
  },
  30_000,
);

describe("two runs at once", () => {
  test("with the same inputs both end well", async () => {
    expect((await convert("raw")).exit).toBe(0);
    const undisturbed = state();
    for (let round = 0; round < 3; round++) {
      objects().clear();
      const runs = await Promise.all([convert("raw"), convert("raw")]);
      expect(runs.map(({ exit }) => exit)).toEqual([0, 0]);
      expect(state()).toEqual(undisturbed);
    }
  });

  test("with other options one of them wins, the other exits 5", async () => {
    const ends: ReturnType<typeof state>[] = [];
    for (const codec of ["zstd", "gzip"]) {
      objects().clear();
      await convert("raw", ["--codec", codec]);
      ends.push(state());
    }
    for (let round = 0; round < 3; round++) {
      objects().clear();
      const runs = await Promise.all([convert("raw", ["--codec", "zstd"]), convert("raw", ["--codec", "gzip"])]);
      expect(runs.map(({ exit }) => exit).sort()).toEqual([0, 5]);
      expect(state()).toEqual(ends[runs[0]!.exit === 0 ? 0 : 1]);
    }
  });
});
