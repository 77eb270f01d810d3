// The sample day: the same bytes wherever it is made, and every one of them readable.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ensureCorpus } from "../../scripts/corpus.ts";
import { ensureSampleDay, writeSampleDay } from "../../scripts/sample-day.ts";
import { Framer, type Span } from "../../src/heka/frames.ts";
import { inflate } from "../../src/heka/inflate.ts";
import { MessageDecoder, messageCheck } from "../../src/heka/message.ts";

const root = join(import.meta.dir, "../..");
const temporary = mkdtempSync(join(tmpdir(), "derive-sample-"));
afterAll(() => rmSync(temporary, { recursive: true }));

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** SHA-256 over all names and contents below a folder. */
function digest(folder: string): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const path of filesIn(folder)) hash.update(`${relative(folder, path)}\n`).update(readFileSync(path));
  return hash.digest("hex");
}

function makeDay(name: string, args: readonly string[], env: Record<string, string>): string {
  const folder = join(temporary, name);
  const run = Bun.spawnSync([process.execPath, join(root, "scripts/sample-day.ts"), folder, ...args], { env });
  expect(run.stderr.toString()).toBe("");
  expect(run.exitCode).toBe(0);
  return digest(folder);
}

test("the same arguments give the same bytes, in any time zone and locale; other seeds give others", () => {
  const args = ["--pings", "60", "--seed", "7"];
  const first = makeDay("a", args, { TZ: "America/New_York", LANG: "C" });
  expect(makeDay("b", args, { TZ: "Asia/Tokyo", LANG: "tr_TR.UTF-8" })).toBe(first);
  expect(makeDay("c", ["--pings", "60", "--seed", "8"], {})).not.toBe(first);
});

test("every ping can be read back: both eras, all storages, some missing parts, sizes of real ones", async () => {
  const folder = join(temporary, "whole");
  writeSampleDay(folder, { pings: 400, seed: 1 });
  const schema = JSON.parse(readFileSync(join(folder, "telemetry-2/schema.json"), "utf8"));
  const source = JSON.parse(readFileSync(join(folder, "sources.json"), "utf8")).telemetry;
  const decoder = new MessageDecoder();
  const seen = { pings: 0, heka: 0, hindsight: 0, blank: 0, withoutClient: 0, mains: 0, mainBytes: 0 };
  for (const path of filesIn(join(folder, source.prefix, "20151028"))) {
    // One key segment for each dimension, and the object's name.
    expect(relative(join(folder, source.prefix), path).split("/")).toHaveLength(schema.dimensions.length + 1);
    for await (const span of spansOf(path)) {
      expect(span.kind).not.toBe("damaged");
      if (span.kind === "blank") seen.blank++;
      if (span.kind !== "frame") continue;
      const message = decoder.decode(span.message);
      expect(message.string("submissionDate")).toBe("20151028");
      expect(path).toContain(`/${message.string("docType").replace("-", "_")}/`);
      seen.pings++;
      if (message.payload === "") seen.hindsight++;
      else seen.heka++;
      if (!message.has("clientId")) seen.withoutClient++;
      if (message.string("docType") !== "main") continue;
      seen.mains++;
      seen.mainBytes += JSON.stringify(message.json([])).length;
    }
  }
  expect(seen.pings).toBe(400);
  expect(seen.heka).toBeGreaterThan(100);
  expect(seen.hindsight).toBeGreaterThan(50);
  expect(seen.blank).toBeGreaterThan(2);
  expect(seen.withoutClient).toBeGreaterThan(0);
  expect(seen.mainBytes / seen.mains).toBeWithin(100_000, 145_000);
});

test("a day is made once, and again when another one is asked for or it was left half made", () => {
  const folder = join(temporary, "once");
  expect(ensureSampleDay(folder, { pings: 20, seed: 1 })).toBe(true);
  const first = digest(folder);
  expect(ensureSampleDay(folder, { pings: 20, seed: 1 })).toBe(false);
  rmSync(join(folder, "sources.json"));
  expect(ensureSampleDay(folder, { pings: 20, seed: 1 })).toBe(true);
  expect(digest(folder)).toBe(first);
  expect(ensureSampleDay(folder, { pings: 20, seed: 2 })).toBe(true);
  expect(digest(folder)).not.toBe(first);
});

test("a folder that holds other files is left alone", () => {
  const folder = join(temporary, "taken");
  mkdirSync(folder);
  writeFileSync(join(folder, "thesis.txt"), "final");
  expect(() => writeSampleDay(folder)).toThrow("the folder is not empty");
  expect(readdirSync(folder)).toEqual(["thesis.txt"]);
});

test.each(["main", "executive"] as const)(
  "the %s corpus has the size asked for, in frames that read back",
  async (shape) => {
    const folder = join(temporary, `corpus-${shape}`);
    const { objects, messages, bytes } = ensureCorpus(folder, { shape, megabytes: 0.6, objects: 2, seed: 1 });
    expect(objects).toHaveLength(2);
    expect(bytes).toBeWithin(600_000, 900_000);
    let frames = 0;
    for (const path of objects) for await (const span of spansOf(path)) frames += span.kind === "frame" ? 1 : 0;
    expect(frames).toBe(messages);
  },
);

async function* spansOf(path: string): AsyncIterable<Span> {
  const framer = new Framer(messageCheck());
  const drain = function* () {
    for (let span = framer.next(); span !== undefined; span = framer.next()) yield span;
  };
  for await (const chunk of inflate(chunksOf(path))) {
    framer.push(chunk);
    yield* drain();
  }
  framer.end();
  yield* drain();
}

async function* chunksOf(path: string): AsyncIterable<Uint8Array> {
  yield readFileSync(path);
}
