// P6, P7, P9: mutants through the built binary, by the hundred in one process: `cat --count` and `convert` must read of each what the
// framer and the decoder read of it here, where it is weighed, in little memory. npm run fuzz does so until its time is up, and with
// --binary N until there were as many.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { FormatError } from "../../src/errors.ts";
import { MessageDecoder } from "../../src/heka/message.ts";
import { derive } from "../binary/derive.ts";
import { spansOf } from "../heka/objects.ts";
import { dice, mutate } from "./mutant.ts";
import { FUZZ_OBJECTS, mixed } from "./objects.ts";
import { brokenPromises, changed } from "./truth.ts";

const seconds = Number(process.env.DERIVE_FUZZ_SECONDS ?? 0);
// The gate must not fail by chance: it tries the same mutants each time, the longer runs others.
const seed = Number(
  process.env.DERIVE_FUZZ_SEED ?? (process.env.DERIVE_FUZZ_SECONDS ? Math.floor(Math.random() * 2 ** 32) : 1),
);
const least = Number(process.env.DERIVE_FUZZ_BINARY ?? 0);
const MUTANTS = 500;
/** No damage takes more memory (P9). */
const MOST_BYTES = 500e6;

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

interface MutantOf {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly counts: Readonly<Record<string, number>>;
  readonly damaged: readonly { offset: number; length: number; cause: string }[];
  readonly broken: readonly string[];
}

/** A mutant of any object, or of frames of the real files in any order: one in six with a single bit flipped. */
function mutantOf(mutantSeed: number): MutantOf {
  const roll = dice(mutantSeed);
  const names = Object.keys(FUZZ_OBJECTS);
  const isMixed = roll(2) === 0;
  const name = isMixed ? "mixed" : names[roll(names.length)]!;
  const object = isMixed ? mixed(mutantSeed) : FUZZ_OBJECTS[name]!;
  const at = roll(object.bytes.length);
  const flip = [{ at, removed: 1, inserted: Uint8Array.of(object.bytes[at]! ^ (1 << roll(8))) }];
  const changes = roll(6) === 0 ? flip : mutate(object, mutantSeed).changes;
  const bytes = changed(object, changes);
  // What damage made look like a whole gzip or zstd object is none of this test's.
  if ((bytes[0] === 0x1f && bytes[1] === 0x8b) || (bytes[0] === 0x28 && bytes[1] === 0xb5))
    return mutantOf(mutantSeed ^ 0x40000000);
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
  const damaged = spans.flatMap((span) => (span.kind === "damaged" ? [{ ...span }] : []));
  return { name, bytes, counts, damaged, broken: brokenPromises(object, changes, bytes, spans) };
}

const nameOf = (i: number): string => String(i).padStart(6, "0");
let peak = 0;

async function round(firstSeed: number): Promise<void> {
  const raw = join(folder, `raw-${firstSeed}`);
  mkdirSync(raw);
  writeFileSync(join(folder, "Mutants.ts"), STREAM);
  const mutants = Array.from({ length: MUTANTS }, (_, i) => ({ seed: firstSeed + i, ...mutantOf(firstSeed + i) }));
  for (const [i, { bytes }] of mutants.entries()) writeFileSync(join(raw, nameOf(i)), bytes);
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

  const out = `out-${firstSeed}`;
  const words = ["convert", "./Mutants.ts", raw, "-o", out, "--json", "-q", "--max-errors", "100%"];
  const more = ["--quarantine", `quarantine-${firstSeed}`, "-j", `${1 + (firstSeed % 2)}`];
  const env: Record<string, string> = firstSeed % 5 === 0 ? { DERIVE_KERNEL: "off" } : {};
  const converted = await derive([...words, ...more], folder, { env });
  const { totals, partitions, peakRss } = JSON.parse(converted.stdout);
  const sum = (count: string) => mutants.reduce((total, { counts }) => total + counts[count]!, 0);
  const counts = ["bytes", "bytesInFrames", "bytesDamaged", "bytesBlank", "frames"];
  expect([converted.exit, ...counts.map((count) => totals[count])]).toEqual([0, ...counts.map(sum)]);
  expect(totals.decoded).toBe(totals.written + totals.failed);
  // What the stream does not ask of a long message is not read, and may be broken.
  expect(totals.decoded).toBeGreaterThanOrEqual(sum("decoded"));

  // What lies where: damage from the quarantine's index, frames from that and the rows of each object.
  const [partition] = partitions;
  const { generations } = JSON.parse(readFileSync(join(folder, out, "mutants/v1/_SUCCESS"), "utf8"));
  const faults = partition.quarantine.flatMap(linesOf);
  for (const [i, { counts, damaged }] of mutants.entries()) {
    const object = pathToFileURL(join(raw, nameOf(i))).href;
    const ofObject = faults.filter((fault: Fault) => fault.object === object);
    const placed = ofObject.filter(({ kind }: Fault) => kind === "damaged");
    expect({ seed: mutants[i]!.seed, damaged: placed }).toMatchObject({ seed: mutants[i]!.seed, damaged });
    const { rows } = generations[0].inputs[i];
    expect([mutants[i]!.seed, rows + ofObject.length - placed.length]).toEqual([mutants[i]!.seed, counts.frames!]);
  }
  peak = Math.max(peak, peakRss);
  expect(peak).toBeLessThan(MOST_BYTES);
  for (const made of [raw, join(folder, out), join(folder, `quarantine-${firstSeed}`)])
    rmSync(made, { recursive: true, force: true });
}

interface Fault {
  readonly object: string;
  readonly kind: string;
}

function linesOf(index: string): Fault[] {
  const lines = readFileSync(new URL(index), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

test(
  `mutants, DERIVE_FUZZ_SEED=${seed}`,
  async () => {
    const until = performance.now() + seconds * 1000;
    let count = 0;
    do {
      await round(seed + count);
      count += MUTANTS;
    } while (performance.now() < until || count < least);
    console.log(`${count} mutants, ${Math.round(peak / 1e6)} MB at most`);
  },
  seconds * 1000 + 300_000 + least * 100,
);
