// The document rule: which bytes a path means, and how sections are put back.
import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { type Json, MessageDecoder, type Path, type RawMessage } from "../../src/heka/message.ts";
import { type Era, framePing } from "../../src/heka/ping.ts";
import { encodeMessage, type FieldInit } from "../../src/heka/writer.ts";
import { messagesOf } from "./objects.ts";

/** Each with a decoder of its own: a decoded message is valid only until the next one. */
const decode = (bytes: Uint8Array): RawMessage => new MessageDecoder().decode(bytes);
const section = (name: string, value: unknown): FieldInit => ({
  name,
  type: "bytes",
  values: [typeof value === "string" ? value : JSON.stringify(value)],
});
const messageOf = (payload: unknown, ...fields: FieldInit[]): RawMessage =>
  decode(encodeMessage({ type: "t", payload: payload === undefined ? undefined : JSON.stringify(payload), fields }));

describe("a path means", () => {
  const message = messageOf(
    { a: { b: { c: "payload" }, other: 1 }, "x.y": { z: 1 }, x: { "y.z": 2, y: { z: 3 } }, d: 1, d2: 4 },
    section("a", { b: { c: "field a" } }),
    section("a.b", { c: "field a.b", d: { e: 1 } }),
    section("a.b.c.d", { e: "field a.b.c.d" }),
    { name: "d", type: "double", values: [2] },
    section("list", [{ k: 1 }]),
  );
  test.each<[string, Path, Json]>([
    ["the longest prefix that names a field", "a.b.c", "field a.b"],
    ["the same as an array", ["a", "b", "c"], "field a.b"],
    ["parts that have dots name fields too", ["a.b", "c"], "field a.b"],
    ["an even longer prefix", "a.b.c.d.e", "field a.b.c.d"],
    ["a field alone", "d", 2],
    ["the payload where no field matches", "d2", 4],
    ["nested keys for dots", "x.y.z", 3],
    ["a key with dots for an array's part", ["x", "y.z"], 2],
    ["another key with dots", ["x.y", "z"], 1],
    ["nothing where a field exists and the walk ends", "a.other", null],
    ["nothing below a number", "d.x", null],
    ["nothing below an array", "list.0", null],
    ["nothing for the empty key", "", null],
  ])("%s", (_name, path, expected) => {
    expect(message.json(path, null)).toEqual(expected);
  });

  test("of equal keys the first", () => {
    const twice = decode(encodeMessage({ payload: '{"a":{"b":1},"a":{"b":2,"c":3},"\\u0061":4}' }));
    expect(twice.int("a.b")).toBe(1);
    expect(twice.has("a.c")).toBe(false);
    expect(twice.json([])).toEqual({ a: 4 });
  });

  test("`__proto__` is a key like any other", () => {
    const message = decode(
      encodeMessage({
        payload: '{"__proto__":{"a":1},"o":{}}',
        fields: [section("o.__proto__.b", { c: 2 }), section("__proto__.d", 3)],
      }),
    );
    expect(message.int("__proto__.a")).toBe(1);
    expect(message.has("o.toString")).toBe(false);
    expect(message.int("o.__proto__.b.c")).toBe(2);
    expect(JSON.stringify(message.json([]))).toBe('{"__proto__":{"a":1,"d":3},"o":{"__proto__":{"b":{"c":2}}}}');
    expect(({} as { d?: number }).d).toBeUndefined();
  });

  test("paths asked for in any order, more members than are kept", () => {
    const wide = Object.fromEntries(Array.from({ length: 12_000 }, (_, i) => [`k${i}`, i]));
    const message = messageOf({ wide });
    for (const i of [11_999, 5, 10_001, 9_999, 10_000, 0]) expect(message.int(`wide.k${i}`)).toBe(i);
    expect(message.has("wide.k12000")).toBe(false);
  });
});

