// The eight real files read as the README beside them says, and the telemetry ones as the reference reader saw them.
import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/heka/message.ts";
import { MessageDecoder } from "../../src/heka/message.ts";
import { inflateAll, messagesOf, readReal, realFiles, spansOf } from "./objects.ts";

const decoder = new MessageDecoder();
const describeReal = realFiles ? describe : describe.skip;
type Ping = { [key: string]: Json };

async function open(name: string): Promise<Uint8Array> {
  const { bytes, error } = await inflateAll(readReal(name));
  expect(error).toBeUndefined();
  return bytes;
}

describeReal("real files", () => {
  test.each([
    ["test_plain.heka", 0],
    ["test_snappy.heka", 10],
    ["test_mixed.heka", 5],
    ["test_gzip.heka", 0],
    ["test_gzip_mixed.heka", 5],
  ])("%s: ten messages, %d of them Snappy", async (name, compressed) => {
    const messages = messagesOf(await open(name));
    expect(messages.length).toBe(10);
    expect(messages.filter((bytes) => decoder.decode(bytes).compressed).length).toBe(compressed);
    messages.forEach((bytes, seq) => {
      const message = decoder.decode(bytes);
      expect(message.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      if (seq === 0) expect(message.uuid).toBe("cb83aba5-a564-43a4-ad8a-bacf2e770d5c");
      expect(message.timestamp).toBe(1437688956000000000n);
      expect(message.int("seq")).toBe(seq);
      expect(message.string("test_string_field")).toBe("test_string_value");
      expect(message.double("test_double_field")).toBe(123.45);
      expect(message.long("test_int_field")).toBe(100n);
      expect(message.hostname).toBe("test.example.com");
    });
  });

  test("a stray newline at the end is blank (P7)", async () => {
    for (const name of ["test_telemetry_snappy.heka", "test_telemetry_gzip.heka"]) {
      const bytes = await open(name);
      const spans = spansOf(bytes);
      expect(spans[0]).toMatchObject({ kind: "frame", offset: 0 });
      expect(spans.reduce((sum, span) => sum + span.length, 0)).toBe(bytes.length);
      expect(spans.slice(1)).toEqual([{ kind: "blank", offset: spans[0].length, length: 1 }]);
    }
  });

  test("invalid UTF-8 in submission is decoded with U+FFFD, and said so", async () => {
    const message = decoder.decode(messagesOf(await open("test_invalid_utf8.heka"))[0]);
    expect(message.string("geoCountry")).toBe("BO");
    expect(message.invalidUtf8).toBe(false);
    expect(JSON.stringify(message.json([]))).toContain("\uFFFD");
    expect(message.invalidUtf8).toBe(true);
    expect(message.int("simpleMeasurements.uptime")).toBe(16550);
  });

  test.each(["test_telemetry_snappy.heka", "test_telemetry_gzip.heka"])("%s agrees with its .json", async (name) => {
    const expected = JSON.parse(Buffer.from(readReal(`${name}.json`)).toString(), rounded) as Ping;
    const { meta, ...whole } = expected;
    const message = decoder.decode(messagesOf(await open(name))[0]);

    const ping = message.json([]) as Ping;
    expect(JSON.parse(JSON.stringify(ping), rounded)).toEqual(whole);
    for (const key of Object.keys(ping)) expect(message.json(key)).toEqual(ping[key]);
    for (const parent of ["environment", "payload"]) {
      for (const [key, value] of Object.entries(ping[parent] as Ping)) {
        expect(message.json([parent, key])).toEqual(value);
        expect(message.has(`${parent}.${key}`)).toBe(true);
      }
    }
    checkMeta(message, meta as Ping);
    checkLeaves(message, [], ping);
  });
});

/** The reference reader was off by some units in the last place of doubles. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(14)) : value;
}

/** The reference reader's names for the envelope, and the fields beside the sections. */
function checkMeta(message: ReturnType<typeof decoder.decode>, meta: Ping): void {
  const { Hostname, Timestamp, Type, ...fields } = meta;
  expect(message.hostname).toBe(Hostname as string);
  expect(Number(message.timestamp)).toBe(Timestamp as number);
  expect(message.type).toBe(Type as string);
  for (const [name, value] of Object.entries(fields)) {
    expect(message.json(name)).toEqual(value);
    if (typeof value === "string") expect(message.string(name)).toBe(value);
    if (typeof value === "number") expect(message.double(name)).toBe(value);
    if (typeof value === "boolean") expect(message.boolean(name)).toBe(value);
  }
}

/** Every scalar of the ping, asked for by its own path: scanning finds what parsing the whole gives. */
function checkLeaves(message: ReturnType<typeof decoder.decode>, path: string[], value: Json): void {
  if (typeof value === "string") expect(message.string(path)).toBe(value);
  else if (typeof value === "number") expect(message.double(path)).toBe(value);
  else if (typeof value === "boolean") expect(message.boolean(path)).toBe(value);
  else if (value === null) expect(message.has(path)).toBe(false);
  else if (Array.isArray(value)) expect(message.json(path)).toEqual(value);
  // The field of this name stands before the ping's own key, and both say the same.
  else for (const [key, child] of Object.entries(value)) checkLeaves(message, [...path, key], child);
}
