// P5 through the built binary on S3: events and batch runs, killed before each of their requests and at each lost answer, sent
// again and run again.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { framePing } from "../../src/heka/ping.ts";
import { eventName } from "../../src/jobs/layout.ts";
import { type Asked, type Double, type Fault, startDouble } from "../s3/double.ts";
import { textOf } from "../storage/contract.ts";
import { CREDENTIALS } from "../storage/s3-places.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

let folder = "";
let double: Double;

const STREAM = `import { defineStream, string } from "derive";
export default defineStream({ streamName: "telemetry", columns: { id: string("documentId") } });`;
const SETTINGS = `output = "s3://bucket/out"
path-style = true
workers = 1
[sources.telemetry]
bucket = "bucket"
prefix = "raw"
dimensions = ["submissionDate"]
`;
const DAY = "out/s/v1/submission_date_s3=20151028";

beforeAll(async () => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-events-"));
  writeFileSync(join(folder, "S.ts"), STREAM);
  double = await startDouble();
  writeFileSync(join(folder, "derive.toml"), `endpoint-url = "${double.endpoint}"\n${SETTINGS}`);
});
afterAll(() => {
  double.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  double.meanwhile = () => {};
  objects().clear();
});

const objects = () => double.store.buckets.get("bucket")!;
/** All but the raw objects. */
const derived = () =>
  Object.fromEntries(
    [...objects()].flatMap(([key, { bytes }]) => (key.startsWith("out/") ? [[key, textOf(bytes)]] : [])),
  );
const partOf = (name: string) => `${DAY}/${eventName("bucket", keyOf(name), "zstd")}`;
const keyOf = (name: string) => `raw/20151028/${name}`;

function lay(name: string, id = name): void {
  double.store.put("bucket", keyOf(name), Buffer.from(framePing({ id, type: "main" }, {}, "heka")), new Headers());
}

/** @param fault of each request; "kill" ends the program there */
async function derive(args: readonly string[], fault: (asked: Asked) => Fault | "kill" | undefined = () => undefined) {
  const child = Bun.spawn([builtBinary(), ...args], {
    cwd: folder,
    env: { ...CREDENTIALS, DERIVE_CONFIG: join(folder, "derive.toml") },
    stdout: "pipe",
    stderr: "pipe",
  });
  double.fault = (asked) => {
    const what = fault(asked);
    if (what !== "kill") return what;
    child.kill("SIGKILL");
    return "hang";
  };
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  return { exit: child.exitCode, stdout, stderr };
}

function event(name: string, fault?: Parameters<typeof derive>[1]) {
  writeFileSync(join(folder, "event.json"), JSON.stringify({ bucket: "bucket", key: keyOf(name) }));
  return derive(["invoke", "./S.ts", "event.json"], fault);
}
const stateIn = ({ stdout, stderr }: { stdout: string; stderr: string }): string =>
  JSON.parse(stdout || `{"results":[{"state":${JSON.stringify(stderr)}}]}`).results[0].state;

function batch(fault?: Parameters<typeof derive>[1]) {
  return derive(["batch", "./S.ts", "--from", "20151028", "--on-change", "replace", "--json"], fault);
}

/** Plays `run` with one fault at its first request, then at its second, until it is not met any more. */
async function atEach(
  what: (asked: Asked) => Fault | "kill" | undefined,
  play: (fault: (asked: Asked) => Fault | "kill" | undefined) => Promise<void>,
) {
  for (let n = 1; ; n++) {
    let seen = 0;
    let met = false;
    await play((asked) => {
      const fault = what(asked);
      if (fault === undefined || ++seen !== n) return undefined;
      met = true;
      return fault;
    });
    if (!met) return n - 1;
  }
}

const isWrite = ({ operation }: Asked) => operation === "PutObject" || operation === "DeleteObject";

const isEvent = ({ key }: Asked) => /\/event-/.test(key);

