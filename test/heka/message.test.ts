// One message: its envelope, its encodings, and what the bytes of a broken one lead to.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FormatError, ValueError } from "../../src/errors.ts";
import { MessageDecoder } from "../../src/heka/message.ts";
import { compressSnappy, encodeMessage, type FieldInit } from "../../src/heka/writer.ts";
import { utf8 } from "./objects.ts";

const decoder = new MessageDecoder();
const hex = (bytes: Uint8Array): string => bytes.toHex();

describe("bytes of a message", () => {
  // Both ways: the writer makes these bytes, the decoder reads them back.
  test.each<[string, FieldInit["values"][number], FieldInit["type"], boolean, string]>([
    ["string", "é", "string", false, "520722" + "02c3a9".padStart(0)],
    ["bytes", new Uint8Array([0, 255]), "bytes", false, "520610012a0200ff"],
    ["integer 0", 0n, "integer", false, "520410023000"],
    ["integer 300", 300n, "integer", false, "5205100230ac02"],
    ["integer, packed", 300n, "integer", true, "520610023202ac02"],
    ["integer -1 takes ten bytes", -1n, "integer", false, "520d100230ffffffffffffffffff01"],
    ["largest integer", 2n ** 63n - 1n, "integer", true, "520d10023209ffffffffffffffff7f"],
    ["smallest integer", -(2n ** 63n), "integer", true, "520e1002320a80808080808080808001"],
    ["double", 1.5, "double", false, "520b100339000000000000f83f"],
    ["double, packed", -0, "double", true, "520c10033a080000000000000080"],
    ["bool", true, "bool", false, "520410044001"],
    ["bool, packed", false, "bool", true, "52051004420100"],
  ])("%s", (_name, value, type, packed, expected) => {
    const bytes = encodeMessage({ fields: [{ name: "", type, values: [value], packed }] });
    // The name is empty: two bytes at the start of the field.
    const withName = expected === "52072202c3a9" ? "52060a002202c3a9" : lengthened(expected);
    expect(hex(bytes)).toBe(withName);
    expect([...decoder.decode(bytes).fields()]).toEqual([{ name: "", representation: "", type, values: [value] }]);
  });
});

function lengthened(field: string): string {
  const length = Number.parseInt(field.slice(2, 4), 16) + 2;
  return `52${length.toString(16).padStart(2, "0")}0a00${field.slice(4)}`;
}
