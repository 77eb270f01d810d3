// P12: what a ping holds and what the environment keeps secret is never told: not on stderr, not in reports, not in
// `_SUCCESS`. Every command that reads raw data runs through the built binary over pings that are full of marks.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { builtBinary } from "../scripts/built.ts";
import { framePing } from "../src/heka/ping.ts";
import { compressSnappy, encodeFrame, encodeMessage, type FieldInit } from "../src/heka/writer.ts";
import { derive, type Ended } from "./binary/derive.ts";

/** In every value and key of the pings; never in a stream's file. */
const MARK = "PINGMARK";
const NUMBER = 731650731650;
/** In every credential, and in signatures of URLs. */
const CREDENTIAL = "CREDMARK";

const environment = {
  AWS_ACCESS_KEY_ID: `AKIA${CREDENTIAL}`,
  AWS_SECRET_ACCESS_KEY: `${CREDENTIAL}/secret`,
  AWS_SESSION_TOKEN: `${CREDENTIAL}token`,
};

/** Each way in which a stream, or what it makes, can go wrong with a ping in its hands. */
const FAULTS: Record<string, string> = {
  text: "throw new Error(JSON.stringify(ping));",
  plainText: "throw ping.value;",
  object: "throw ping;",
  nothing: "throw null;",
  jsonParse: "JSON.parse(ping.broken);",
  typeError: "ping.value[ping.key].x();",
  name: "throw Object.assign(new Error('x'), { name: ping.value });",
  message: "const error = new RangeError('x'); error.message = ping.value; throw error;",
  className: "throw new ({ [ping.key]: class extends Error {} })[ping.key]();",
  ownClass: "class Own extends Error {} throw new Own(ping.value);",
  classAssigned: "class Own extends Error {} Object.defineProperty(Own, 'name', { value: ping.key }); throw new Own();",
  constructorOfIt: "const error = new Error('x'); error.constructor = { name: ping.key }; throw error;",
  likeStack: "const at = '\\n    at f (/tmp/' + ping.key + '.ts:1:1)'; throw new Error(at + at);",
  stack: "throw Object.assign(new Error('x'), { stack: 'Error\\n    at f (/tmp/' + ping.key + '.ts:1:1)' });",
  functionName: "({ [ping.key]: () => { throw new Error('x'); } })[ping.key]();",
  getters:
    "const get = () => ping.value; throw Object.defineProperties(new Error('x'), { name: { get }, message: { get }, stack: { get } });",
  throwingGetters:
    "const get = () => { throw new Error(ping.value); }; throw Object.defineProperties(new Error('x'), { name: { get }, message: { get }, stack: { get } });",
  proxy: "throw new Proxy(new Error('x'), { getPrototypeOf() { throw new Error(ping.value); } });",
  cause: "throw new Error('x', { cause: new Error(ping.value) });",
  aggregate: "throw new AggregateError([new Error(ping.value)], ping.value);",
  pathOfKeys: "message.double(['payload', 'histograms', ping.key, 'sum']);",
  dottedPath: "message.string('payload.' + ping.key + '.x');",
  pathIntoBroken: "message.string(['payload', 'broken', ping.key]);",
  wholeBroken: "message.json('payload.broken');",
  noNumber: "message.double('payload.value');",
  annotated: "try { message.int('payload.value'); } catch (error) { error.message += ping.value; throw error; }",
  surplus: "return { ...good, [ping.key]: 1 };",
  notRecord: "return ping.value;",
  list: "return [ping.value];",
  promise: "return Promise.reject(new Error(ping.value));",
  recordGetter: "return { ...good, get id() { throw new Error(ping.value); } };",
  badText: "return { ...good, id: NaN };",
  badInt: "return { ...good, n: ping.value };",
  badEnum: "return { ...good, kind: ping.value };",
  badMapValue: "return { ...good, counts: { [ping.key]: ping.value } };",
  badList: "return { ...good, list: [{ [ping.key]: ping.value }] };",
  badUnion: "return { ...good, either: { [ping.key]: ping.value } };",
  badDecimal: "return { ...good, money: ping.value };",
  badUuid: "return { ...good, uuid: ping.value };",
  badDate: "return { ...good, day: new Date(ping.value) };",
  filtered: "return null;",
};

