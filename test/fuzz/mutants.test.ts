// P6, P7: damage of all kinds in small objects and in frames of the real ones in any order, cut into chunks of any size, read by the
// kernel's scan too, for as long as DERIVE_FUZZ_SECONDS says (npm run fuzz gives it minutes), from
// a seed that is printed: DERIVE_FUZZ_SEED plays it again.
import { expect, setDefaultTimeout, test } from "bun:test";
import { BatchReader } from "../../src/kernel/batch.ts";
import { createKernel } from "../../src/kernel/instance.ts";
import { kernelModule } from "../../src/kernel/module.ts";
import { kernelScan } from "../../src/pipeline/scan.ts";
import { spansOf } from "../heka/objects.ts";
import { dice, mutate } from "./mutant.ts";
import { FUZZ_OBJECTS, mixed } from "./objects.ts";
import { brokenPromises, changed } from "./truth.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

const seconds = Number(process.env.DERIVE_FUZZ_SECONDS ?? 3);
// The gate must not fail by chance: it tries the same mutants each time, the longer runs others.
const seed = Number(
  process.env.DERIVE_FUZZ_SEED ?? (process.env.DERIVE_FUZZ_SECONDS ? Math.floor(Math.random() * 2 ** 32) : 1),
);

test(
  `mutants for ${seconds} s, DERIVE_FUZZ_SEED=${seed}`,
  () => {
    const names = Object.keys(FUZZ_OBJECTS);
    const until = performance.now() + seconds * 1000;
    const wrong: string[] = [];
    let count = 0;
    for (; performance.now() < until && wrong.length === 0; count++) {
      const mutantSeed = seed + count;
      const isMixed = count % 4 === 0;
      const name = isMixed ? "mixed" : names[count % names.length]!;
      const object = isMixed ? mixed(mutantSeed) : FUZZ_OBJECTS[name]!;
      const { kind, changes } = mutate(object, mutantSeed);
      const after = changed(object, changes);
      const spans = spansOf(after);
      const broken = brokenPromises(object, changes, after, spans);
      if (broken.length === 0 && count % 8 < 2) {
        const roll = dice(mutantSeed);
        const cuts = Array.from({ length: 4 }, () => roll(after.length + 1)).sort((a, b) => a - b);
        if (!Bun.deepEquals(spansOf(after, cuts), spans)) broken.push(`other spans from chunks that end at ${cuts}`);
        const chunks = after.length < 20_000 ? [1, 7, 100, 1000] : [1000, 65_536];
        const chunk = chunks[roll(chunks.length)]!;
        if (!Bun.deepEquals(kernelPlaces(after, chunk), spans.map(placeOf)))
          broken.push(`other spans by the kernel from chunks of ${chunk}`);
      }
      if (broken.length > 0) wrong.push(`${name}, seed ${mutantSeed}, ${kind}: ${broken}\n${hex(after)}`);
    }
    console.log(`${count} mutants`);
    expect(wrong).toEqual([]);
  },
  seconds * 1000 + 60_000,
);

const placeOf = ({ kind, offset, length }: { kind: string; offset: number; length: number }): string =>
  `${kind} ${offset} ${length}`;
const kernel = createKernel((await kernelModule())!);
// The smaller window is left for the plain way often, the larger one now and then.
const readers = [2000, 60_000].map((window) => new BatchReader(kernel, "lazily", { window, arena: 2 * window }));

/** What the kernel's scan finds, which leaves what is damaged to the framer and takes over again behind it. */
function kernelPlaces(bytes: Uint8Array, chunk: number): string[] {
  const places: string[] = [];
  const scan = kernelScan(
    [
      {
        span: (span) => void places.push(placeOf(span)),
        message: (_message, frame) => void places.push(placeOf({ kind: "frame", ...frame })),
        batch: () => false,
        endBatch() {},
      },
    ],
    readers[bytes.length % 2]!,
  );
  for (let at = 0; at < bytes.length; at += chunk) scan.push(bytes.slice(at, at + chunk));
  scan.end();
  return places;
}

/** To be kept as a file of corpus/, if it is short. */
function hex(bytes: Uint8Array): string {
  return bytes.length > 4096 ? `${bytes.length} bytes` : Buffer.from(bytes).toString("hex");
}
