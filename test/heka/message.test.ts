// One message: its envelope, its encodings, and what the bytes of a broken one lead to.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FormatError, ValueError } from "../../src/errors.ts";
import { MessageDecoder, type RawMessage } from "../../src/heka/message.ts";
import { compressSnappy, encodeMessage, type FieldInit } from "../../src/heka/writer.ts";
import { utf8 } from "./objects.ts";

const decoder = new MessageDecoder();
const bytesOf = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(" ", ""));

describe("a field", () => {
  // Both ways: the writer makes these bytes, the decoder reads them back.
  test.each<[string, FieldInit["values"], FieldInit["type"], boolean, string]>([
    ["string", ["é"], "string", false, "5207 0a016e 2202c3a9"],
    ["bytes", [new Uint8Array([0, 255])], "bytes", false, "5209 0a016e 1001 2a0200ff"],
    ["integer", [0n], "integer", false, "5207 0a016e 1002 3000"],
    ["integers", [300n, 1n], "integer", false, "520a 0a016e 1002 30ac02 3001"],
    ["integers, packed", [300n, 1n], "integer", true, "520a 0a016e 1002 3203ac0201"],
    ["integer of ten bytes", [-1n], "integer", false, "5210 0a016e 1002 30ffffffffffffffffff01"],
    ["largest integer", [2n ** 63n - 1n], "integer", true, "5210 0a016e 1002 3209ffffffffffffffff7f"],
    ["smallest integer", [-(2n ** 63n)], "integer", true, "5211 0a016e 1002 320a80808080808080808001"],
    ["double", [1.5], "double", false, "520e 0a016e 1003 39000000000000f83f"],
    ["double, packed", [-0], "double", true, "520f 0a016e 1003 3a080000000000000080"],
    ["bool", [true], "bool", false, "5207 0a016e 1004 4001"],
    ["bools, packed", [false, true], "bool", true, "5209 0a016e 1004 42020001"],
    ["no value", [], "double", false, "5205 0a016e 1003"],
  ])("%s", (_name, values, type, packed, expected) => {
    const bytes = encodeMessage({ fields: [{ name: "n", type, values, packed }] });
    expect(bytes.toHex()).toBe(expected.replaceAll(" ", ""));
    const message = decoder.decode(bytes);
    expect([...message.fields()]).toEqual([{ name: "n", representation: "", type, values: [...values] }]);
    expect(message.has("n")).toBe(values.length > 0);
  });

  test("keeps its representation", () => {
    const field: FieldInit = { name: "n", representation: "ms", type: "integer", values: [3] };
    expect([...decoder.decode(encodeMessage({ fields: [field] })).fields()]).toEqual([
      { ...field, values: [3n] } as never,
    ]);
  });

  const value = {
    string: fc.string({ unit: "grapheme" }),
    bytes: fc.uint8Array(),
    integer: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    double: fc.double(),
    bool: fc.boolean(),
  };
  const field = fc.constantFrom(...(Object.keys(value) as FieldInit["type"][])).chain((type) =>
    fc.record({
      name: fc.string({ unit: "grapheme" }),
      representation: fc.string(),
      type: fc.constant(type),
      values: fc.array(value[type] as fc.Arbitrary<FieldInit["values"][number]>),
      packed: fc.boolean(),
    }),
  );

  test("random messages come back as they were written, plain and Snappy", () => {
    fc.assert(
      fc.property(
        fc.record({
          uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }),
          timestamp: value.integer,
          type: value.string,
          severity: fc.integer(),
          payload: value.string,
          pid: fc.integer(),
          fields: fc.array(field, { maxLength: 8 }),
        }),
        fc.boolean(),
        (init, compressed) => {
          const bytes = encodeMessage(init);
          const message = decoder.decode(compressed ? compressSnappy(bytes) : bytes);
          expect(message.compressed).toBe(compressed);
          expect(message.uuid.replaceAll("-", "")).toBe(init.uuid.toHex());
          const { timestamp, type, severity, payload, pid } = message;
          expect({ timestamp, type, severity, payload, pid }).toEqual({
            timestamp: init.timestamp,
            type: init.type,
            severity: init.severity,
            payload: init.payload,
            pid: init.pid,
          });
          expect([...message.fields()]).toEqual(init.fields.map(({ packed: _, ...rest }) => rest) as never);
          expect(message.invalidUtf8).toBe(false);
        },
      ),
    );
  });
});

