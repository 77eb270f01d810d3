// Values at the edges of their types, and texts that are none, through the built binary, with the kernel and without it: exact
// numbers, and valid UTF-8 in Parquet, with what was replaced counted.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { encodeFrame, type FieldInit } from "../../src/heka/writer.ts";
import { readRows } from "../../src/parquet/read.ts";
import { message } from "../fuzz/hostile.ts";
import { signedFrame } from "../fuzz/objects.ts";
import { duck } from "../parquet/readers.ts";
import { derive } from "./derive.ts";

const STREAM = `import { defineStream, double, long, map, string } from "derive";
export default defineStream({
  streamName: "telemetry",
  columns: {
    id: string(),
    text: string("text").optional(),
    double: double("double").optional(),
    long: long("long").optional(),
    texts: map(string(), "texts").optional(),
  },
});
`;

let folder = "";
beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-exact-"));
  writeFileSync(join(folder, "Exact.ts"), STREAM);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function convert(frames: Uint8Array[], env: Record<string, string>) {
  writeFileSync(join(folder, "object"), Buffer.concat(frames));
  const words = ["convert", "./Exact.ts", "object", "-o", "out.parquet", "--json"];
  const { exit, stdout, stderr } = await derive(words, folder, { env });
  expect([exit, stderr.includes("error")]).toEqual([0, false]);
  const file = new Uint8Array(readFileSync(join(folder, "out.parquet")));
  rmSync(join(folder, "out.parquet"));
  return { file, totals: JSON.parse(stdout).totals };
}

const WAYS: [string, Record<string, string>][] = [
  ["with the kernel", {}],
  ["without it", { DERIVE_KERNEL: "off" }],
  ["by an engine without vectors", { BUN_JSC_useWasmSIMD: "0" }],
];

test.each(WAYS)("numbers, %s", async (_way, env) => {
  const doubles = [NaN, Infinity, -Infinity, -0, 0, 5e-324, 1.7976931348623157e308, 0.1];
  const longs = [2n ** 63n - 1n, -(2n ** 63n), -1n, 0n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 1n, 2n ** 31n];
  const inFields = doubles.map((value, i) => {
    const fields: FieldInit[] = [
      { name: "double", type: "double", values: [value], packed: i % 2 === 0 },
      { name: "long", type: "integer", values: [longs[i]!], packed: i % 2 === 0 },
    ];
    return encodeFrame(message(`f${i}`, { fields }));
  });
  const inJson = doubles.map((value, i) => {
    const text = Object.is(value, -0) ? "-0" : Number.isFinite(value) ? String(value) : "null";
    return encodeFrame(message(`j${i}`, { payload: `{"double":${text},"long":${longs[i]}}` }));
  });
  const { file } = await convert([...inFields, ...inJson], env);
  const rows = await Array.fromAsync(readRows(file.buffer));
  expect(rows.map(({ double }) => double)).toEqual([...doubles, null, null, null, ...doubles.slice(3)]);
  expect(rows.map(({ double }) => Object.is(double, -0)).filter(Boolean)).toHaveLength(2);
  expect(rows.map(({ long }) => long)).toEqual([...longs, ...longs]);
  // Readers that skip by statistics: NaN is in no range, the infinities and both zeros are.
  const where = async (condition: string) =>
    (await duck(`SELECT id FROM read_parquet($file) WHERE ${condition}`, file)).map(({ id }) => id);
  expect(await where("double = 'NaN'")).toEqual(["f0"]);
  expect(await where("double = 'Infinity'")).toEqual(["f1"]);
  expect(await where("double < -1e308")).toEqual(["f2"]);
  expect(await where("double = 0")).toEqual(["f3", "f4", "j3", "j4"]);
  expect(await where(`long IN (${2n ** 63n - 1n}, -9223372036854775808)`)).toEqual(["f0", "f1", "j0", "j1"]);
});

const bytes = (...values: number[]): FieldInit[] => [
  { name: "text", type: "bytes", values: [Uint8Array.from(values)] },
];

/** What is written, and whether something had to be replaced. */
const TEXTS: [init: Parameters<typeof message>[1], text: string, replaced: boolean][] = [
  [{ fields: bytes(0xff, 0x61) }, "\ufffda", true],
  [{ fields: bytes(0xc0, 0x80) }, "\ufffd\ufffd", true],
  [{ fields: bytes(0xed, 0xa0, 0x80) }, "\ufffd\ufffd\ufffd", true],
  [{ fields: bytes(0xf4, 0x90, 0x80, 0x80) }, "\ufffd\ufffd\ufffd\ufffd", true],
  [{ fields: bytes(0xe2, 0x82) }, "\ufffd", true],
  [{ fields: bytes(0x00, 0x61, 0x00) }, "\0a\0", false],
  [{ fields: bytes(0xef, 0xbb, 0xbf, 0x61) }, "\ufeffa", false],
  [{ fields: bytes(0xef, 0xbf, 0xbd) }, "\ufffd", false],
  [{ payload: '{"text":"\\ud800x"}' }, "\ufffdx", true],
  [{ payload: '{"text":"\\udc00\\ud83d"}' }, "\ufffd\ufffd", true],
  [{ payload: '{"text":"\\ud83e\\udd86\\u0000"}' }, "\u{1f986}\0", false],
  [{ payload: '\ufeff{"text":"bom"}' }, "bom", false],
  [{ payload: '{"text":"plain","texts":{"a":"\\udfff"}}' }, "plain", true],
  [{ payload: '{"text":"plain","texts":{"__proto__":"own"}}' }, "plain", false],
];

test.each(WAYS)("texts, %s", async (_way, env) => {
  const { file, totals } = await convert(
    TEXTS.map(([init], i) => encodeFrame(message(`t${i}`, init))),
    env,
  );
  expect(totals.invalidUtf8).toBe(TEXTS.filter(([, , replaced]) => replaced).length);
  const rows = await duck("SELECT hex(text) AS text, CAST(texts AS JSON) AS texts FROM read_parquet($file)", file);
  // By its bytes: DuckDB's client drops a byte order mark.
  expect(rows.map(({ text }) => text)).toEqual(
    TEXTS.map(([, text]) => Buffer.from(text).toString("hex").toUpperCase()),
  );
  expect(rows.map(({ texts }) => texts).slice(-2)).toEqual(['{"a":"\ufffd"}', '{"__proto__":"own"}']);
});

test.each(WAYS)("signed frames are read and counted, %s", async (_way, env) => {
  const plain = encodeFrame(message("plain"));
  const { totals } = await convert(
    [plain, signedFrame(message("signed")).bytes, plain, signedFrame(message("more")).bytes],
    env,
  );
  expect(totals).toMatchObject({ frames: 4, signed: 2, written: 4, bytesDamaged: 0 });
  const { stdout } = await derive(["cat", "--count", "object"], folder);
  expect(stdout).toStartWith("4 messages, ");
  expect(stdout).toContain(", 2 signed  file://");
});
