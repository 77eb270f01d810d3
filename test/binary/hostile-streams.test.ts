// P7, P8, P12: streams that do the worst, in the built binary: what they did is named, and the other days are committed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { derive } from "./derive.ts";

let folder = "";
const DAYS = ["20151027", "20151028", "20151029"];
const SECRET = "s3cr3t-of-a-ping";

const ping = (clientId: string, what = "") =>
  encodeFrame(
    encodeMessage({
      uuid: new Uint8Array(16),
      timestamp: 1n,
      payload: JSON.stringify({ secret: SECRET }),
      fields: Object.entries({ clientId, what }).map(([name, value]) => ({ name, type: "string", values: [value] })),
    }),
  );
const GOOD = ping("a");

beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-hostile-"));
  for (const day of DAYS) {
    mkdirSync(join(folder, "raw/t", day), { recursive: true });
    // On the middle day the third message is the one that streams misbehave at.
    const bad = day === "20151028" ? [ping("b", "bad")] : [];
    writeFileSync(join(folder, "raw/t", day, "object"), Buffer.concat([GOOD, GOOD, ...bad, GOOD]));
  }
  writeFileSync(
    join(folder, "derive.toml"),
    'input = "raw"\noutput = "out"\n[sources.telemetry]\nprefix = "t"\ndimensions = ["submissionDate"]\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a stream that does `code` with the bad message. */
function write(name: string, code: string): void {
  const text = `import { defineStream } from "derive";
import * as threads from "node:worker_threads";
const kept: unknown[] = [];
export default defineStream({
  streamName: "telemetry",
  buildSchema: () => ({ type: "record", name: "R", fields: [{ name: "clientId", type: "string" }] }),
  buildRecord: (message: any): any => {
    const secret = message.string("secret");
    if (message.string("what") !== "") { ${code} }
    return { clientId: message.string("clientId") };
  },
});
`;
  writeFileSync(join(folder, `${name}.ts`), text);
}

async function batch(name: string, ...flags: string[]) {
  const words = ["batch", `./${name}.ts`, "--from", DAYS[0]!, "--to", DAYS[2]!, "-o", `out-${name}`, "--json"];
  const ended = await derive([...words, ...flags], folder);
  expect(ended.stdout + ended.stderr).not.toContain(SECRET);
  return { ...ended, report: JSON.parse(ended.stdout) };
}

/** The middle day, where the other days are committed. */
async function run(name: string, code: string, ...flags: string[]) {
  write(name, code);
  const { report, ...ended } = await batch(name, "-j", "2", ...flags);
  const [first, bad, last] = report.partitions;
  expect([first.state, last.state]).toEqual(["written", "written"]);
  expect(first.written + last.written).toBe(6);
  expect(existsSync(new URL("_SUCCESS", bad.url))).toBe(bad.state === "written");
  return { ...ended, bad };
}

const AT = `raw/t/20151028/object offset ${2 * GOOD.length} (`;

test("an error of that record alone, whatever is thrown or returned", async () => {
  const cases: Record<string, [code: string, cause: string]> = {
    null: ["throw null", "a thrown object"],
    text: ["throw secret", "a thrown string"],
    class: ["class Mine extends Error {}; throw new Mine(secret)", "Mine at every.ts:"],
    getters: [
      "throw Object.defineProperties(new Error(), { stack: { get() { throw secret } }, message: { get() { throw secret } } })",
      "an error that cannot be read",
    ],
    revoked: ["const one = Proxy.revocable({}, {}); one.revoke(); throw one.proxy", "an error that cannot be read"],
    proxy: [
      "throw new Proxy(new Error(secret), { getPrototypeOf() { throw secret }, get() { throw secret } })",
      "an error that cannot be read",
    ],
    recursion: ["const again = (): any => again() + again(); again()", "RangeError at every.ts:"],
    enormous: ['let all = "x"; while (true) all += all', "RangeError at every.ts:"],
    nothing: ["return undefined", "buildRecord returned undefined"],
    number: ["return 5", "record is not an object"],
    promise: ["return Promise.reject(new Error(secret))", "buildRecord returned a promise"],
    async: ["return (async () => { throw secret })()", "buildRecord returned a promise"],
    thenable: ["return { then() {} }", "clientId missing"],
    generator: ["return (function* () { yield 1 })()", "record is not an object"],
    long: ['return { clientId: "x".repeat(2 ** 27) }', "clientId is longer than 64 MiB"],
    wrong: ["return { clientId: 5 }", "clientId is not a string"],
    surplus: ["return { clientId: secret, [secret]: 1 }", "record has a surplus field"],
    getter: ["return { get clientId() { throw new Error(secret) } }", "Error at every.ts:"],
    revokedRecord: ["const one = Proxy.revocable({}, {}); one.revoke(); return one.proxy", "TypeError"],
    kill: ['process.kill(process.pid, "SIGKILL")', "Error at every.ts:"],
    abort: ["process.abort()", "Error at every.ts:"],
  };
  const names = Object.keys(cases);
  const frames = names.map((name) => ping("b", name));
  const raw = Buffer.concat(frames.flatMap((frame) => [GOOD, frame]));
  writeFileSync(join(folder, "every.heka"), raw);
  write(
    "every",
    `switch (message.string("what")) {\n${names.map((name) => `case "${name}": { ${cases[name]![0]} }`).join("\n")}\n}`,
  );
  const words = ["convert", "./every.ts", "every.heka", "-o", "every.parquet", "--max-errors", "50%", "--json"];
  const { exit, stdout, stderr } = await derive(words, folder);
  expect(stdout + stderr).not.toContain(SECRET);
  const [{ written, failed, failedAt }] = JSON.parse(stdout).partitions;
  expect([exit, written, failed]).toEqual([0, names.length, names.length]);
  let offset = 0;
  for (const [index, name] of names.entries()) {
    offset += GOOD.length;
    expect([name, failedAt[index]]).toEqual([
      name,
      expect.objectContaining({
        offset,
        bytes: frames[index]!.length,
        cause: expect.stringContaining(cases[name]![1]),
      }),
    ]);
    offset += frames[index]!.length;
  }
});

describe("an error of its partition: exit 2, and where it was", () => {
  test.each([
    ["loop", "while (true);", [AT, "did not go on for 1 s (--stream-timeout)"]],
    ["microtasks", "const again = () => queueMicrotask(again); again()", ["did not go on for 1 s"]],
    // Promises that wait for each other: a machine that is fast enough fills the memory before a second is over.
    [
      "promises",
      "const again = (): any => Promise.resolve().then(again); again()",
      [/did not go on for 1 s|the run takes \d+ MiB of memory/],
    ],
    // Within one call that nothing interrupts: the program does not wait for the thread.
    ["sleeps", "Bun.sleepSync(600_000)", [AT, "did not go on for 1 s"]],
    ["exit", "process.exit(0)", [AT, "it ended its thread with code 0"]],
    ["rejection", "Promise.reject(new Error(secret))", ["threw Error at rejection.ts:9 outside buildRecord"]],
    [
      "timer",
      "setTimeout(() => { throw new TypeError(secret) })",
      ["threw TypeError at timer.ts:9 outside buildRecord"],
    ],
    ["json", "JSON.parse = () => secret", ["it has changed JSON.parse"]],
    ["prototype", "Array.prototype.push = () => 0", ["it has changed Array.prototype.push"]],
    [
      "globals",
      "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete (globalThis as any)[name] } catch {}",
      ["it has changed "],
    ],
    [
      "prototypes",
      "for (const one of [Object, Promise, Array, Map, Uint8Array]) for (const name of Object.getOwnPropertyNames(one.prototype)) try { (one.prototype as any)[name] = undefined } catch {}",
      ["it has changed "],
    ],
  ])("%s", async (name, code, texts) => {
    const { exit, bad, stderr } = await run(name, code, "--stream-timeout", "1");
    expect([exit, bad.state, bad.parts]).toEqual([2, "failed", []]);
    for (const text of [`${name}.ts`, ...texts]) {
      expect(bad.error).toMatch(text);
      expect(stderr).toMatch(text);
    }
  });
});

test("a stream that fills the memory is ended, before the system ends all: exit 2, the other days are committed", async () => {
  write("fills", "while (true) kept.push(new Uint8Array(1 << 20).fill(1))");
  const { exit, report } = await batch("fills", "-j", "1", "--max-memory", "300MiB");
  const [first, bad, last] = report.partitions;
  expect([exit, first.state, bad.state, last.state]).toEqual([2, "written", "failed", "written"]);
  expect(bad.error).toMatch(/fills\.ts: the run takes \d+ MiB of memory, 300 MiB are allowed/);
  expect(bad.error).toContain(AT.slice(0, -2));
  expect(report.peakRss).toBeLessThan(1e9); // a stream fills 1 GB in a second: the watch looks twenty times
  expect([bad, last].map(({ url }) => existsSync(new URL("_SUCCESS", url)))).toEqual([false, true]);
});

test("P9 so does one message that takes too much, where no limit is set", async () => {
  const { exit, bad } = await run("takes", "while (true) kept.push(new Array(1000).fill(kept.length))");
  expect([exit, bad.state]).toEqual([2, "failed"]);
  expect(bad.error).toMatch(/takes\.ts: the run takes \d+ MiB of memory, \d+ MiB are allowed/);
  expect(bad.error).toContain(AT.slice(0, -2));
});

test("what a stream prints goes to stderr: stdout is the report", async () => {
  const { exit, bad, stderr } = await run("prints", 'console.log("hello"); process.stdout.write("world")');
  expect([exit, bad.written, stderr.includes("hello"), stderr.includes("world")]).toEqual([0, 4, true, true]);
});

test("messages that a stream posts are no replies", async () => {
  const posts =
    'threads.parentPort!.postMessage(null); threads.parentPort!.postMessage({ kind: "done", objects: [] }); postMessage(1)';
  const { exit, bad } = await run("posts", posts);
  expect([exit, bad.written]).toEqual([0, 4]);
});

test.each([
  ["throws", "throw { get message() { throw 1 } };", "Cannot load stream"],
  ["loops", "while (true);", "did not go on for 1 s"],
  ["schema", "", "buildSchema threw"],
])("a stream that %s when it is loaded: exit 2", async (name, top, text) => {
  const schema =
    name === "schema"
      ? "throw new Proxy({}, { get() { throw 1 } })"
      : 'return { type: "record", name: "R", fields: [] }';
  writeFileSync(
    join(folder, `top-${name}.ts`),
    `import { defineStream } from "derive";\n${top}\nexport default defineStream({ streamName: "telemetry", buildSchema: (): any => { ${schema} }, buildRecord: (): any => null });\n`,
  );
  const words = ["batch", `./top-${name}.ts`, "--from", DAYS[0]!, "-o", `out-top-${name}`, "--stream-timeout", "1"];
  const { exit, stderr } = await derive(words, folder);
  expect([exit, stderr]).toEqual([2, expect.stringContaining(text)]);
  expect(existsSync(join(folder, `out-top-${name}`))).toBe(false);
});

test.each([1, 2])(
  "-j %d: a stream's file is run once for each thread, and the first one has described it",
  async (workers) => {
    writeFileSync(
      join(folder, "told.ts"),
      `import { defineStream, string } from "derive";\nconsole.error("it was run");\nexport default defineStream({ streamName: "telemetry", columns: { clientId: string() } });\n`,
    );
    const { exit, stderr } = await derive(
      ["convert", "told.ts", "raw", "-o", `told${workers}.parquet`, "-j", `${workers}`],
      folder,
    );
    expect([exit, stderr.split("it was run").length - 1]).toEqual([0, 1]); // the three files are one task
  },
);