describe("the ping's own JSON", () => {
  const content = section("content", { v: "content" });
  const submission = section("submission", { v: "submission" });
  test.each<[string, RawMessage]>([
    ["payload", messageOf({ v: "payload" }, content, submission)],
    ["submission", messageOf(undefined, content, submission)],
    ["content", messageOf(undefined, content)],
  ])("is in %s", (place, message) => {
    expect(message.string("v")).toBe(place);
  });

  test("is in content as gzip, unpacked once; broken or too large gzip is an error of the record (P9)", () => {
    const zipped = (bytes: Uint8Array): RawMessage =>
      messageOf(undefined, { name: "content", type: "bytes", values: [bytes] });
    const message = zipped(gzipSync('{"v":{"w":"é"}}'));
    expect(message.string("v.w")).toBe("é");
    expect(message.json([])).toEqual({ v: { w: "é" } });
    expect(() => zipped(gzipSync("{}").subarray(0, -3)).has("v")).toThrow("v is in broken gzip");
    const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024 + 1));
    expect(() => zipped(bomb).has("v")).toThrow("v is in gzip longer than 64 MiB");
  });

  test("is nothing without any of them, and no object where it is other text", () => {
    expect(messageOf(undefined).has([])).toBe(false);
    expect(messageOf(undefined).json([], "none")).toBe("none");
    expect(decode(encodeMessage({ payload: "plain text" })).has("v")).toBe(false);
  });
});

