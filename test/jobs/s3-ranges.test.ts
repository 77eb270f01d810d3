// P4, P7, P11: a huge object on S3, read in ranges by several workers or by one, gives the bytes that it gives from a folder; damage
// and change in any range are told.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Crc32c, Crc64NvmeJs } from "@aws-sdk/checksums/crc";
import { DamagedInputError, InputError } from "../../src/errors.ts";
import { planPartition, planTasks } from "../../src/jobs/plan.ts";
import { WorkerPool } from "../../src/jobs/pool.ts";
import { type Job, runJob, runJobs } from "../../src/jobs/run.ts";
import { describeStream, resolveStream } from "../../src/jobs/streams.ts";
import { openSource } from "../../src/storage/place.ts";
import type { Place, S3Options } from "../../src/storage/ports.ts";
import { type Asked, type Double, startDouble } from "../s3/double.ts";
import { crc32Of } from "../s3/store.ts";
import { CREDENTIALS } from "../storage/s3-places.ts";
import { ping as pingOf } from "./pings.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

Object.assign(process.env, CREDENTIALS);

const ping = (n: number, held?: Uint8Array): Uint8Array => pingOf(n, held, { longest: 3000 });

/** Some MB with noise, and frames in fields of frames so large that each of some cuts falls into one. */
const BYTES = Buffer.concat(
  Array.from({ length: 900 }, (_, n) => {
    if (n % 50 === 17) return Buffer.from("\x1enoise");
    return ping(n, n % 90 === 5 ? Buffer.concat(Array.from({ length: 900 }, () => ping(7000 + (n % 7)))) : undefined);
  }),
);
const SIZE = BYTES.length;
const CUTS = 7;

const sumOf = async (sum: { update(bytes: Uint8Array): void; digest(): Promise<Uint8Array> }) => {
  sum.update(BYTES);
  return Buffer.from(await sum.digest()).toString("base64");
};
const CHECKS: Record<string, Record<string, string>> = {
  CRC32: { "x-amz-checksum-crc32": crc32Of(BYTES) },
  CRC32C: { "x-amz-checksum-crc32c": await sumOf(new Crc32c()) },
  CRC64NVME: { "x-amz-checksum-crc64nvme": await sumOf(new Crc64NvmeJs()) },
  MD5: {},
  SHA256: { "x-amz-checksum-sha256": new Bun.CryptoHasher("sha256").update(BYTES).digest("base64") },
  // An ETag that is no MD5, and a checksum of checksums.
  nothing: { "x-amz-server-side-encryption": "aws:kms", "x-amz-checksum-crc32": "AAAAAA==-3" },
};
const isSplit = (check: string): boolean => check.startsWith("CRC") || check === "nothing";

let folder = "";
let double: Double;
let outputs = 0;
beforeAll(async () => {
  double = await startDouble();
  folder = mkdtempSync(join(tmpdir(), "derive-s3-ranges-"));
  mkdirSync(join(folder, "raw"));
  writeFileSync(join(folder, "raw/big"), BYTES);
  for (const [name, more] of [
    ["General", "where: (m) => m.int('n') % 5 !== 1, "],
    ["Plain", ""],
  ] as const) {
    writeFileSync(
      join(folder, `${name}.ts`),
      `import { defineStream, string, int } from "derive"; export default defineStream({ streamName: "telemetry", ${more}
       columns: { id: string("id"), n: int("n") } });`,
    );
  }
});
afterAll(() => {
  double.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  double.fault = () => undefined;
  double.meanwhile = () => {};
  double.asked.length = 0;
  place("CRC32");
});

const place = (check: string, bytes: Uint8Array = BYTES) =>
  double.store.place("bucket", "raw/big", bytes, CHECKS[check]!);
const onS3 = (options: S3Options = {}): Place => ({
  url: "s3://bucket/raw",
  s3: { endpointUrl: double.endpoint, ...options },
});
const watcher = { signal: new AbortController().signal, progress: () => {} };

