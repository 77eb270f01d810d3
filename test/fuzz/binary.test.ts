// P6, P7: mutants through the built binary, by the thousand in one process: `cat --count` and `convert` must read of each what the
// framer and the decoder read of it here, where the other tests have weighed it. npm run fuzz does so until its time is up.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FormatError } from "../../src/errors.ts";
import { MessageDecoder } from "../../src/heka/message.ts";
import { derive } from "../binary/derive.ts";
import { spansOf } from "../heka/objects.ts";
import { dice, mutate } from "./mutant.ts";
import { FUZZ_OBJECTS } from "./objects.ts";
import { brokenPromises, changed } from "./truth.ts";

const seconds = Number(process.env.DERIVE_FUZZ_SECONDS ?? 0);
// The gate must not fail by chance: it tries the same mutants each time, the longer runs others.
const seed = Number(
  process.env.DERIVE_FUZZ_SEED ?? (process.env.DERIVE_FUZZ_SECONDS ? Math.floor(Math.random() * 2 ** 32) : 1),
);
const MUTANTS = 500;

const STREAM = `import { defineStream, string } from "derive";
export default defineStream({ streamName: "telemetry", columns: { hostname: string().default("") } });
`;

const folder = mkdtempSync(join(tmpdir(), "derive-mutants-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const decoder = new MessageDecoder();
function isMessage(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** A mutant: any damage, or of every second one a single bit. */
function mutantOf(mutantSeed: number): {
  name: string;
  bytes: Uint8Array;
  counts: Record<string, number>;
  broken: string[];
} {
  const roll = dice(mutantSeed);
  const [name, object] = Object.entries(FUZZ_OBJECTS)[roll(Object.keys(FUZZ_OBJECTS).length)]!;
  const at = roll(object.bytes.length);
  const flip = [{ at, removed: 1, inserted: Uint8Array.of(object.bytes[at]! ^ (1 << roll(8))) }];
  const changes = roll(2) === 0 ? flip : mutate(object, mutantSeed).changes;
  const bytes = changed(object, changes);
  const spans = spansOf(bytes);
  const frames = spans.filter((span) => span.kind === "frame");
  const lengthOf = (kind: string) => spans.reduce((sum, span) => (span.kind === kind ? sum + span.length : sum), 0);
  const counts = {
    storedBytes: bytes.length,
    bytes: bytes.length,
    bytesInFrames: lengthOf("frame"),
    bytesDamaged: lengthOf("damaged"),
    bytesBlank: lengthOf("blank"),
    frames: frames.length,
    decoded: frames.filter(({ message }) => isMessage(message)).length,
  };
  return { name, bytes, counts, broken: brokenPromises(object, changes, bytes, spans) };
}

async function round(firstSeed: number): Promise<void> {
  const raw = join(folder, `raw-${firstSeed}`);
  mkdirSync(raw);
  writeFileSync(join(folder, "Mutants.ts"), STREAM);
  const mutants = Array.from({ length: MUTANTS }, (_, i) => ({ seed: firstSeed + i, ...mutantOf(firstSeed + i) }));
  for (const [i, { bytes }] of mutants.entries()) writeFileSync(join(raw, String(i).padStart(6, "0")), bytes);
  expect(
    mutants.flatMap(({ seed, name, broken }) => (broken.length > 0 ? [`${name}, seed ${seed}: ${broken}`] : [])),
  ).toEqual([]);

  const counted = await derive(["cat", "--count", "--json", "-q", raw], folder);
  const lines = counted.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect([counted.exit, lines.length]).toEqual([0, MUTANTS]);
  for (const [i, line] of lines.entries())
    expect({ seed: mutants[i]!.seed, ...line }).toMatchObject({ seed: mutants[i]!.seed, ...mutants[i]!.counts });

  const out = `out-${firstSeed}.parquet`;
  const words = ["convert", "./Mutants.ts", raw, "-o", out, "--json", "-q", "--max-errors", "100%", "-j", "1"];
  const converted = await derive(words, folder);
  const { totals } = JSON.parse(converted.stdout);
  const sum = (count: string) => mutants.reduce((total, { counts }) => total + counts[count]!, 0);
  const counts = ["bytes", "bytesInFrames", "bytesDamaged", "bytesBlank", "frames"];
  expect([converted.exit, ...counts.map((count) => totals[count])]).toEqual([0, ...counts.map(sum)]);
  expect(totals.decoded).toBe(totals.written + totals.failed);
  // What the stream does not ask of a long message is not read, and may be broken.
  expect(totals.decoded).toBeGreaterThanOrEqual(sum("decoded"));
  rmSync(raw, { recursive: true });
}

test(
  `mutants, DERIVE_FUZZ_SEED=${seed}`,
  async () => {
    const until = performance.now() + seconds * 1000;
    let count = 0;
    do {
      await round(seed + count);
      count += MUTANTS;
    } while (performance.now() < until);
    console.log(`${count} mutants`);
  },
  seconds * 1000 + 300_000,
);