describe("sections are put back", () => {
  const addons = { activeAddons: {} };
  const fields = [section("env.z", { e: 1 }), section("env.addons", addons), section("payload.info.x", [1])];
  test.each<[string, unknown]>([
    ["no key was left behind", { type: "main", env: { b: 1 }, payload: { info: { y: 2 } } }],
    [
      "nulls were left behind",
      { type: "main", env: { addons: null, b: 1, z: null }, payload: { info: { x: null, y: 2 } } },
    ],
  ])("where %s, in the same order", (_name, rest) => {
    const message = messageOf(rest, ...fields);
    const env = '{"b":1,"addons":{"activeAddons":{}},"z":{"e":1}}';
    const payload = '{"info":{"y":2,"x":[1]}}';
    expect(JSON.stringify(message.json([]))).toBe(`{"type":"main","env":${env},"payload":${payload}}`);
    expect(JSON.stringify(message.json("env"))).toBe(env);
    expect(JSON.stringify(message.json("payload.info"))).toBe('{"y":2,"x":[1]}');
  });

  test("where nothing else was left of them", () => {
    const message = messageOf(undefined, ...fields, section("docType", '"main"'));
    expect(message.json("env")).toEqual({ addons, z: { e: 1 } });
    expect(message.json([])).toEqual({ env: { addons, z: { e: 1 } }, payload: { info: { x: [1] } } });
    expect([message.has("env"), message.has("payload.info"), message.has([]), message.has("en")]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(() => message.string("env", "")).toThrow("env is not a string");
  });

  test("of fields of one name the first, also where it holds nothing", () => {
    for (const first of [section("env.z", null), { ...section("env.z", null), values: [] }]) {
      const message = messageOf(undefined, first, section("env.z", { e: 1 }), section("env.addons", addons));
      expect([message.has("env.z"), message.json("env")]).toEqual([false, { addons }]);
    }
  });

  test("but never over a value, nor below one that is no object, nor as null", () => {
    const message = messageOf(
      { env: { z: 0, addons: [], n: null } },
      ...fields,
      section("env.n", "null"),
      section("env.addons.a", {}),
    );
    expect(message.json("env")).toEqual({ z: 0, addons: [], n: null });
  });

  test("below a section of its own too", () => {
    const message = messageOf(undefined, section("a.b", { c: 1, d: null }), section("a.b.d", { e: 2 }));
    expect(message.json("a.b")).toEqual({ c: 1, d: { e: 2 } });
  });

  test("broken ones are an error of the path asked for, without their text (P12)", () => {
    const message = messageOf({}, section("env.z", "secret"));
    for (const path of ["env", "env.z"]) expect(() => message.json(path)).toThrow(new RegExp(`^${path} is not JSON$`));
  });
});

describe("eras", () => {
  const ping = {
    type: "main",
    id: "10c8bf50-a683-4fa7-a40e-9fdb0bc0cdc1",
    clientId: "c0ffee00-0000-4000-8000-000000000001",
    creationDate: "2017-01-30T22:58:35.329Z",
    version: 4,
    application: {
      name: "Firefox",
      channel: "nightly",
      version: "54.0a1",
      buildId: "20170130030205",
      vendor: "Mozilla",
    },
    environment: { system: { os: { name: "Windows_NT" } }, settings: { telemetryEnabled: true }, extra: [1] },
    payload: {
      info: { reason: "shutdown", subsessionLength: 3600 },
      keyedHistograms: {},
      processes: { a: 1 },
      gc: null,
    },
  };
  const eras: Era[] = ["heka", "hindsight", "landfill"];
  const decoded = (era: Era, meta = {}): RawMessage => decode(messagesOf(framePing(ping, meta, era))[0]);

  test.each(eras)("%s: the ping comes back, and so do the facts taken from it", (era) => {
    const before = JSON.stringify(ping);
    const message = decoded(era);
    expect(JSON.stringify(ping)).toBe(before);
    const { gc: _, ...payload } = ping.payload;
    expect(message.json([])).toMatchObject({ ...ping, payload });
    expect(message.uuid).toBe(ping.id);
    expect(message.timestamp).toBe(BigInt(Date.parse(ping.creationDate)) * 1_000_000n);
    expect(message.compressed).toBe(era === "heka");
    const facts: Record<string, Json> = {
      documentId: ping.id,
      clientId: ping.clientId,
      docType: "main",
      reason: "shutdown",
      appName: "Firefox",
      appUpdateChannel: "nightly",
      normalizedChannel: "nightly",
      os: "Windows_NT",
      submissionDate: "20170130",
      creationTimestamp: 1485817115329000000,
      telemetryEnabled: true,
      sourceVersion: era === "heka" ? "4" : 4,
    };
    for (const [name, value] of Object.entries(facts)) expect(message.json(name)).toEqual(value);
    expect(message.string("sourceVersion")).toBe("4");
    // CRC-32 as zlib has it.
    expect(message.int("sampleId")).toBe(Bun.hash.crc32(ping.clientId) % 100);
    expect(message.string("environment.system.os.name")).toBe("Windows_NT");
    expect(message.int("payload.processes.a")).toBe(1);
    expect(message.has("payload.gc")).toBe(false);
  });

  test("sections and numbers lie as the real files have them", () => {
    const kinds = (era: Era): unknown[] => {
      const fields = [...decoded(era).fields()];
      const typeOf = (name: string): unknown => fields.find((field) => field.name === name)?.type;
      return ["environment.system", "payload.info", "payload.gc", "submission", "content", "sourceVersion"].map(typeOf);
    };
    expect(kinds("heka")).toEqual(["string", "string", no, no, no, "string"]);
    expect(kinds("hindsight")).toEqual(["bytes", "bytes", no, "bytes", no, "double"]);
    expect(kinds("landfill")).toEqual([no, no, no, no, "bytes", "double"]);
    expect(JSON.parse(decoded("heka").payload).environment).toEqual({ extra: [1] });
    expect(JSON.parse(decoded("hindsight").string("submission")).environment).toEqual({
      system: null,
      settings: null,
      extra: [1],
    });
  });

  test("what is given beats what the ping says, null leaves a field out", () => {
    for (const era of eras) {
      const message = decoded(era, { docType: "crash", geoCountry: "NZ", sampleId: 7, reason: null, timestamp: 5n });
      expect([message.string("docType"), message.string("geoCountry"), message.int("sampleId")]).toEqual([
        "crash",
        "NZ",
        7,
      ]);
      expect([message.has("reason"), message.timestamp]).toEqual([false, 5n]);
    }
  });
});

const no = undefined;
