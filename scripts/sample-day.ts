// Makes a realistic raw day: a folder that looks like the bucket of a telemetry pipeline, metadata and all.
// bun scripts/sample-day.ts <folder> [--pings N] [--seed S]
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Era, framePing, type PingMeta } from "../src/heka/ping.ts";
import { makePing } from "./sample/pings.ts";
import { type Build, builds, makeClient, type Ping } from "./sample/population.ts";
import { Random } from "./sample/random.ts";

export interface SampleDay {
  readonly pings: number;
  readonly seed: number;
}

export const defaultDay: SampleDay = { pings: 3_000, seed: 1 };

const day = "20151028";
const midnight = Date.UTC(2015, 9, 28);

const docTypes = [
  { name: "main", weight: 55 },
  { name: "saved-session", weight: 15 },
  { name: "crash", weight: 17 },
  { name: "deletion", weight: 4 },
  { name: "heartbeat", weight: 5 },
  { name: "uitour-tag", weight: 4 },
] as const;

/** How an object is stored. Heka compressed each message, Hindsight left that to whole-object compression, or to nobody. */
const storages = [
  { era: "heka", compression: "none", weight: 60 },
  { era: "hindsight", compression: "gzip", weight: 15 },
  { era: "hindsight", compression: "zstd", weight: 18 },
  { era: "hindsight", compression: "none", weight: 7 },
] as const;

const schema = {
  version: 2,
  dimensions: [
    { field_name: "submissionDate", allowed_values: "*" },
    { field_name: "sourceName", allowed_values: "*" },
    { field_name: "sourceVersion", allowed_values: "*" },
    { field_name: "docType", allowed_values: [...docTypes.map((one) => one.name), "core", "idle-daily"] },
    { field_name: "appName", allowed_values: ["Firefox", "Fennec", "Thunderbird"] },
    { field_name: "appUpdateChannel", allowed_values: ["default", "nightly", "aurora", "beta", "release", "esr"] },
    { field_name: "appVersion", allowed_values: "*" },
    { field_name: "appBuildId", allowed_values: "*" },
  ],
};

function sources({ pings, seed }: SampleDay) {
  return {
    telemetry: {
      prefix: "telemetry-2",
      metadata_prefix: "telemetry-2",
      bucket: "sample",
      description: `A sample day made by scripts/sample-day.ts: ${pings} pings, seed ${seed}`,
    },
  };
}

/** One ping of the day before it is made: only what decides which object it goes to. */
interface Slot {
  readonly number: number;
  readonly docType: string;
  readonly build: Build;
  /** Milliseconds since the epoch. */
  readonly arrived: number;
}

/** Writes the day to `folder`, which must be empty or absent; sources.json comes last, so a folder that has it is whole. */
export function writeSampleDay(folder: string, sample: SampleDay = defaultDay): { objects: number; bytes: number } {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Error(`Cannot write a sample day to ${folder}: the folder is not empty. Remove it first.`);
  let objects = 0;
  let bytes = 0;
  for (const [prefix, slots] of planObjects(sample)) {
    mkdirSync(join(folder, prefix), { recursive: true });
    const random = new Random(sample.seed, prefix, slots[0]!.number);
    const object = makeObject(slots, sample.seed, random);
    writeFileSync(join(folder, prefix, objectName(slots, random)), object);
    objects++;
    bytes += object.length;
  }
  mkdirSync(join(folder, "telemetry-2"), { recursive: true });
  writeFileSync(join(folder, "telemetry-2/schema.json"), JSON.stringify(schema, null, 2) + "\n");
  writeFileSync(join(folder, "sources.json"), JSON.stringify(sources(sample), null, 2) + "\n");
  return { objects, bytes };
}

/** Makes sure that `folder` holds exactly this sample day. Returns whether it had to be made. */
export function ensureSampleDay(folder: string, sample: SampleDay = defaultDay): boolean {
  const marker = join(folder, "sources.json");
  if (existsSync(marker) && readFileSync(marker, "utf8") === JSON.stringify(sources(sample), null, 2) + "\n")
    return false;
  rmSync(folder, { recursive: true, force: true });
  writeSampleDay(folder, sample);
  return true;
}