async function job(from: Place | string, changes: Partial<Job> = {}, name = "General", parts = CUTS): Promise<Job> {
  const stream = resolveStream(`./${name}.ts`, folder);
  const objects = await Array.fromAsync(openSource(from).list(""));
  const tasks = planTasks(objects, { taskBytes: Math.ceil(objects[0]!.size / parts) });
  expect(tasks).toHaveLength(parts);
  return {
    stream,
    facts: await describeStream(stream),
    place: typeof from === "string" ? { url: from } : from,
    partitions: [{ ...planPartition("", objects), tasks }],
    target: { kind: "dataset", place: join(folder, `out${++outputs}`), root: "root" },
    only: [],
    partitionBy: [],
    codec: "zstd",
    maxPartBytes: 1 << 28,
    maxErrors: { count: 1e6, fraction: 1 },
    onChange: "fail",
    forceUnlock: false,
    strict: false,
    workers: 2,
    ...changes,
  };
}

const partsOf = ({ target }: Job): Record<string, string> => {
  const path = join(folder, `${(target as { place: string }).place.slice(folder.length)}`, "root");
  const names = readdirSync(path).filter((name) => name.endsWith(".parquet"));
  return Object.fromEntries(names.map((name) => [name, Bun.hash(readFileSync(join(path, name))).toString()]));
};
const run = async (one: Job) => {
  const [result] = await runJob(one, watcher);
  return { ...result!, made: result!.error ? {} : partsOf(one) };
};
const fromFolder = async (name?: string) => run(await job(join(folder, "raw"), {}, name));
const gets = () => double.asked.filter(({ operation }) => operation === "GetObject");
/** Whether it asks for a range behind the first. */
const isLater = ({ operation, headers }: Asked) =>
  operation === "GetObject" && Number(/^bytes=(\d+)-/.exec(headers.get("range") ?? "")?.[1]) > 3 * (SIZE / CUTS);

describe("the bytes of a run on a folder, the same books", () => {
  for (const check of Object.keys(CHECKS)) {
    for (const workers of [1, 2, 4]) {
      test(`${check}, ${workers} workers`, async () => {
        place(check);
        const expected = await fromFolder();
        const found = await run(await job(onS3(), { workers }));
        expect(found.error).toBeUndefined();
        expect(Object.keys(found.made)).not.toEqual([]);
        expect(found.made).toEqual(expected.made);
        const { damage, failedAt, ...counts } = found.books;
        const { damage: damaged, failedAt: failed, ...expectedCounts } = expected.books;
        expect(counts).toEqual(expectedCounts);
        expect(counts).toMatchObject({ objects: 1, storedBytes: SIZE, bytes: SIZE, damagedRanges: 18 });
        expect([damage, failedAt].flat().map(({ offset }) => offset)).toEqual(
          [damaged, failed].flat().map(({ offset }) => offset),
        );
        const whole = gets().filter(({ headers }) => !headers.has("range"));
        expect(whole).toHaveLength(isSplit(check) && workers > 1 ? 0 : 1);
      });
    }
  }

  test("without the kernel's batches: strict, of an object without faults", async () => {
    const bytes = Buffer.concat(Array.from({ length: 300 }, (_, n) => ping(n)));
    for (const name of ["General", "Plain"]) {
      writeFileSync(join(folder, "raw/big"), bytes);
      double.store.place("bucket", "raw/big", bytes);
      const expected = await run(await job(join(folder, "raw"), { strict: true }, name));
      const found = await run(await job(onS3(), { strict: true }, name));
      writeFileSync(join(folder, "raw/big"), BYTES);
      expect(found.error).toBeUndefined();
      expect(found.made).toEqual(expected.made);
    }
  });

  test("of several streams in one scan", async () => {
    for (const check of ["CRC32", "MD5"]) {
      place(check);
      const expected = [await fromFolder("General"), await fromFolder("Plain")];
      const jobs = [await job(onS3(), {}, "General"), await job(onS3(), {}, "Plain")];
      const pool = new WorkerPool(2);
      const results = await runJobs(jobs, pool, watcher);
      pool.close();
      for (const [index, [one]] of results.entries()) {
        expect(one!.error).toBeUndefined();
        expect(partsOf(jobs[index]!)).toEqual(expected[index]!.made);
      }
    }
  });

  test("of a compressed object: one reader, which checks it", async () => {
    const zipped = gzipSync(BYTES);
    const expected = await run({ ...(await job(join(folder, "raw"), {}, "General", 1)) });
    double.store.place("bucket", "raw/big", zipped, { "x-amz-checksum-crc32": crc32Of(zipped) });
    const found = await run(await job(onS3(), {}, "General", 3));
    expect(found.error).toBeUndefined();
    expect(found.made).toEqual(expected.made);
  });

  test("the quarantine's files", async () => {
    const kept = async (from: Place | string, name: string) => {
      const quarantine = { url: join(folder, name) };
      expect((await run(await job(from, { quarantine }))).error).toBeUndefined();
      const files = readdirSync(quarantine.url, { recursive: true }).map(String);
      return files
        .filter((file) => file.endsWith(".damaged.bin"))
        .map((file) => readFileSync(join(quarantine.url, file)));
    };
    const expected = await kept(join(folder, "raw"), "q-folder");
    expect(expected).toHaveLength(1);
    for (const check of ["CRC64NVME", "MD5"]) {
      place(check);
      expect(await kept(onS3(), `q-${check}`)).toEqual(expected);
    }
  });
});

