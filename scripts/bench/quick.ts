// The bench of CI: whether we lost ground against the naive program. Only ratios of CPU time are judged, of the least that each
// took in several runs: what else the machine does adds to both, and hardly ever to all runs.
import { linkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureCorpus } from "../corpus.ts";
import floors from "./floors.json" with { type: "json" };
import { derive, naiveInBun, type Rows } from "./programs.ts";
import { folder, leastCpu, out, type Run, say, takeTurns } from "./run.ts";

/** A ratio that falls by more than a quarter is a failure. */
const KEPT = 0.75;
const ROUNDS = 3;
/** A ratio below the floor is measured again so often: a slower program stays slower. */
const TRIES = 3;
/** Memory of one worker, MB. */
const MEMORY = 250;

interface Contest {
  readonly stream: keyof typeof floors;
  readonly rows: Rows;
  readonly megabytes: number;
  /** The object is read under so many names, for the start of a process is not what is measured. */
  readonly copies: number;
}

const CONTESTS: readonly Contest[] = [
  { stream: "ExampleStream", rows: "main", megabytes: 25, copies: 8 },
  { stream: "ExecutiveStream", rows: "executive", megabytes: 5, copies: 6 },
];

/** Runs the contests and says what came out; whether all is well. */
export function quick(binary: string): boolean {
  const faults = CONTESTS.flatMap((contest) => faultsOf(binary, contest));
  rmSync(out, { force: true });
  for (const fault of faults) say(`Not ok: ${fault}`);
  return faults.length === 0;
}

function faultsOf(binary: string, { stream, rows, megabytes, copies }: Contest): string[] {
  const home = join(folder, `quick-${rows}`);
  const { objects } = ensureCorpus(home, { shape: rows, megabytes, objects: 1, seed: 1 });
  const inputs = Array.from({ length: copies }, (_, copy) => {
    const link = join(home, `copy-${copy}.heka`);
    rmSync(link, { force: true });
    linkSync(objects[0]!, link);
    return link;
  });
  const contenders = [derive(binary, stream, 1, inputs), naiveInBun(rows, inputs)];
  const least = KEPT * floors[stream];
  say(`${stream}, ${megabytes * copies} MB`);
  const ours: Run[] = [];
  const theirs: Run[] = [];
  let ratio = 0;
  for (let attempt = 0; attempt < TRIES && ratio < least; attempt++) {
    const [one, other] = takeTurns(contenders, ROUNDS);
    ours.push(...one!);
    theirs.push(...other!);
    ratio = leastCpu(theirs) / leastCpu(ours);
  }
  const rss = Math.max(...ours.map((run) => run.rss));
  say(
    `${stream}: ${ratio.toFixed(1)} times as fast as the naive program in CPU time, ${floors[stream]} when it was recorded`,
  );
  return [
    ...(ratio < least
      ? [`${stream} is ${ratio.toFixed(2)} times as fast as the naive program, not ${least.toFixed(2)}`]
      : []),
    ...(rss > MEMORY ? [`${stream} took ${rss.toFixed(0)} MB, more than ${MEMORY}`] : []),
  ];
}