describe("the envelope", () => {
  test("members that are absent", () => {
    const message = decoder.decode(encodeMessage({ type: "only" }));
    const { uuid, timestamp, type, logger, hostname, payload, severity, envVersion, pid } = message;
    expect({ uuid, timestamp, type, logger, hostname, payload, severity, envVersion, pid }).toEqual({
      uuid: "",
      timestamp: 0n,
      type: "only",
      logger: "",
      hostname: "",
      payload: "",
      severity: 7,
      envVersion: "",
      pid: 0,
    });
  });

  test("a uuid of 16 bytes or 36 characters reads the same", () => {
    const uuid = "CB83ABA5-a564-43a4-ad8a-bacf2e770d5c";
    const raw = Uint8Array.fromHex(uuid.replaceAll("-", ""));
    for (const form of [uuid, raw]) {
      expect(decoder.decode(encodeMessage({ uuid: form })).uuid).toBe(uuid.toLowerCase());
    }
  });

  test("of members and fields that come twice the first counts", () => {
    const first = encodeMessage({
      timestamp: 1n,
      type: "first",
      fields: [{ name: "f", type: "integer", values: [1] }],
    });
    const second = encodeMessage({
      timestamp: 2n,
      type: "second",
      fields: [{ name: "f", type: "integer", values: [2] }],
    });
    const message = decoder.decode(new Uint8Array([...first, ...second]));
    expect([message.timestamp, message.type, message.int("f")]).toEqual([1n, "first", 1]);
  });

  test.each([
    ["an unknown member", "0a0141 f80101 1a0141", "A"],
    ["unknown members of every wire type", "58ac02 59 0102030405060708 5a0141 5d 01020304 1a0141", "A"],
    ["a type before a name, unknown members inside a field", "1a0141 520b 1000 220142 0a0166 4a0158", "A"],
  ])("%s is skipped", (_name, hex, type) => {
    expect(decoder.decode(bytesOf(hex)).type).toBe(type);
  });

  test("the value is the first one of the type that value_type names", () => {
    // f: STRING "x" stands before the INTEGER 5 and 6, of type INTEGER, which is said last.
    const message = decoder.decode(bytesOf("520c 0a0166 220178 3005 3006 1002"));
    expect(message.int("f")).toBe(5);
    // Of type DOUBLE, which it does not hold; and of a type that does not exist.
    for (const type of ["03", "09"])
      expect(decoder.decode(bytesOf(`5208 0a0166 220178 10${type}`)).has("f")).toBe(false);
    // An empty packed run holds no value; the next one does.
    expect(decoder.decode(bytesOf("520a 0a0166 1002 3200 320107")).int("f")).toBe(7);
  });

  test.each([
    ["nothing", ""],
    ["a wire type that does not exist", "0f"],
    ["a group", "0b0c"],
    ["member number 0", "0001"],
    ["a length past the end", "0a0541"],
    ["a length of 2^53 and more", "0affffffffffffffffff01"],
    ["a number cut off", "1080"],
    ["a number of eleven bytes", "10ffffffffffffffffffff01"],
    ["a timestamp of wire type 2", "120141"],
    ["a field that ends past the message", "52050a0166"],
    ["a name that ends past its field", "52030a0566 0a0141"],
    ["a packed run that ends within a number", "5208 0a0166 1002 320180"],
    ["a packed double of seven bytes", "520e 0a0166 1003 3a0701020304050607"],
    ["a value of the wrong wire type", "5209 0a0166 1003 38017800"],
  ])("FormatError for %s", (_name, hex) => {
    expect(() => decoder.decode(bytesOf(hex))).toThrow(FormatError);
  });

  test("a message of too many fields is an error, not a matter of memory (P9)", () => {
    expect(() => decoder.decode(bytesOf("5200".repeat(65_537)))).toThrow(FormatError);
    expect([...decoder.decode(bytesOf("5200".repeat(100))).fields()].length).toBe(100);
  });
});