describe("P11: damage", () => {
  for (const check of Object.keys(CHECKS).filter((check) => check !== "nothing")) {
    test(`that stays is told, and nothing is committed: ${check}`, async () => {
      const bytes = Buffer.from(BYTES);
      bytes[(SIZE * 0.6) | 0]! ^= 0x20;
      const { etag } = place(check);
      place(check, bytes);
      double.store.bucket("bucket").set("raw/big", { ...double.store.get("bucket", "raw/big"), etag });
      const { error, state } = await run(await job(onS3()));
      expect(error).toBeInstanceOf(DamagedInputError);
      expect(error!.message).toContain(`its bytes do not match its ${check} checksum`);
      expect(state).toBe("failed");
    });
  }

  test("on the way, in one range once: all is read once more", async () => {
    const expected = await fromFolder();
    let count = 0;
    double.fault = (one) => (isLater(one) && count++ === 2 ? "corrupted" : undefined);
    const found = await run(await job(onS3()));
    expect(count).toBeGreaterThan(2);
    expect(found.error).toBeUndefined();
    expect(found.made).toEqual(expected.made);
  });

  test("in each later range in turn is never committed as it is", async () => {
    const expected = await fromFolder();
    for (let nth = 0; nth < 10; nth++) {
      let count = 0;
      double.fault = (one) => (isLater(one) && count++ === nth ? "corrupted" : undefined);
      const found = await run(await job(onS3()));
      if (found.error === undefined) expect(found.made).toEqual(expected.made);
      else expect(found.error).toBeInstanceOf(DamagedInputError);
    }
  });

  test("--require-checksum: nothing to check against is an error as for any object", async () => {
    place("nothing");
    const { error } = await run(await job(onS3({ requireChecksum: true })));
    expect(error).toBeInstanceOf(InputError);
    expect(error!.message).toContain("there is nothing to check its bytes against");
    place("CRC64NVME");
    expect((await run(await job(onS3({ requireChecksum: true })))).error).toBeUndefined();
  });
});

describe("faults of a range", () => {
  for (const fault of [{ status: 503, code: "SlowDown" }, "reset", "truncated", "another's page"] as const) {
    test(`that pass: ${typeof fault === "string" ? fault : fault.status}`, async () => {
      const expected = await fromFolder();
      let count = 0;
      double.fault = (one) => (isLater(one) && count++ % 3 === 0 ? fault : undefined);
      const found = await run(await job(onS3()));
      expect(count).toBeGreaterThan(0);
      expect(found.error).toBeUndefined();
      expect(found.made).toEqual(expected.made);
    });
  }

  test("the object changes between two ranges", async () => {
    const one = await job(onS3());
    double.meanwhile = (asked) => {
      if (isLater(asked)) place("CRC32", BYTES.subarray(0, SIZE - 1));
    };
    const { error } = await run(one);
    expect(error).toBeInstanceOf(InputError);
    expect(error!.message).toMatch(/^Cannot read s3:\/\/bucket\/raw\/big: it changed .*\. Run the command again$/);
  });
});
