// Histograms of the sample pings: invented probes with the kinds, bucket counts and key orders of the real ones.
import type { Ping } from "./population.ts";
import { Random } from "./random.ts";

/** One probe. `kind` is the histogram_type of the format: 0 exponential, 1 linear, 2 boolean, 3 flag, 4 count. */
export interface HistogramDefinition {
  readonly name: string;
  readonly kind: 0 | 1 | 2 | 3 | 4;
  readonly buckets: number;
  readonly range: readonly [number, number];
  /** Buckets that a session of usual activity fills. */
  readonly filled: number;
}

const areas =
  "GC CYCLE_COLLECTOR HTTP DNS CACHE DISK FX_TAB FX_SESSION PLACES IMAGE_DECODE DECODER SSL CERT SPDY WEBRTC PLUGIN MEMORY GRAPHICS STARTUP SEARCH_SERVICE".split(
    " ",
  );
const things =
  "QUEUE WAIT OPEN CLOSE READ WRITE LATENCY RESOURCES HANDSHAKE REASON RESULT SIZE COUNT SWITCH RESTORE FLUSH".split(
    " ",
  );
const units = ["MS", "KB", "US", "USED", "TYPE", "TOTAL"];
const threads = "IPC_READ TIMER GC_SLICE PAINT LAYOUT STYLE NETWORK STORAGE WORKER IMAGE AUDIO LOADER".split(" ");

// One fixed list, whatever the seed: probes belong to a build, not to a day.
const random = new Random("probes");

function define(name: string): HistogramDefinition {
  const kind = random.weighted([
    { kind: 0, weight: 40 },
    { kind: 1, weight: 18 },
    { kind: 2, weight: 18 },
    { kind: 3, weight: 14 },
    { kind: 4, weight: 10 },
  ] as const).kind;
  if (kind >= 2) return { name, kind, buckets: 3, range: [1, 2], filled: 2 };
  const filled = Math.round(random.logNormal(8, 0.7));
  if (kind === 1) return { name, kind, buckets: random.pick([9, 17, 51, 257]), range: [1, 256], filled };
  return {
    name,
    kind,
    buckets: random.pick([15, 50, 100, 200]),
    range: [1, random.pick([1_000, 10_000, 300_000])],
    filled,
  };
}

export const histogramDefinitions: readonly HistogramDefinition[] = [
  ...new Set(Array.from({ length: 1_150 }, () => `${random.pick(areas)}_${random.pick(things)}_${random.pick(units)}`)),
]
  .sort()
  .map(define);

export const keyedDefinitions: readonly { definition: HistogramDefinition; keys: readonly string[] }[] = [
  "IPC_MESSAGE_SIZE",
  "MAIN_THREAD_RUNNABLE_MS",
  "PERF_MONITORING_SLOW_ADDON_JANK_US",
].map((name, index) => ({
  definition: { name, kind: 0, buckets: 50, range: [1, 10_000], filled: 4 },
  keys: Array.from(
    { length: [8, 170, 6][index]! },
    (_, key) => `P${random.pick(threads)}::Msg_${random.hex(6)}_${key}`,
  ),
}));

const snapshots = new Map<HistogramDefinition, readonly Ping[]>();

/** A snapshot of one probe. Each probe has a pool of them, from little used to much, because making them all takes long. */
export function histogram(definition: HistogramDefinition, activity: number, random: Random): Ping {
  let pool = snapshots.get(definition);
  if (pool === undefined) {
    const chance = new Random("snapshots", definition.name);
    pool = Array.from({ length: 32 }, (_, index) => makeSnapshot(definition, 0.2 + index / 14, chance));
    snapshots.set(definition, pool);
  }
  const usual = Math.round((activity - 0.2) * 14);
  return pool[Math.max(0, Math.min(31, usual + random.int(-6, 6)))]!;
}

function makeSnapshot({ kind, buckets, range, filled }: HistogramDefinition, activity: number, random: Random): Ping {
  let values: Record<string, number> = {};
  let sum = 0;
  if (kind === 3) values = { 0: 1, 1: 0 };
  else if (kind === 2 || kind === 4) {
    sum = random.chance(0.4) ? Math.round(random.logNormal(40 * activity, 1.5)) : 0;
    if (sum > 0) values = kind === 4 ? { 0: sum, 1: 0 } : { 0: random.int(0, 99), 1: sum, 2: 0 };
  } else {
    const count = Math.min(buckets - 1, Math.round(filled * activity * (0.5 + random.unit())));
    values = sparseCounts(count, random, kind === 0 ? 1.45 : 1.1);
    for (const bucket in values) sum += Number(bucket) * values[bucket]!;
  }
  return { range, bucket_count: buckets, histogram_type: kind, values, sum };
}

/** `filled` buckets that grow by about `ratio`, most of the counts in the low ones, empty ones at both ends. */
export function sparseCounts(filled: number, random: Random, ratio = 2): Record<string, number> {
  const values: Record<string, number> = {};
  let bucket = random.int(0, 3);
  for (let i = 0; i < filled; i++) {
    values[bucket] = i === 0 || i === filled - 1 ? 0 : Math.round(random.logNormal(600 / (1 + i * i), 1.4));
    bucket = Math.max(bucket + 1, Math.round(bucket * ratio) + random.int(0, 1));
  }
  return values;
}