const STREAM = `import { defineStream } from "derive";
import { faults } from "./lib/faults";
const schema = {
  type: "record", name: "Marked", fields: [
    { name: "id", type: "string" },
    { name: "n", type: "int", default: 0 },
    { name: "kind", type: ["null", { type: "enum", name: "Kind", symbols: ["A"] }], default: null },
    { name: "counts", type: { type: "map", values: "int" }, default: {} },
    { name: "list", type: { type: "array", items: { type: "record", name: "Item", fields: [{ name: "x", type: "int" }] } }, default: [] },
    { name: "either", type: ["null", "string", { type: "map", values: "int" }], default: null },
    { name: "money", type: ["null", { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 }], default: null },
    { name: "uuid", type: ["null", { type: "string", logicalType: "uuid" }], default: null },
    { name: "day", type: ["null", { type: "int", logicalType: "date" }], default: null },
  ],
} as const;
export default defineStream({
  streamName: "telemetry",
  buildSchema: () => schema as any,
  buildRecord(message: any): any {
    const good = { id: message.string("clientId") };
    const how = message.string("reason", "");
    const ping = how in faults ? message.json("payload.info") : {};
    return how in faults ? faults[how](ping, message, good) : good;
  },
});
`;

const LIBRARY = `export const faults: Record<string, (ping: any, message: any, good: any) => unknown> = {
${Object.entries(FAULTS)
  .map(([name, code]) => `  ${name}(ping, message, good) { ${code} return good; },`)
  .join("\n")}
};
`;

/** A stream in which a fault ends the worker thread, or is told by nobody. */
const ending = (code: string) => `import { defineStream, string } from "derive";
export default defineStream({ streamName: "telemetry", where(message) {
  const ping: any = message.json("payload.info", null);
  if (ping) { ${code} }
  return true;
}, columns: { clientId: string() } });
`;

const COLUMNS = `import { defineStream, double, int, json, list, long, map, record, string, timestamp } from "derive";
export default defineStream({ streamName: "telemetry", columns: {
  clientId: string(),
  sums: map(long("sum"), "payload.keyed"),
  infos: list(record({ key: string("$key"), n: int("broken") }), "payload.keyed").optional(),
  when: timestamp("payload.value").optional(),
  text: string().from((message) => { throw new Error(message.string("clientId")); }),
  whole: json("payload.info"),
  d: double("payload.info.value"),
} });
`;

let folder = "";
const path = (...segments: string[]) => join(folder, ...segments);

function lay(files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), content);
  }
}

function markedPing(reason: string): object {
  const info = { value: `${MARK} value`, key: `${MARK}Key`, broken: `{"${MARK}": ${MARK}`, number: NUMBER };
  return {
    type: "main",
    id: `${MARK}-id`,
    clientId: `${MARK}-client`,
    creationDate: "2015-10-28T00:00:00.000Z",
    environment: { system: { [`${MARK}Key`]: MARK } },
    payload: {
      info,
      histograms: { [`${MARK}Key`]: { sum: MARK } },
      keyed: { [`${MARK}Key`]: { sum: `${MARK}`, broken: MARK } },
      value: `${MARK} ${NUMBER}`,
      broken: info.broken,
    },
    meta: reason,
  };
}