/** The objects of the day in the order of keys: their folders, and the pings in each. */
function planObjects({ pings, seed }: SampleDay): [prefix: string, slots: Slot[]][] {
  const groups = new Map<string, Slot[]>();
  const random = new Random(seed, "day");
  for (let number = 0; number < pings; number++) {
    const docType = random.weighted(docTypes).name;
    // A few clients do not say which build they are: their keys say UNKNOWN.
    const build = { ...random.weighted(builds), ...(random.chance(0.003) ? { buildId: "" } : {}) };
    const slot = { number, docType, build, arrived: midnight + random.int(0, 86_399_999) };
    const prefix = keyPrefix(slot);
    groups.set(prefix, [...(groups.get(prefix) ?? []), slot]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([prefix, slots]) => {
      slots.sort((a, b) => a.arrived - b.arrived || a.number - b.number);
      const objects: [string, Slot[]][] = [];
      for (let start = 0; start < slots.length; start += 120) objects.push([prefix, slots.slice(start, start + 120)]);
      return objects;
    });
}

function keyPrefix({ docType, build }: Slot): string {
  const values = ["telemetry", "4", docType, build.app, build.channel, build.version, build.buildId];
  const names = schema.dimensions.slice(1);
  const segments = values.map((value, index) => {
    const allowed = names[index]!.allowed_values;
    if (value === "") return "UNKNOWN";
    if (allowed !== "*" && !allowed.includes(value)) return "OTHER";
    return value.replace(/[^a-zA-Z0-9_.]/g, "_");
  });
  return ["telemetry-2", day, ...segments].join("/");
}

/** As the pipeline named them: the time of upload, up to a day after the last ping, and the host. */
function objectName(slots: readonly Slot[], random: Random): string {
  const uploaded = new Date(slots.at(-1)!.arrived + random.int(60_000, 86_400_000)).toISOString();
  const host = `ip-172-31-${random.int(0, 63)}-${random.int(1, 254)}`;
  return `${uploaded.slice(0, 19).replace(/\D/g, "")}.${random.int(0, 999)}_${host}`;
}

function makeObject(slots: readonly Slot[], seed: number, random: Random): Uint8Array {
  const { era, compression } = random.weighted(storages);
  const frames = slots.map((slot) => makeFrame(slot, seed, era));
  // Two of ten real files end in a stray newline.
  if (random.chance(0.15)) frames.push(Buffer.from("\n"));
  const bytes = Buffer.concat(frames);
  if (compression === "gzip") return Bun.gzipSync(bytes, { level: 1 });
  if (compression === "zstd") return Bun.zstdCompressSync(bytes, { level: 1 });
  return bytes;
}

function makeFrame({ number, docType, build, arrived }: Slot, seed: number, era: Era): Uint8Array {
  const random = new Random(seed, "ping", number);
  // About two pings for each client.
  const client = makeClient(seed, number >> 1, build);
  const sent = arrived - Math.round(random.logNormal(4_000, 1.5));
  const ping = makePing({ docType, build, client, sent, random });
  const meta: PingMeta = {
    timestamp: BigInt(arrived) * 1_000_000n + BigInt(random.int(0, 999_999)),
    hostname: `ip-172-31-${random.int(0, 63)}-${random.int(1, 254)}`,
    geoCountry: client.country,
    geoCity: random.chance(0.1) ? null : client.city,
    DNT: random.chance(0.1) ? "1" : null,
  };
  return framePing(ping, spoil(ping, meta, random), era);
}

/** What goes wrong in the field: about 1 ping in 70 lacks a part that streams ask for, 1 in 400 holds a wrong type. */
function spoil(ping: Ping, meta: PingMeta, random: Random): PingMeta {
  const environment = ping.environment as Ping | undefined;
  const info = (ping.payload as Ping).info as Ping | undefined;
  const mishap = random.unit();
  if (mishap < 0.006) delete ping.clientId;
  else if (mishap < 0.01 && environment) delete environment.profile;
  else if (mishap < 0.014 && environment) delete environment.settings;
  else if (mishap < 0.0165 && info) info.subsessionLength = "unknown";
  return meta;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { pings: { type: "string" }, seed: { type: "string" } },
    allowPositionals: true,
  });
  const folder = positionals[0];
  const sample = { pings: Number(values.pings ?? defaultDay.pings), seed: Number(values.seed ?? defaultDay.seed) };
  if (folder === undefined || !Number.isInteger(sample.pings) || sample.pings < 1 || !Number.isInteger(sample.seed)) {
    console.error("Usage: bun scripts/sample-day.ts <folder> [--pings N] [--seed S]");
    process.exit(2);
  }
  const { objects, bytes } = writeSampleDay(folder, sample);
  console.log(`${folder}: ${sample.pings} pings in ${objects} objects, ${(bytes / 1e6).toFixed(1)} MB`);
}
