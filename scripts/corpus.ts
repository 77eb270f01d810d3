// Makes a bench corpus: main pings of the Heka era, or flat executive records, as one or more raw objects.
// bun scripts/corpus.ts <folder> [--mb N] [--objects N] [--shape main|executive] [--seed S]
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { framePing } from "../src/heka/ping.ts";
import { compressSnappy, encodeFrame, encodeMessage, type FieldInit } from "../src/heka/writer.ts";
import { makePing } from "./sample/pings.ts";
import { builds, makeClient } from "./sample/population.ts";
import { Random } from "./sample/random.ts";

export interface Corpus {
  /** "main": about 122 KB of JSON, 40 KB in Snappy. "executive": about 570 bytes in 21 fields. */
  readonly shape: "main" | "executive";
  /** Megabytes (10^6) as stored, over all objects. */
  readonly megabytes: number;
  readonly objects: number;
  readonly seed: number;
}

export interface WrittenCorpus {
  readonly objects: readonly string[];
  readonly messages: number;
  /** As stored: the frames, their messages in Snappy. */
  readonly bytes: number;
}

const day = Date.UTC(2015, 9, 28);

/**
 * Writes the corpus, or finds it made already. Snappy blocks are hysnappy's, which compresses fragments of 64 KiB by
 * themselves: unlike blocks written in Go they hold no copies that reach across a fragment's start.
 */
export function ensureCorpus(folder: string, corpus: Corpus): WrittenCorpus {
  const facts = join(folder, "corpus.json");
  const made = existsSync(facts) ? JSON.parse(readFileSync(facts, "utf8")) : undefined;
  if (made !== undefined && Bun.deepEquals(made.corpus, corpus)) return made.written;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const objects: string[] = [];
  const share = (corpus.megabytes * 1e6) / corpus.objects;
  let messages = 0;
  let bytes = 0;
  for (let index = 0; index < corpus.objects; index++) {
    const path = join(folder, `corpus-${String(index).padStart(3, "0")}.heka`);
    const file = openSync(path, "w");
    for (const end = bytes + share; bytes < end; messages++) {
      const frame = corpus.shape === "main" ? mainFrame(corpus.seed, messages) : executiveFrame(corpus.seed, messages);
      writeSync(file, frame);
      bytes += frame.length;
    }
    closeSync(file);
    objects.push(path);
  }
  const written = { objects, messages, bytes };
  // Last, and by rename: a folder with this file is whole.
  writeFileSync(`${facts}.tmp`, JSON.stringify({ corpus, written }));
  renameSync(`${facts}.tmp`, facts);
  return written;
}

function mainFrame(seed: number, number: number): Uint8Array {
  const random = new Random(seed, "main", number);
  const build = random.weighted(builds);
  const client = makeClient(seed, number >> 1, build);
  const sent = day + random.int(0, 86_399_999);
  const ping = makePing({ docType: "main", build, client, sent, random });
  const timestamp = BigInt(sent) * 1_000_000n + BigInt(random.int(0, 999_999));
  return framePing(ping, { timestamp, geoCountry: client.country, geoCity: client.city }, "heka");
}

/** One record of the dataset telemetry-executive-summary: flat fields, numbers packed. */
function executiveFrame(seed: number, number: number): Uint8Array {
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
  const uuid = Uint8Array.fromHex(random.hex(32));
  const envelope = { uuid, timestamp: BigInt(at) * 1_000_000n, type: "executive_summary", logger: "fx" };
  return encodeFrame(compressSnappy(encodeMessage({ ...envelope, hostname: "ip-172-31-0-1", fields })));
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
  const { shape } = values;
  const [megabytes, objects, seed] = [Number(values.mb), Number(values.objects), Number(values.seed)];
  const fits = megabytes > 0 && Number.isInteger(objects) && objects > 0 && Number.isInteger(seed);
  if (positionals.length !== 1 || !fits || (shape !== "main" && shape !== "executive")) {
    console.error("Usage: bun scripts/corpus.ts <folder> [--mb N] [--objects N] [--shape main|executive] [--seed S]");
    process.exit(2);
  }
  const { messages, bytes } = ensureCorpus(positionals[0]!, { shape, megabytes, objects, seed });
  console.log(`${positionals[0]}: ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB`);
}
