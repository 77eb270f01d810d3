// Large objects of known size: by one request from a store that is near, in ranges from one that is far, and always the bytes of
// one version.
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { DamagedInputError, InputError } from "../../src/errors.ts";
import type { Source } from "../../src/storage/ports.ts";
import { s3Source } from "../../src/storage/s3.ts";
import { Line, Watch } from "../../src/storage/s3-line.ts";
import { type Asked, type Double, type Fault, startDouble } from "../s3/double.ts";
import { crc32Of } from "../s3/store.ts";
import { content } from "./contract.ts";
import { CREDENTIALS } from "./s3-places.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

Object.assign(process.env, CREDENTIALS);
const MiB = 1 << 20;
const SIZE = 18 * MiB + 5;
const BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(SIZE).map((_, i) => (i * 31) ^ (i >> 9));
const CRC32 = { "x-amz-checksum-crc32": crc32Of(BYTES) };
const FAR = { latencyMs: 15, bytesPerSecond: 20e6 };
/** On a busy machine a store may be silent by itself. */
const PATIENCE = { stallMs: 6000, bytesPerSecond: 32 << 20, attempts: 4, waitMs: 5 };
const HASTY = { ...PATIENCE, stallMs: 600 };

let double: Double;
/** Another one for each test: requests of the one before may still come in. */
let key = "";
let keys = 0;
/** One that has not read anything, and one that knows its store to be far. */
let near: Source;
let far: Source;
/** As `far`, and does not wait for long. */
let hasty: Source;
beforeAll(async () => {
  double = await startDouble();
  [far, hasty] = [source(), source(HASTY)];
  place(BYTES, CRC32);
  double.distance = FAR;
  // Twice: then it is settled that ranges bring more.
  for (const one of [far, far, hasty, hasty]) await read(one);
});
afterAll(() => double.stop());
beforeEach(() => {
  double.fault = () => undefined;
  double.meanwhile = () => {};
  double.distance = undefined;
  double.store.bucket("bucket").clear();
  key = `a${++keys}`;
  place(BYTES, CRC32);
  near = source();
});

function place(bytes: Uint8Array, headers: Record<string, string> = {}): void {
  double.store.place("bucket", `p/${key}`, bytes, headers);
}

function source(patience = PATIENCE): Source {
  return s3Source({ bucket: "bucket", prefix: "p", options: { endpointUrl: double.endpoint }, patience });
}

const etag = () => double.store.get("bucket", `p/${key}`).etag.replaceAll('"', "");
const read = (from: Source) => content(from.open(key, etag(), SIZE));
/** Whether it asks for bytes of the object at hand. */
const isRead = (one: Asked) => one.operation === "GetObject" && one.key === `p/${key}`;
const isWhole = (bytes: Uint8Array) => Buffer.compare(bytes, BYTES) === 0;
const failing = (from: Source) =>
  read(from).then(
    () => undefined,
    (thrown) => thrown,
  );
const asked = () => double.asked.filter((one) => one.key === `p/${key}`);
/** Those that were asked for, once each: on a busy machine an answer may be late, and asked for again. */
const ranges = () => [...new Set(asked().map(({ headers }) => headers.get("range")))];
const RANGES = Array.from({ length: 10 }, (_, i) => `bytes=${i * 2 * MiB}-${Math.min((i + 1) * 2 * MiB, SIZE) - 1}`);

test("by one request, while nothing speaks against it", async () => {
  const bytes = BYTES.slice(0, 8 * MiB); // too few for a judgement
  place(bytes);
  expect(Buffer.compare(await content(near.open(key, etag(), bytes.length)), bytes)).toBe(0);
  expect(asked().map(({ operation }) => operation)).toEqual(["GetObject"]);
  expect(ranges()).toEqual([null]);
});

test("from one that is far: the rest of the object in ranges, of the same version; the next one so from the start", async () => {
  double.distance = FAR;
  expect(isWhole(await read(near))).toBeTrue();
  const [first, ...others] = asked().filter(({ operation }) => operation === "GetObject");
  expect(first!.headers.has("range")).toBeFalse();
  expect(others.length).toBeGreaterThan(1);
  for (const { headers } of others)
    expect([headers.get("if-match"), headers.has("range")]).toEqual([`"${etag()}"`, true]);
  key = "next";
  place(BYTES, CRC32);
  expect(isWhole(await read(near))).toBeTrue();
  expect(asked().filter(({ operation }) => operation === "HeadObject").length).toBeGreaterThan(0);
  expect(new Set(ranges().filter(Boolean))).toEqual(new Set(RANGES));
});

