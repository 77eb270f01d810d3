// Each request that S3 takes, and each way it can go wrong: the outcome is that of an undisturbed run, or an error that
// names the object, and nothing is left behind.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Crc32c, Crc64NvmeJs } from "@aws-sdk/checksums/crc";
import { ConditionFailed, InputError, OutputError } from "../../src/errors.ts";
import type { Sink, Source } from "../../src/storage/ports.ts";
import { s3Sink, s3Source } from "../../src/storage/s3.ts";
import { type Asked, type Double, type Fault, type Operation, startDouble } from "../s3/double.ts";
import { crc32Of } from "../s3/store.ts";
import { all, bytesOf, content, textOf } from "./contract.ts";
import { CREDENTIALS } from "./s3-places.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

Object.assign(process.env, CREDENTIALS);
// More attempts than a fault needs: on a busy machine a request may be late by itself.
const patience = { stallMs: 500, bytesPerSecond: 32 << 20, attempts: 4, waitMs: 5 };
const LARGE: Uint8Array<ArrayBuffer> = new Uint8Array(17 << 20).map((_, i) => (i * 31) ^ (i >> 9));
const MEDIUM = LARGE.subarray(0, (4 << 20) + 1);

let double: Double;
let source: Source;
let sink: Sink;
/** Waits longer: 17 MiB take their time where this process shares its machine. */
let largeSink: Sink;
beforeAll(async () => {
  double = await startDouble({ pageSize: 2 });
  const place = { bucket: "bucket", prefix: "p", options: { endpointUrl: double.endpoint }, patience };
  source = s3Source(place);
  sink = s3Sink(place);
  largeSink = s3Sink({ ...place, patience: { ...patience, stallMs: 2500 } });
});
afterAll(() => double.stop());
beforeEach(() => {
  double.fault = () => undefined;
  double.meanwhile = () => {};
  double.asked.length = 0;
  double.store.uploads.clear();
  double.store.bucket("bucket").clear();
  double.store.place("bucket", "p/a", "one", { "x-amz-checksum-crc32": crc32Of(bytesOf("one")) });
  double.store.place("bucket", "p/b/c", "two");
  double.store.place("bucket", "p/d", MEDIUM, { "x-amz-checksum-crc32": crc32Of(MEDIUM) });
});

const etagOf = (key: string) => double.store.get("bucket", key).etag.replaceAll('"', "");
const stored = (key: string) => double.store.get("bucket", `p/${key}`).bytes;
async function upload(key: string, bytes: Uint8Array, expected?: Parameters<Sink["put"]>[2]): Promise<string> {
  const one = await largeSink.create(key);
  for (let at = 0; at < bytes.length; at += 3 << 20) await one.write(bytes.subarray(at, at + (3 << 20)));
  return one.commit(expected).finally(() => one.abort());
}

/** Each does one thing and checks its outcome. */
const ACTIONS: Record<string, { operation: Operation; run: () => Promise<void> }> = {
  list: {
    operation: "ListObjectsV2",
    run: async () => expect((await all(source.list(""))).map(({ key }) => key)).toEqual(["a", "b/c", "d"]),
  },
  head: { operation: "HeadObject", run: async () => expect((await source.head("a"))!.size).toBe(3) },
  "read a small object": {
    operation: "GetObject",
    run: async () => expect(textOf(await content(source.open("a", etagOf("p/a"))))).toBe("one"),
  },
  "read a larger object": {
    operation: "GetObject",
    run: async () => expect(Buffer.compare(await content(source.open("d")), MEDIUM)).toBe(0),
  },
  "put where nothing is": {
    operation: "PutObject",
    run: async () => {
      expect(await sink.put("new", bytesOf("mine"), "nothing")).toBe(etagOf("p/new"));
      expect(textOf(stored("new"))).toBe("mine");
    },
  },
  "put in place of another": {
    operation: "PutObject",
    run: async () => {
      expect(await sink.put("a", bytesOf("mine"), { etag: etagOf("p/a") })).toBe(etagOf("p/a"));
      expect(textOf(stored("a"))).toBe("mine");
    },
  },
  remove: {
    operation: "DeleteObject",
    run: async () => {
      await sink.remove("a");
      expect(double.store.bucket("bucket").has("p/a")).toBeFalse();
    },
  },
  ...Object.fromEntries(
    (["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] as const).map((operation) => [
      `upload in parts: ${operation}`,
      {
        operation,
        run: async () => {
          expect(await upload("large.parquet", LARGE, "nothing")).toBe(etagOf("p/large.parquet"));
          expect(Buffer.compare(stored("large.parquet"), LARGE)).toBe(0);
        },
      },
    ]),
  ),
  ...Object.fromEntries(
    (["ListMultipartUploads", "AbortMultipartUpload"] as const).map((operation) => [
      `abort pending uploads: ${operation}`,
      {
        operation,
        run: async () => {
          double.store.begin("bucket", "p/x/part-0-00000.zstd.parquet");
          await sink.abortPending("x");
        },
      },
    ]),
  ),
};

