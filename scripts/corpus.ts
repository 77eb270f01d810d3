// Makes a bench corpus: main pings of either era, or flat executive records, as one or more raw objects.
// bun scripts/corpus.ts <folder> [--mb N] [--objects N] [--shape main|hindsight|executive] [--seed S]
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { framePing } from "../src/heka/ping.ts";
import { encodeFrame, encodeMessage, type FieldInit } from "../src/heka/writer.ts";
import { compressAsGo } from "./bench/snappy.ts";
import { makePing } from "./sample/pings.ts";
import { builds, makeClient } from "./sample/population.ts";
import { Random } from "./sample/random.ts";

/**
 * "main": pings of the Heka era, 122 KB, 41 KB in Snappy. "hindsight": the same pings of the later era, their objects in gzip.
 * "executive": flat records, 570 bytes in 22 fields. The ends of messages hold what ExampleStream asks for.
 */
export type Shape = (typeof SHAPES)[number];
const SHAPES = ["main", "hindsight", "executive"] as const;

export interface Corpus {
  readonly shape: Shape;
  /** Megabytes (10^6) of frames, over all objects: as stored, but for "hindsight", which gzip makes about four times smaller. */
  readonly megabytes: number;
  readonly objects: number;
  readonly seed: number;
}

export interface WrittenCorpus {
  readonly objects: readonly string[];
  readonly messages: number;
  /** Messages of each object. */
  readonly counts: readonly number[];
  /** As stored. */
  readonly bytes: number;
}

const day = Date.UTC(2015, 9, 28);

/** Writes the corpus, or finds it made already. The same corpus has the same bytes on every machine. */
export function ensureCorpus(folder: string, corpus: Corpus): WrittenCorpus {
  const facts = join(folder, "corpus.json");
  const made = existsSync(facts) ? JSON.parse(readFileSync(facts, "utf8")) : undefined;
  if (made !== undefined && Bun.deepEquals(made.corpus, corpus)) return made.written;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const objects: string[] = [];
  const share = (corpus.megabytes * 1e6) / corpus.objects;
  const counts: number[] = [];
  let messages = 0;
  let bytes = 0;
  for (let index = 0; index < corpus.objects; index++) {
    const frames: Uint8Array[] = [];
    for (let size = 0; size < share; messages++) {
      const frame = frameOf[corpus.shape](corpus.seed, messages);
      frames.push(frame);
      size += frame.length;
    }
    const plain = Buffer.concat(frames);
    const object = corpus.shape === "hindsight" ? Bun.gzipSync(plain) : plain;
    const path = join(folder, `corpus-${String(index).padStart(3, "0")}.heka`);
    writeFileSync(path, object);
    objects.push(path);
    counts.push(frames.length);
    bytes += object.length;
  }
  const written = { objects, messages, counts, bytes };
  // Last, and by rename: a folder with this file is whole.
  writeFileSync(`${facts}.tmp`, JSON.stringify({ corpus, written }));
  renameSync(`${facts}.tmp`, facts);
  return written;
}

const frameOf = {
  main: (seed: number, number: number) => pingFrame(seed, number, "heka"),
  hindsight: (seed: number, number: number) => pingFrame(seed, number, "hindsight"),
  executive: executiveFrame,
};

function pingOf(seed: number, number: number) {
  const random = new Random(seed, "main", number);
  const build = random.weighted(builds);
  const client = makeClient(seed, number >> 1, build);
  const sent = day + random.int(0, 86_399_999);
  const ping = makePing({ docType: "main", build, client, sent, random });
  const timestamp = BigInt(sent) * 1_000_000n + BigInt(random.int(0, 999_999));
  return { ping, meta: { timestamp, geoCountry: client.country, geoCity: client.city } };
}

function pingFrame(seed: number, number: number, era: "heka" | "hindsight"): Uint8Array {
  const { ping, meta } = pingOf(seed, number);
  return framePing(ping, meta, era, compressAsGo);
}