test("at most four are on their way; who stops early ends them", async () => {
  let [underWay, most] = [0, 0];
  double.distance = { latencyMs: 30, bytesPerSecond: 1e9 };
  double.meanwhile = (one) => {
    if (!isRead(one)) return;
    most = Math.max(most, ++underWay);
    setTimeout(() => underWay--, 30);
  };
  expect(isWhole(await read(far))).toBeTrue();
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(4);
  double.distance = { latencyMs: 1, bytesPerSecond: 10e6 };
  for await (const _chunk of far.open(key, etag(), SIZE)) break;
  const count = asked().length;
  await Bun.sleep(600); // they would have come, and others been asked for
  expect(asked()).toHaveLength(count);
});

test("a prefetch asks for the beginning; from a store that is near it does not", async () => {
  const reader = far.open(key, etag(), SIZE);
  reader.prefetch!();
  while (asked().length < 2) await Bun.sleep(1);
  expect(isWhole(await content(reader))).toBeTrue();
  expect(new Set(ranges().filter(Boolean))).toEqual(new Set(RANGES));
  key = "another";
  place(BYTES);
  near.open(key, etag(), SIZE).prefetch!();
  await Bun.sleep(20);
  expect(asked()).toHaveLength(0);
});

test("a store is far that answers nothing soon; that is found out once", async () => {
  for (const [ms, isFar] of [
    [[0, 0, 0, 0, 0], false],
    [[25, 25, 25, 25, 0], false],
    [[25, 25, 25, 25, 25], true],
  ] as const) {
    const line = new Line();
    let asked = 0;
    for (let i = 0; i < 2; i++) {
      expect(await line.learn(1, async () => ms[asked++]! > 0 && Bun.sleep(25))).toBe(isFar);
    }
    expect(asked).toBe(5);
  }
});

test("ranges that bring hardly more than one connection are given up", async () => {
  for (const [rate, isFar] of [
    [110, false],
    [150, true],
  ] as const) {
    const line = new Line();
    await line.learn(100, () => Bun.sleep(15));
    for (let i = 0; i < 20; i++) line.brought(MiB, MiB / rate);
    line.brought(100 * MiB, MiB); // later a reader may be what is slow
    expect(line.isFar).toBe(isFar);
  }
});

test("a connection is slow that keeps its reader waiting twice in a row", async () => {
  const waits: [number[], number][] = [
    [[60, 60], 2],
    [[60, 0, 60, 60], 4],
    [[0, 0, 0, 0], 0],
  ];
  for (const [ms, slowAt] of waits) {
    const watch = new Watch(performance.now());
    let judged = 0;
    for (const [i, wait] of ms.entries()) {
      await watch.wait(Bun.sleep(wait));
      watch.took(4 * MiB);
      if (wait === 0) Bun.sleepSync(60); // the reader's own time
      if (watch.isSlow()) judged ||= i + 1;
    }
    expect(judged).toBe(slowAt);
  }
});

test("a store that does not know ranges", async () => {
  const old = await startDouble({ ranges: "ignored" });
  try {
    old.store.place("bucket", `p/${key}`, BYTES);
    place(BYTES);
    old.distance = FAR;
    const from = s3Source({
      bucket: "bucket",
      prefix: "p",
      options: { endpointUrl: old.endpoint },
      patience: PATIENCE,
    });
    for (let i = 0; i < 2; i++) expect(isWhole(await read(from))).toBeTrue();
  } finally {
    old.stop();
  }
});