const ALWAYS: readonly Fault[] = [
  { status: 503, code: "SlowDown" },
  { status: 500, code: "InternalError" },
  "reset",
  "lost",
  "hang",
  "another's page",
];
const BODIES: readonly Fault[] = ["truncated", "stalled", "empty"];

function faultsOf(operation: Operation): Fault[] {
  const faults = [...ALWAYS];
  if (/^List|^Get|^Create|^Complete/.test(operation)) faults.push(...BODIES);
  if (/^Get|^Create|^Complete/.test(operation)) faults.push("corrupted");
  if (/^Put|^UploadPart/.test(operation)) faults.push("damaged request");
  const lame = { GetObject: "empty", AbortMultipartUpload: "another's page" } as Partial<Record<Operation, Fault>>;
  return faults.filter((fault) => fault !== lame[operation]);
}

const nameOf = (fault: Fault) => (typeof fault === "string" ? fault : `${fault.status}`);

/** The fault for the first `times` requests of an operation. */
function fail(operation: Operation, fault: Fault, times = 1): void {
  let left = times;
  double.fault = (asked: Asked) => (asked.operation === operation && left-- > 0 ? fault : undefined);
}

describe("a fault that passes", () => {
  for (const [name, { operation, run }] of Object.entries(ACTIONS)) {
    for (const fault of faultsOf(operation)) {
      // Rows are made of a larger object before its end is seen: see below.
      if (name === "read a larger object" && fault === "corrupted") continue;
      test(`${name}: ${nameOf(fault)}`, async () => {
        fail(operation, fault);
        await run();
        // A completed upload whose answer makes no sense is looked at, and not completed again.
        const asked = double.asked.filter((one) => one.operation === operation || one.operation === "HeadObject");
        expect(asked.length).toBeGreaterThan(1);
        expect([...double.store.uploads.keys()]).toEqual([]);
      });
    }
  }
});