describe("an event", () => {
  test("killed before its Nth request, for every N, and sent again", async () => {
    lay("a");
    const whole = await event("a");
    expect([whole.exit, stateIn(whole)]).toEqual([0, "written"]);
    const undisturbed = derived();
    expect(Object.keys(undisturbed)).toEqual([partOf("a")]);
    const kills = await atEach(
      () => "kill",
      async (fault) => {
        objects().clear();
        lay("a");
        await event("a", fault);
        expect([{}, undisturbed]).toContainEqual(derived());
        expect((await event("a")).exit).toBe(0);
        expect(derived()).toEqual(undisturbed);
      },
    );
    expect(kills).toBeGreaterThan(5);
  }, 120_000);

  test("a write whose answer is lost is known for its own", async () => {
    lay("a");
    await event("a");
    const undisturbed = derived();
    objects().clear();
    lay("a");
    expect(stateIn(await event("a", (asked) => (isWrite(asked) ? "lost" : undefined)))).toBe("written");
    expect(derived()).toEqual(undisturbed);
  });

  test("an object that changes before it is read, and before its part is put", async () => {
    lay("a", "newer");
    await event("a");
    const newest = derived();
    for (const when of ["GetObject", "PutObject"]) {
      objects().clear();
      lay("a");
      let changed = false;
      double.meanwhile = ({ operation, key }) => {
        if (changed || operation !== when || key.endsWith("_SUCCESS")) return;
        changed = true;
        lay("a", "newer");
      };
      const end = await event("a");
      expect([changed, end.exit, stateIn(end)]).toEqual([true, 0, "written"]);
      expect(derived()).toEqual(newest);
    }
  });
});

describe("a batch run over a day that events served", () => {
  const serve = async () => {
    objects().clear();
    for (const name of ["a", "b"]) {
      lay(name);
      expect(stateIn(await event(name))).toBe("written");
    }
    return new Map(objects());
  };
  const again = (start: ReadonlyMap<string, Parameters<ReturnType<typeof objects>["set"]>[1]>) => {
    objects().clear();
    for (const [key, object] of start) objects().set(key, object);
  };

  test("takes the place of their parts, killed before each request about a part, and run again", async () => {
    const start = await serve();
    expect(Object.keys(derived()).sort()).toEqual([partOf("a"), partOf("b")].sort());
    expect((await batch()).exit).toBe(0);
    const undisturbed = derived();
    expect(Object.keys(undisturbed).sort()).toEqual([`${DAY}/_SUCCESS`, `${DAY}/part-0-00000.zstd.parquet`]);
    for (const name of ["a", "b"]) expect(stateIn(await event(name))).toBe("covered");
    await atEach(
      (asked) => (isEvent(asked) ? "kill" : undefined),
      async (fault) => {
        again(start);
        await batch(fault);
        const { exit, stderr } = await batch();
        expect({ exit, stderr }).toMatchObject({ exit: 0 });
        expect(derived()).toEqual(undisturbed);
      },
    );
  }, 120_000);

  test("each answer about a part is lost in turn, or its body cut off", async () => {
    const start = await serve();
    await batch();
    const undisturbed = derived();
    await atEach(
      (asked) => (isEvent(asked) ? (asked.operation === "GetObject" ? "truncated" : "lost") : undefined),
      async (fault) => {
        again(start);
        expect((await batch(fault)).exit).toBe(0);
        expect(derived()).toEqual(undisturbed);
      },
    );
  }, 120_000);

  test("an object that changed before it was committed is told as late; one that changes afterwards is an error of its event", async () => {
    lay("a", "newer");
    await event("a");
    const newer = objects().get(partOf("a"))!;
    await serve();
    let changed = false;
    double.meanwhile = ({ operation, key }) => {
      if (changed || operation !== "PutObject" || !key.endsWith("part-0-00000.zstd.parquet")) return;
      changed = true;
      lay("a", "newer");
      objects().set(partOf("a"), newer); // its event was faster than this run
    };
    const { exit, stdout } = await batch();
    const [partition] = JSON.parse(stdout).partitions;
    expect([exit, partition.state, partition.late]).toEqual([0, "late", [keyOf("a")]]);
    expect(Object.keys(derived()).length).toBe(2);
    double.meanwhile = () => {};
    const refused = await event("a");
    expect([refused.exit, refused.stderr + refused.stdout]).toEqual([
      5,
      expect.stringContaining("covered, run batch again"),
    ]);
    expect(JSON.parse((await batch()).stdout).partitions[0].state).toBe("replaced");
    expect(stateIn(await event("a"))).toBe("covered");
  });
});