/** Raw objects: pings of every fault in every era, and messages that are broken in themselves. */
function rawObjects(): Record<string, Uint8Array> {
  const objects: Record<string, Uint8Array> = {};
  for (const era of ["heka", "hindsight", "landfill"] as const) {
    const frames = ["", ...Object.keys(FAULTS)].map((reason) =>
      framePing(markedPing(reason), { reason, documentId: `${MARK}-id`, geoCountry: MARK, hostname: MARK }, era),
    );
    objects[`${era}.heka`] = Buffer.concat(frames);
  }
  const field = (name: string, value: string | Uint8Array, type: FieldInit["type"] = "string"): FieldInit => ({
    name,
    type,
    values: [value],
  });
  const broken = [
    [
      field("reason", "wholeBroken"),
      field("clientId", MARK),
      field("payload.info", `{"value": "${MARK}", "key": ${MARK}`),
    ],
    [field("reason", "text"), field("clientId", MARK), field("payload.info", `{"${MARK}`)],
    [field("reason", "text"), field("clientId", MARK), field("payload.info", MARK)],
    [field("reason", "text"), field("clientId", new Uint8Array([0xff, ...Buffer.from(MARK), 0xc3]), "bytes")],
    [field(`${MARK}field`, MARK), field("reason", "text"), field("content", gzipSync(MARK).subarray(0, -5), "bytes")],
    [field("reason", "text"), field("clientId", MARK), field("content", `{"payload": {"info": ${MARK}}}`, "bytes")],
    [field("reason", "text"), field("clientId", MARK), field("payload.info", `${"[".repeat(600)}"${MARK}"`)],
  ].map((fields) => encodeFrame(encodeMessage({ timestamp: 1n, hostname: MARK, payload: `{"${MARK}": `, fields })));
  const whole = encodeMessage({ timestamp: 1n, payload: MARK.repeat(50), fields: [field("reason", "text")] });
  const snappy = compressSnappy(whole).slice();
  snappy.fill(0xff, 20, 40);
  objects["broken.heka"] = Buffer.concat([
    ...broken,
    Buffer.from(`${MARK} between frames ${MARK}\n`),
    encodeFrame(whole.subarray(0, whole.length - 30)), // a message that is cut off
    encodeFrame(snappy),
    encodeFrame(Buffer.from(MARK)),
    framePing(markedPing(""), {}, "heka"),
    Buffer.from(`\x1e${MARK}`),
  ]);
  objects["cut.heka.gz"] = gzipSync(Buffer.concat(broken)).subarray(0, -9);
  objects["text.txt"] = Buffer.from(`{"ping": "${MARK}"}\n`.repeat(20));
  return objects;
}

const DAY = "raw/telemetry-2/20151028/main";
const JOB = ["--max-errors", "100%", "--json", "--report-file", "report.json", "-v"];

beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-secrets-"));
  const dimensions = ["submissionDate", "docType"].map((field_name) => ({ field_name, allowed_values: "*" }));
  lay({
    "streams/Marked.ts": STREAM,
    "streams/lib/faults.ts": LIBRARY,
    "streams/MarkedColumns.ts": COLUMNS,
    "raw/sources.json": JSON.stringify({
      telemetry: { prefix: "telemetry-2", metadata_prefix: "meta", bucket: "b" },
      "telemetry-executive-summary": { prefix: "telemetry-2", metadata_prefix: "meta", bucket: "b" },
    }),
    "raw/meta/schema.json": JSON.stringify({ version: 1, dimensions }),
    ...Object.fromEntries(Object.entries(rawObjects()).map(([name, bytes]) => [`${DAY}/${name}`, bytes])),
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command and looks for marks in everything it tells; stdout counts unless it is data. */
async function run(words: readonly string[], stdout: "told" | "data" = "told"): Promise<Ended> {
  rmSync(path("report.json"), { force: true });
  rmSync(path("out"), { recursive: true, force: true });
  const ended = await derive(words, folder, { env: environment });
  const told: Record<string, string> = { stderr: ended.stderr, ...(stdout === "told" && { stdout: ended.stdout }) };
  if (existsSync(path("report.json"))) told.report = readFileSync(path("report.json"), "utf8");
  if (existsSync(path("out"))) {
    for (const name of readdirSync(path("out"), { recursive: true, encoding: "utf8" })) {
      told[`name of ${name}`] = name;
      if (/(^|\/)_/.test(name)) told[name] = readFileSync(path("out", name), "utf8");
    }
  }
  for (const [where, text] of Object.entries(told)) {
    for (const secret of [MARK, CREDENTIAL, String(NUMBER)]) {
      const line = text.split("\n").find((one) => one.includes(secret));
      expect(line && `${words.join(" ")}: ${where}: ${line.slice(0, 2000)}`).toBeUndefined();
    }
  }
  return ended;
}

const STREAMS = ["Marked", "MarkedColumns", "ExampleStream", "ExecutiveStream", "AddonsStream"];
const FILES = ["heka.heka", "hindsight.heka", "landfill.heka", "broken.heka", "text.txt"].map(
  (name) => `${DAY}/${name}`,
);

describe("P12: nothing of a ping is told by", () => {
  test("convert, and each fault is counted under a cause that helps", async () => {
    const { exit, stdout } = await run(["convert", "Marked", ...FILES, "-o", "out", ...JOB]);
    expect(exit).toBe(0);
    const [partition] = JSON.parse(stdout).partitions;
    expect(partition.written).toBeGreaterThan(3);
    expect(partition.failed).toBeGreaterThan(3 * 30);
    // The marks are there to be told.
    expect((await run(["try", "Marked", FILES[0]!], "data")).stdout).toContain(`${MARK}-client`);
    const causes = Object.keys(partition.failures);
    for (const cause of [
      /^Error at faults\.ts:\d+$/,
      /^a thrown string$/,
      /^a thrown object$/,
      /^SyntaxError at faults\.ts:\d+$/,
      /^TypeError at faults\.ts:\d+$/,
      /^RangeError at faults\.ts:\d+$/,
      /^Own at faults\.ts:\d+$/,
      /^an error that cannot be read$/,
      /^payload\.histograms\.\*\.sum is not a double$/,
      /^payload\.\*\.x missing$/,
      /^record has a surplus field$/,
      /^counts\.\* is not an int$/,
      /^list\[\]\.x missing$/,
      /^kind is not a known symbol$/,
      /^buildRecord returned a promise$/,
    ]) {
      expect(causes.some((one) => cause.test(one)) || [cause, causes]).toBe(true);
    }
  });

  test.each(STREAMS)("batch, convert and try with %s", async (stream) => {
    const day = ["--from", "20151028", "--metadata", "raw", "--input", "raw"];
    rmSync(path(DAY, "cut.heka.gz"), { force: true });
    expect((await run(["batch", stream, ...day, "-o", "out", ...JOB])).exit).toBe(0);
    lay({ [`${DAY}/cut.heka.gz`]: rawObjects()["cut.heka.gz"]! });
    expect((await run(["batch", stream, ...day, "-o", "out", ...JOB])).exit).toBe(4);
    await run(["batch", stream, ...day, "-o", "out", "--dry-run"]);
    expect((await run(["convert", stream, ...FILES, "-o", "out/x.parquet", ...JOB], "told")).exit).toBe(0);
    expect((await run(["convert", stream, ...FILES, "-o", "out", "--max-errors", "0", "--json"])).exit).toBe(3);
    await run(["try", stream, DAY], "data");
    if (!stream.startsWith("Marked")) return;
    for (const file of FILES) {
      await run(["convert", stream, file, "-o", "out", "--strict", "--json", "-v"]);
      await run(["try", stream, file], "data");
    }
  });

  test.each(STREAMS)("invoke with %s, its replies, log and metrics", async (stream) => {
    const places = ["--metadata", "raw", "--input", "raw", "-o", "out"];
    lay({ "ping.json": JSON.stringify({ Records: [{ body: `{"${MARK}": ${MARK}` }, markedPing("")], Items: MARK }) });
    for (const more of [[], ["--max-errors", "100%"], ["--strict"], ["--shape", "batchops"]]) {
      const { stdout } = await run(["invoke", stream, ...FILES, `${DAY}/cut.heka.gz`, "ping.json", ...places, ...more]);
      expect(stdout.trim().split("\n")).toHaveLength(FILES.length + 2);
    }
  });

  test("cat, ls, show and verify, on stderr", async () => {
    for (const name of readdirSync(path(DAY))) {
      for (const more of [
        [],
        ["--format", "text"],
        ["--format", "heka"],
        ["--count"],
        ["--offset", "1"],
        ["-n", "1"],
      ]) {
        await run(["cat", `${DAY}/${name}`, ...more], more[0] === "--count" ? "told" : "data");
      }
      await run(["show", `${DAY}/${name}`]);
      await run(["verify", DAY]);
      await run(["verify", `${DAY}/${name}`]);
    }
    await run(["ls", "telemetry", "20151028", "--metadata", "raw", "--input", "raw"]);
  });

  test.each([
    [
      "rejects in the background",
      "Promise.reject(Object.assign(new Error(ping.value), { name: ping.key }));",
      undefined,
    ],
    [
      "throws in a timer",
      "setTimeout(() => { throw Object.assign(new Error(ping.value), { name: ping.key }); }); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);",
      2,
    ],
    [
      "throws in a microtask",
      "queueMicrotask(() => { throw new ({ [ping.key]: class extends Error {} })[ping.key](ping.value); });",
      2,
    ],
    ["throws a text in a microtask", "queueMicrotask(() => { throw ping.value; });", 2],
    ["ends its thread", "process.exit(3);", 2],
    ["spoils what everybody uses", "Array.prototype.push = () => { throw new Error(ping.value); };", undefined],
    [
      "spoils conversions",
      "Object.keys = () => { throw Object.assign(new Error(ping.value), { name: ping.key }); };",
      undefined,
    ],
    ["spoils decoding", "Buffer.prototype.toString = () => { throw new TypeError(ping.value); };", undefined],
  ])("a stream that %s", async (_name, code, exit) => {
    lay({ "Ending.ts": ending(code) });
    const ended = await run(["convert", "./Ending.ts", ...FILES, "-o", "out", ...JOB]);
    if (exit !== undefined) expect([ended.exit, ended.stderr]).toEqual([exit, expect.stringContaining("Ending.ts")]);
    await run(["try", "./Ending.ts", FILES[0]!], "data");
  });
});

describe("P12: credentials in places are not told by", () => {
  const places = [
    `https://b.s3.amazonaws.com/x?X-Amz-Signature=${CREDENTIAL}`,
    `https://user:${CREDENTIAL}@host/x`,
    `ftp://user:${CREDENTIAL}@host/x.parquet`,
  ];
  const commands = (place: string) => [
    ["batch", "ExampleStream", "--from", "20151028", "--metadata", "raw", "--input", "raw", "-o", place],
    ["batch", "ExampleStream", "--from", "20151028", "--metadata", "raw", "--input", place, "-o", "out"],
    ["batch", "ExampleStream", "--from", "20151028", "--metadata", place, "-o", "out"],
    ["convert", "ExampleStream", FILES[0]!, "-o", place],
    ["convert", "ExampleStream", place, "-o", "out"],
    ["convert", "ExampleStream", FILES[0]!, "-o", "out", "--report-file", place],
    ["try", "ExampleStream", place],
    ["cat", place],
    ["show", place],
    ["verify", place],
    ["ls", "--metadata", place],
    ["invoke", "ExampleStream", FILES[0]!, "--metadata", "raw", "--input", "raw", "-o", place],
    ["invoke", "ExampleStream", FILES[0]!, "--metadata", "raw", "--input", place, "-o", "out"],
    ["invoke", "ExampleStream", FILES[0]!, "--metadata", place, "--input", "raw", "-o", "out"],
    ["invoke", "ExampleStream", place, "--metadata", "raw", "--input", "raw", "-o", "out"],
    ["invoke", "ExampleStream", `${place}.json`, "--metadata", "raw", "--input", "raw", "-o", "out"],
    ["ls", "telemetry", "20151028", "--metadata", "raw", "--input", place],
  ];

  test.each(places)("commands that are given %s", async (place) => {
    for (const words of commands(place)) {
      const { exit } = await derive(words, folder, { env: environment });
      expect([words[0], exit === 0]).toEqual([words[0]!, false]);
      const { stdout, stderr } = await derive(words, folder, { env: environment });
      expect([...words.slice(0, 1), stdout + stderr]).toEqual([words[0]!, expect.not.stringContaining(CREDENTIAL)]);
    }
  });
});