describe("a fault that stays", () => {
  for (const [name, { operation, run }] of Object.entries(ACTIONS)) {
    for (const fault of [{ status: 503, code: "SlowDown" }, "reset", "hang"] as const) {
      if (operation === "AbortMultipartUpload") continue; // what is pending then is for the next run
      if (fault === "hang" && !["HeadObject", "PutObject", "UploadPart"].includes(operation)) continue; // takes its time
      test(`${name}: ${nameOf(fault)}`, async () => {
        fail(operation, fault, Number.POSITIVE_INFINITY);
        const error = await run().catch((thrown) => thrown);
        const reads = ["list", "head"].includes(name) || name.startsWith("read");
        expect(error).toBeInstanceOf(reads ? InputError : OutputError);
        expect(error.message).toMatch(/^Cannot [a-z ]+ s3:\/\/bucket\/p\//);
        expect(error.message).not.toContain("127.0.0.1");
        if (!name.startsWith("abort")) expect([...double.store.uploads.keys()]).toEqual([]);
      });
    }
  }

  test("many faults that each pass do not use up what later ones may take", async () => {
    double.fault = ({ number }) => (number % 2 === 1 ? "reset" : undefined);
    for (let i = 0; i < 200; i++) await source.head("a");
    expect(double.asked).toHaveLength(400);
  });

  test("answers lost for ever: a write that took place is known to have", async () => {
    fail("PutObject", "lost", Number.POSITIVE_INFINITY);
    expect(await sink.put("new", bytesOf("mine"), "nothing")).toBe(etagOf("p/new"));
    fail("CompleteMultipartUpload", "lost", Number.POSITIVE_INFINITY);
    expect(await upload("large.parquet", LARGE, "nothing")).toBe(etagOf("p/large.parquet"));
  });
});

describe("reading", () => {
  test("P11: bytes that do not match a checksum are read again, or are an InputError that names the object", async () => {
    const bytes: Record<string, Uint8Array<ArrayBuffer>> = { a: Buffer.from("one"), d: MEDIUM.slice() };
    const crc = (Crc: typeof Crc32c | typeof Crc64NvmeJs) => async (bytes: Uint8Array<ArrayBuffer>) => {
      const sum = new Crc();
      sum.update(bytes);
      return Buffer.from(await sum.digest()).toString("base64");
    };
    const hashes: Record<string, (bytes: Uint8Array<ArrayBuffer>) => string | Promise<string>> = {
      "x-amz-checksum-crc32": crc32Of,
      "x-amz-checksum-crc32c": crc(Crc32c),
      "x-amz-checksum-crc64nvme": crc(Crc64NvmeJs),
      "x-amz-checksum-sha1": (bytes) => new Bun.CryptoHasher("sha1").update(bytes).digest("base64"),
      "x-amz-checksum-sha256": (bytes) => new Bun.CryptoHasher("sha256").update(bytes).digest("base64"),
    };
    for (const [key, good] of Object.entries(bytes)) {
      for (const [header, hash] of [...Object.entries(hashes), [undefined, undefined] as const]) {
        double.store.place("bucket", `p/${key}`, good, header ? { [header]: await hash(good) } : {});
        expect(Buffer.compare(await content(source.open(key)), good)).toBe(0);
        fail("GetObject", "corrupted", Number.POSITIVE_INFINITY);
        const error = await content(source.open(key)).catch((thrown) => thrown);
        expect(error).toBeInstanceOf(InputError);
        const name = header?.replace("x-amz-checksum-", "").toUpperCase() ?? "MD5";
        expect(error.message).toContain(`s3://bucket/p/${key}: its bytes do not match its ${name} checksum`);
        double.fault = () => undefined;
      }
    }
  });

  test("P11: CRC-32C and CRC-64/NVME of known bytes", async () => {
    const known = { "x-amz-checksum-crc32c": "4waSgw==", "x-amz-checksum-crc64nvme": "rosUhgp5mIg=" };
    for (const [header, sum] of Object.entries(known)) {
      const headers = { [header]: sum, "x-amz-server-side-encryption": "aws:kms" };
      double.store.place("bucket", "p/a", "123456789", headers);
      expect(textOf(await content(source.open("a")))).toBe("123456789");
      double.store.place("bucket", "p/a", "123456780", headers);
      expect(await content(source.open("a")).catch((thrown) => thrown)).toBeInstanceOf(InputError);
    }
  });

  test("P11: an ETag is an MD5 unless a key of KMS or of a customer made it", async () => {
    const place = (headers: Record<string, string>) => {
      const object = double.store.place("bucket", "p/e", "encrypted", headers);
      double.store.bucket("bucket").set("p/e", { ...object, etag: '"00000000000000000000000000000000"' });
      return content(source.open("e")).then(textOf, (thrown) => thrown);
    };
    for (const header of ["x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption"]) {
      expect(await place({ [header]: header.endsWith("algorithm") ? "AES256" : "aws:kms" })).toBe("encrypted");
    }
    for (const headers of [{}, { "x-amz-server-side-encryption": "AES256" }] as Record<string, string>[]) {
      expect(await place(headers)).toBeInstanceOf(InputError);
    }
  });

  test("P11: --require-checksum refuses what nothing can be checked against", async () => {
    const options = { endpointUrl: double.endpoint, requireChecksum: true };
    const strict = s3Source({ bucket: "bucket", prefix: "p", options, patience });
    expect(textOf(await content(strict.open("a")))).toBe("one");
    expect(textOf(await content(strict.open("b/c")))).toBe("two"); // by its MD5
    const composite = { "x-amz-checksum-crc32": "AAAAAA==-2", "x-amz-checksum-type": "COMPOSITE" };
    for (const headers of [
      { "x-amz-server-side-encryption": "aws:kms", ...composite },
      { "x-amz-server-side-encryption": "aws:kms:dsse" },
    ]) {
      double.store.place("bucket", "p/k", "kkk", headers);
      expect(textOf(await content(source.open("k")))).toBe("kkk");
      const error = await content(strict.open("k")).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toContain("--require-checksum");
    }
  });

  test("an object that is replaced while it is read is an InputError", async () => {
    fail("GetObject", "truncated");
    double.meanwhile = ({ operation, number }) => {
      if (operation === "GetObject" && number > 1) double.store.place("bucket", "p/d", LARGE);
    };
    const error = await content(source.open("d")).catch((thrown) => thrown);
    expect(error.message).toBe("Cannot read s3://bucket/p/d: it changed while it was read. Run the command again");
  });

  test("an answer without an end is told by its pages' counts, one that repeats by its keys", async () => {
    for (let i = 0; i < 9; i++) double.store.place("bucket", `p/many/${i}`, "");
    expect(await all(source.list("many"))).toHaveLength(9);
    expect(double.asked).toHaveLength(5);
  });

  test("Content-Encoding says nothing about the bytes that are wanted", async () => {
    const packed = Bun.gzipSync("packed");
    double.store.place("bucket", "p/z", packed, { "content-encoding": "gzip" });
    expect(Buffer.compare(await content(source.open("z")), packed)).toBe(0);
  });

  test("a small object can be read ahead of its time", async () => {
    const reader = source.open("a");
    reader.prefetch!();
    while (double.asked.length === 0) await Bun.sleep(1);
    expect(textOf(await content(reader))).toBe("one");
    expect(double.asked).toHaveLength(1);
    expect(textOf(await content(reader))).toBe("one");
    expect(double.asked).toHaveLength(2);
  });
});

describe("writing", () => {
  test("a lost answer is no success when the object is another's", async () => {
    fail("PutObject", "reset");
    double.meanwhile = () => double.store.place("bucket", "p/new", "hers");
    const error = await sink.put("new", bytesOf("mine"), "nothing").catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConditionFailed);
    expect(textOf(stored("new"))).toBe("hers");
  });

  test("another's object of the same bytes is not taken for our own", async () => {
    double.store.place("bucket", "p/new", "mine");
    const error = await sink.put("new", bytesOf("mine"), "nothing").catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConditionFailed);
  });

  test("409: all of it again, small or in parts", async () => {
    fail("PutObject", { status: 409, code: "ConditionalRequestConflict" }, 2);
    await sink.put("new", bytesOf("mine"), "nothing");
    fail("CompleteMultipartUpload", { status: 409, code: "ConditionalRequestConflict" });
    await upload("large.parquet", LARGE, "nothing");
    expect(double.asked.filter(({ operation }) => operation === "CreateMultipartUpload")).toHaveLength(2);
    expect(double.store.uploads.size).toBe(0);
    fail("DeleteObject", { status: 409, code: "ConditionalRequestConflict" }, 2);
    await sink.remove("a", { etag: etagOf("p/a") });
    expect(double.store.bucket("bucket").has("p/a")).toBeFalse();
  });

  test("an upload in parts under a condition that does not hold is refused, and ended", async () => {
    double.store.place("bucket", "p/large.parquet", "hers");
    for (const expected of ["nothing", { etag: "00000000000000000000000000000000" }] as const) {
      const error = await upload("large.parquet", LARGE, expected).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(ConditionFailed);
      expect(double.store.uploads.size).toBe(0);
    }
    expect(textOf(stored("large.parquet"))).toBe("hers");
  });

  test("parts are bounded, and carry checksums that S3 checks", async () => {
    let [now, most] = [0, 0];
    double.meanwhile = ({ operation, headers }) => {
      if (operation !== "UploadPart") return;
      expect(headers.get("x-amz-checksum-crc32")).toHaveLength(8);
      expect(headers.has("expect")).toBeFalse(); // it would cost each part a connection of its own
      now = double.asked.filter((asked) => asked.operation === "UploadPart").length;
      most = Math.max(most, now - [...double.store.uploads.values()].reduce((sum, { parts }) => sum + parts.size, 0));
    };
    await upload("large.parquet", LARGE);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
  });

  test("an abort ends a commit that is under way, and its upload, within seconds", async () => {
    const one = await sink.create("large.parquet");
    await one.write(LARGE);
    fail("UploadPart", "hang", Number.POSITIVE_INFINITY);
    const commit = one.commit("nothing").catch((thrown) => thrown);
    while (!double.asked.some(({ operation }) => operation === "UploadPart")) await Bun.sleep(1);
    const started = performance.now();
    await one.abort();
    expect(performance.now() - started).toBeLessThan(4500);
    expect(await commit).toBeInstanceOf(OutputError);
    expect(double.store.uploads.size).toBe(0);
  });

  test("pending uploads of parts are ended, others are not", async () => {
    double.store.begin("bucket", "p/x/part-0-00000.zstd.parquet");
    const other = double.store.begin("bucket", "p/x/video.mp4");
    const elsewhere = double.store.begin("bucket", "p/xx/part-0-00000.zstd.parquet");
    expect(await sink.abortPending("x")).toBe(1);
    expect([...double.store.uploads.keys()]).toEqual([other, elsewhere]);
  });
});