describe("Snappy", () => {
  const plain = encodeMessage({ uuid: new Uint8Array(16), payload: "{}".padEnd(300, " ") });

  test("blocks are told from plain messages, tiny ones too", () => {
    for (const payload of ["", "x", "x".repeat(100), "xyz ".repeat(50_000)]) {
      const bytes = encodeMessage({ type: "t", payload });
      expect(decoder.decode(bytes)).toMatchObject({ compressed: false, payload });
      expect(decoder.decode(compressSnappy(bytes))).toMatchObject({ compressed: true, payload });
    }
  });

  test("a copy across the border of 64 KiB, as Go writes them", () => {
    // A message of 70,000 bytes: a literal of 65,531, then copies of 64 from 65,500 back.
    const header = [0x32, 0xec, 0xa2, 0x04];
    const wanted = new Uint8Array(70_000).map((_, i) => header[i] ?? (i < 65_531 ? 33 + ((i * 31) % 90) : 0));
    for (let i = 65_531; i < 70_000; i++) wanted[i] = wanted[i - 65_500];
    const length = [0xf0, 0xa2, 0x04];
    const literal = [(61 << 2) | 0, (65_531 - 1) & 0xff, (65_531 - 1) >> 8, ...wanted.subarray(0, 65_531)];
    const copies: number[] = [];
    for (let left = 70_000 - 65_531; left > 0; left -= 64) {
      copies.push(((Math.min(left, 64) - 1) << 2) | 2, 65_500 & 0xff, 65_500 >> 8);
    }
    const message = decoder.decode(new Uint8Array([...length, ...literal, ...copies]));
    expect(message.compressed).toBe(true);
    expect(Buffer.compare(utf8(message.payload), wanted.subarray(4))).toBe(0);
  });

  const literal = (bytes: Uint8Array): number[] => [(60 << 2) | 0, bytes.length - 1, ...bytes];
  const part = plain.subarray(0, 200);
  test.each([
    ["cut off", [...compressSnappy(plain).subarray(0, -1)]],
    ["with a byte too many", [...compressSnappy(plain), 0]],
    ["longer than declared", [0xc7, 0x01, ...literal(part)]],
    ["shorter than declared", [0xc9, 0x01, ...literal(part)]],
    ["with an offset of 0", [0xcc, 0x01, ...literal(part), (3 << 2) | 2, 0, 0]],
    ["with an offset before the start", [0xcc, 0x01, ...literal(part), (3 << 2) | 2, 201, 0]],
    ["with an offset far before the start", [0xcc, 0x01, ...literal(part), (3 << 2) | 3, 255, 255, 255, 255]],
    ["declared longer than 64 MiB", [0x81, 0x80, 0x80, 0x20, ...literal(part)]],
    ["declared longer than it can be (P9)", [0x80, 0x80, 0x80, 0x20, ...literal(part)]],
  ])("a block %s is undecodable", (_name, bytes) => {
    expect(() => decoder.decode(new Uint8Array(bytes))).toThrow(FormatError);
  });
});

test("garbage and damaged messages throw FormatError and ValueError only", () => {
  const message = encodeMessage({
    uuid: new Uint8Array(16),
    timestamp: 5n,
    payload: JSON.stringify({ a: { b: [1, 2, { c: null }], "d\n": "é" }, n: 12.5 }),
    fields: [
      { name: "a.x", type: "bytes", values: ['{"k":[1,{"l":true}],"m":"text"}'] },
      { name: "f", type: "double", values: [1, 2], packed: true },
      { name: "g", type: "integer", values: [-1n] },
    ],
  });
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
  const damaged = fc.tuple(fc.boolean(), damage).map(([compressed, changes]) => {
    const bytes = new Uint8Array(compressed ? compressSnappy(message) : message);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      let decoded: RawMessage;
      try {
        decoded = decoder.decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        return;
      }
      const { uuid, timestamp, type, payload, severity, pid } = decoded;
      const types = [uuid, timestamp, type, payload, severity, pid].map((value) => typeof value as string);
      expect(types).toEqual(["string", "bigint", "string", "string", "number", "number"]);
      for (const field of decoded.fields()) expect(field.values).toBeArray();
      for (const path of ["a", "a.b", "a.x", "a.x.k", "a.x.m", "a.d\n", "n", "f", "g", []]) {
        for (const getter of ["string", "int", "long", "double", "boolean", "bytes", "json", "has"] as const) {
          try {
            decoded[getter](path);
          } catch (error) {
            expect(error).toBeInstanceOf(ValueError);
          }
        }
      }
    }),
    { numRuns: 1000 },
  );
});
