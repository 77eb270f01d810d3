// How far a message is read (docs/formats.md): what lies behind the values asked for is neither checked nor counted.
import { describe, expect, test } from "bun:test";
import { FormatError } from "../../src/errors.ts";
import { MessageDecoder, type RawMessage } from "../../src/heka/message.ts";
import { compressSnappy, encodeMessage, type FieldInit } from "../../src/heka/writer.ts";

const text = (name: string, value: string): FieldInit => ({ name, type: "string", values: [value] });
const filler = (length: number): FieldInit =>
  text("filler", Array.from({ length: length / 8 }, (_, i) => `word ${(i * 7919) % 997}`.padEnd(8)).join(""));
const lazily = (bytes: Uint8Array): RawMessage => new MessageDecoder().decode(bytes, "lazily");

const front = [
  text("docType", "main"),
  text("environment", '{"system":{"os":1}}'),
  text("environment.system", '{"os":{"name":"Linux"}}'),
];
const behind = [text("environment.system.os", '{"name":"behind"}'), text("docType", "behind"), text("late", "here")];
const long = encodeMessage({ fields: [...front, filler(20_000), ...behind] });
/** A number without an end, where the last field lies. */
const broken = long.slice();
broken.fill(0xff, broken.length - 12);
/** A block whose last element reaches beyond its output. */
const block = compressSnappy(long);
const corrupt = block.slice(0, -3);

describe("of a long message", () => {
  test.each([
    ["plain", long],
    ["in Snappy", block],
  ])("%s: what settles a path counts, what lies behind does not", (_name, bytes) => {
    const message = lazily(bytes);
    expect(message.string("docType")).toBe("main");
    expect(message.string("environment.system.os.name")).toBe("Linux");
    expect(message.string("late")).toBe("here");
    // Having read on changes nothing.
    expect(message.string("environment.system.os.name")).toBe("Linux");
    expect(message.json("environment.system.os")).toEqual({ name: "Linux" });
  });

  test.each([
    ["protobuf", broken],
    ["a Snappy block", corrupt],
  ])("a fault in %s is found by who comes to it", (_name, bytes) => {
    const message = lazily(bytes);
    expect(message.string("environment.system.os.name")).toBe("Linux");
    expect(message.has("environment.system.missing")).toBe(false);
    expect(message.fault).toBeUndefined();
    expect(() => message.has("late")).toThrow(FormatError);
    expect(() => message.hostname).toThrow(FormatError);
    expect(message.fault).toBeInstanceOf(FormatError);
    expect(message.string("docType")).toBe("main");
    expect(() => new MessageDecoder().decode(bytes)).toThrow(FormatError);
  });

  test("a fault in what is read at once makes it no message", () => {
    const fault = long.slice();
    fault.fill(0xff, 0, 8);
    expect(() => lazily(fault)).toThrow(FormatError);
    expect(() => lazily(compressSnappy(fault))).toThrow(FormatError);
  });
});

test("a message of 16 KiB is read whole: the longest prefix counts wherever it lies, and so does a fault", () => {
  const room = 16 * 1024 - encodeMessage({ fields: [...front, ...behind] }).length;
  const whole = encodeMessage({ fields: [...front, filler(room - 64), ...behind] });
  expect(whole.length).toBeLessThanOrEqual(16 * 1024);
  expect(lazily(whole).string("environment.system.os.name")).toBe("behind");
  const fault = whole.slice();
  fault.fill(0xff, fault.length - 12);
  expect(() => lazily(fault)).toThrow(FormatError);
});
