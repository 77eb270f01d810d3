// P6, P7: damage of all kinds in small objects, for as long as DERIVE_FUZZ_SECONDS says (npm run fuzz gives it minutes), from
// a seed that is printed: DERIVE_FUZZ_SEED plays it again.
import { expect, test } from "bun:test";
import { spansOf } from "../heka/objects.ts";
import { dice, mutate } from "./mutant.ts";
import { FUZZ_OBJECTS } from "./objects.ts";
import { brokenPromises, changed } from "./truth.ts";

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
      const name = names[count % names.length]!;
      const object = FUZZ_OBJECTS[name]!;
      const mutantSeed = seed + count;
      const { kind, changes } = mutate(object, mutantSeed);
      const after = changed(object, changes);
      const spans = spansOf(after);
      const broken = brokenPromises(object, changes, after, spans);
      if (broken.length === 0 && count % 8 === 0) {
        const roll = dice(mutantSeed);
        const cuts = Array.from({ length: 4 }, () => roll(after.length + 1)).sort((a, b) => a - b);
        if (!Bun.deepEquals(spansOf(after, cuts), spans)) broken.push(`other spans from chunks that end at ${cuts}`);
      }
      if (broken.length > 0) wrong.push(`${name}, seed ${mutantSeed}, ${kind}: ${broken}\n${hex(after)}`);
    }
    console.log(`${count} mutants`);
    expect(wrong).toEqual([]);
  },
  seconds * 1000 + 60_000,
);

/** To be kept as a file of corpus/, if it is short. */
function hex(bytes: Uint8Array): string {
  return bytes.length > 4096 ? `${bytes.length} bytes` : Buffer.from(bytes).toString("hex");
}