/** One record of the dataset telemetry-executive-summary: flat fields, numbers packed. */
function executiveOf(seed: number, number: number) {
  const random = new Random(seed, "executive", number);
  const build = random.weighted(builds);
  const client = makeClient(seed, number >> 3, build);
  const at = day + random.int(0, 86_399_999);
  const text = (name: string, value: string): FieldInit => ({ name, type: "string", values: [value] });
  const double = (name: string, value: number): FieldInit => ({ name, type: "double", values: [value], packed: true });
  const integer = (name: string, value: number): FieldInit => ({
    name,
    type: "integer",
    values: [value],
    packed: true,
  });
  const searches = (share: number): number => (random.chance(share) ? Math.round(random.logNormal(3, 0.9)) : 0);
  const fields = [
    text("docType", random.chance(0.93) ? "main" : "crash"),
    text("submissionDate", "20151028"),
    double("activityTimestamp", at * 1e6),
    double("profileCreationTimestamp", client.profileCreated * 864e11),
    text("clientId", client.id),
    text("documentId", random.uuid()),
    text("country", client.country),
    text("channel", build.channel),
    text("os", client.system.name),
    text("osVersion", client.system.version),
    { name: "default", type: "bool", values: [client.isDefaultBrowser ?? false], packed: true } as const,
    text("buildId", build.buildId),
    text("app", build.app),
    text("version", build.version),
    text("vendor", "Mozilla"),
    text("reason", random.pick(["shutdown", "daily", "environment-change"])),
    double("hours", Math.round(random.logNormal(2_400, 1.3)) / 3_600),
    integer("google", searches(0.4)),
    integer("yahoo", searches(0.1)),
    integer("bing", searches(0.1)),
    integer("other", searches(0.1)),
    integer("pluginHangs", random.chance(0.02) ? 1 : 0),
  ];
  return { fields, uuid: Uint8Array.fromHex(random.hex(32)), timestamp: BigInt(at) * 1_000_000n };
}

function executiveFrame(seed: number, number: number): Uint8Array {
  const rest = { type: "executive_summary", logger: "fx", hostname: "ip-172-31-0-1" };
  return encodeFrame(compressAsGo(encodeMessage({ ...rest, ...executiveOf(seed, number) })));
}

/**
 * The messages of a corpus as newline-delimited JSON, a file for each object, for programs that read no frames: pings as their
 * clients sent them with `meta` beside, records as they are.
 */
export function ensureNdjson(folder: string, corpus: Corpus, written: WrittenCorpus): string[] {
  const paths = written.objects.map((path) => join(folder, `${basename(path)}.ndjson`));
  if (paths.every((path) => existsSync(path))) return paths;
  let number = 0;
  for (const [index, path] of paths.entries()) {
    const lines: Uint8Array[] = [];
    for (let left = written.counts[index]!; left > 0; left--, number++) {
      lines.push(Buffer.from(`${JSON.stringify(corpus.shape === "executive" ? record(number) : document(number))}\n`));
    }
    writeFileSync(`${path}.tmp`, Buffer.concat(lines));
    renameSync(`${path}.tmp`, path);
  }
  return paths;

  function record(number: number) {
    return Object.fromEntries(executiveOf(corpus.seed, number).fields.map(({ name, values }) => [name, values[0]]));
  }
  function document(number: number) {
    const { ping, meta } = pingOf(corpus.seed, number);
    const submissionDate = new Date(Number(meta.timestamp / 1_000_000n)).toISOString().slice(0, 10).replaceAll("-", "");
    const creationTimestamp = Date.parse(ping.creationDate as string) * 1e6;
    return { meta: { submissionDate, creationTimestamp, geoCountry: meta.geoCountry }, ...ping };
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: {
      mb: { type: "string", default: "400" },
      objects: { type: "string", default: "1" },
      shape: { type: "string", default: "main" },
      seed: { type: "string", default: "1" },
    },
    allowPositionals: true,
  });
  const shape = SHAPES.find((one) => one === values.shape);
  const [megabytes, objects, seed] = [Number(values.mb), Number(values.objects), Number(values.seed)];
  const fits = megabytes > 0 && Number.isInteger(objects) && objects > 0 && Number.isInteger(seed);
  if (positionals.length !== 1 || !fits || shape === undefined) {
    console.error(
      `Usage: bun scripts/corpus.ts <folder> [--mb N] [--objects N] [--shape ${SHAPES.join("|")}] [--seed S]`,
    );
    process.exit(2);
  }
  const { messages, bytes } = ensureCorpus(positionals[0]!, { shape, megabytes, objects, seed });
  console.log(`${positionals[0]}: ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB`);
}