describe("a fault that passes", () => {
  const FAULTS: Fault[] = [
    { status: 503, code: "SlowDown" },
    { status: 500, code: "InternalError" },
    { status: 403, code: "ExpiredToken" },
  ];
  for (const fault of [...FAULTS, "reset", "lost", "hang", "truncated", "stalled", "another's page"] as const) {
    const name = typeof fault === "string" ? fault : `${fault.status}`;
    const from = () => (fault === "hang" || fault === "stalled" ? hasty : far);
    for (const nth of [1, 2, 4]) {
      test(`${name}, of the ranges number ${nth}`, async () => {
        let count = 0;
        double.fault = (one) => (isRead(one) && ++count === nth ? fault : undefined);
        expect(isWhole(await read(from()))).toBeTrue();
        expect(asked().length).toBeGreaterThan(6);
      });
    }
    test(`${name}, of what is known`, async () => {
      let count = 0;
      double.fault = ({ operation }) => (operation === "HeadObject" && count++ === 0 ? fault : undefined);
      expect(isWhole(await read(from()))).toBeTrue();
    });
  }
});

describe("a reader of one of several ranges", () => {
  const [start, until] = [3 * MiB + 1, 9 * MiB + 5];
  /** Reads as a worker does, beyond its range; gives its share with those of readers of what is before and behind. */
  const readThree = async (from: Source) => {
    const listed = { key, etag: etag(), size: SIZE };
    const whole = await from.ranges.whole(listed);
    const shares = [];
    for (const [first, end, to] of [
      [0, start, start + 100],
      [start, until, until + MiB],
      [until, SIZE, SIZE],
    ] as const) {
      const reader = from.ranges.open(listed, first, { until: end, sum: whole.sum });
      let at = first;
      for await (const chunk of reader) {
        expect(Buffer.compare(chunk, BYTES.subarray(at, at + chunk.length))).toBe(0);
        at += chunk.length;
        if (at >= to) break;
      }
      shares.push((await reader.share!(end))!);
    }
    await whole.confirm(shares);
    const wrong = shares.map((share, index) => (index === 1 ? { ...share, value: share.value ^ 1n } : share));
    await expect(whole.confirm(wrong)).rejects.toBeInstanceOf(DamagedInputError);
    await expect(whole.confirm(shares.slice(1))).rejects.toBeInstanceOf(DamagedInputError);
  };

  for (const fault of [
    undefined,
    "stalled",
    "hang",
    "reset",
    "truncated",
    { status: 503, code: "SlowDown" },
  ] as const) {
    for (const distance of ["near", "far"] as const) {
      test(`${typeof fault === "object" ? fault.status : (fault ?? "no fault")}, ${distance}`, async () => {
        let count = 0;
        double.fault = (one) => (isRead(one) && ++count === 3 ? fault : undefined);
        await readThree(distance === "far" ? hasty : source(HASTY));
        expect(count).toBeGreaterThan(3);
      });
    }
  }
});

describe("never bytes of two versions", () => {
  const replace = (nth: number) => {
    let count = 0;
    return (one: Asked) => {
      if (isRead(one) && ++count === nth) place(BYTES.slice().fill(7, 17 * MiB));
    };
  };
  for (const nth of [1, 2, 5]) {
    test(`replaced before range ${nth}`, async () => {
      double.meanwhile = replace(nth);
      const error = await failing(far);
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toMatch(/^Cannot read s3:\/\/bucket\/p\/a\d+: it changed .*\. Run the command again$/);
    });
  }

  test("replaced where its version is not known beforehand", async () => {
    double.meanwhile = replace(4);
    const error = await content(far.open(key, undefined, SIZE)).catch((thrown) => thrown);
    expect(error.message).toContain("it changed while it was read");
  });

  test("removed", async () => {
    double.meanwhile = (one) => {
      if (one.headers.get("range") === RANGES[5]) double.store.bucket("bucket").delete(one.key);
    };
    expect((await failing(far)).message).toContain("it was removed while it was read");
  });
});

describe("P11: damage in any range is told", () => {
  for (const [name, headers] of [
    ["CRC32", CRC32],
    ["MD5", {}],
  ] as const) {
    for (const nth of [1, 3, 5]) {
      test(`${name}, range ${nth}`, async () => {
        place(BYTES, headers);
        let count = 0;
        double.fault = (one) => (isRead(one) && ++count === nth ? "corrupted" : undefined);
        const error = await failing(far);
        expect(error).toBeInstanceOf(DamagedInputError);
        expect(error.message).toContain(`its bytes do not match its ${name} checksum`);
        double.fault = () => undefined;
        expect(isWhole(await read(far))).toBeTrue();
      });
    }
  }
});
