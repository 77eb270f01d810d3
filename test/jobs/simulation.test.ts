// P1, P2, P3 under any order of steps: the commit's own code, two runs at once, killed and disturbed anywhere, readers that look
// after every step. A failure prints the seed; SIMULATION_SEED=… plays that one schedule again.

import { describe, expect, test } from "bun:test";
import type { Asked } from "./simulated-run.ts";
import { play, type Scenario, Wrong } from "./simulation.ts";
import type { Breakage } from "./stage.ts";

const X = { "raw/a": "abc", "raw/b": "def", "raw/c": "g" };
const Y = { ...X, "raw/d": "hijk" };
const PART = { "raw/a": "abc" };
const SMALL = { "raw/s": "ab" };
const ALL = { ...Y, ...SMALL };

const asked = (raw: Asked["raw"], changes: Partial<Asked> = {}): Asked => ({
  raw,
  stream: "1",
  onChange: "fail",
  ...changes,
});
const replace = { onChange: "replace" } as const;
const append = { onChange: "append" } as const;
const other = { stream: "2" };

type Shape = Omit<Scenario, "kills" | "faults" | "source"> & { readonly source?: Scenario["source"] };

const SHAPES: readonly Shape[] = [
  { name: "one run", before: [], runs: [asked(X)] },
  { name: "one run that replaces", before: [asked(X)], runs: [asked(SMALL, { ...other, ...replace })] },
  { name: "one run that appends", before: [asked(X)], runs: [asked(Y, append)] },
  { name: "two runs alike", before: [], runs: [asked(X), asked(X)] },
  { name: "two runs alike that replace", before: [asked(SMALL, other)], runs: [asked(X, replace), asked(X, replace)] },
  { name: "two runs alike that append", before: [asked(X)], runs: [asked(Y, append), asked(Y, append)] },
  {
    name: "two runs of one part that replace",
    before: [asked(SMALL)],
    runs: [asked(SMALL, { ...other, ...replace }), asked(SMALL, { stream: "3", ...replace })],
  },
  { name: "two listings", before: [], runs: [asked(X), asked(Y)] },
  { name: "two listings that replace", before: [asked(SMALL)], runs: [asked(X, replace), asked(Y, replace)] },
  { name: "two listings that append", before: [asked(PART)], runs: [asked(X, append), asked(Y, append)] },
  { name: "two streams", before: [], runs: [asked(X), asked(X, other)] },
  {
    name: "two streams that replace",
    before: [asked(Y)],
    runs: [asked(X, replace), asked(SMALL, { ...other, ...replace })],
  },
  {
    name: "one appends, one replaces",
    before: [asked(X)],
    runs: [asked(Y, append), asked(Y, { ...other, ...replace })],
  },
  { name: "one looks, one replaces", before: [asked(SMALL, other)], runs: [asked(X), asked(Y, replace)] },
  { name: "one begins, one replaces", before: [], runs: [asked(X), asked(SMALL, { ...other, ...replace })] },
  { name: "one appends, one looks", before: [asked(X)], runs: [asked(Y, append), asked(X)] },
  { name: "objects arrive after the kill", before: [], runs: [asked(X), asked(X)], arrived: { "raw/z": "z" } },
  {
    name: "objects arrive after the kill of a replacement",
    before: [asked(SMALL)],
    runs: [asked(X, replace)],
    arrived: { "raw/z": "z" },
  },
];

const DISTURBANCES = [
  { kills: 0, faults: 0 },
  { kills: 0.04, faults: 0 },
  { kills: 0, faults: 0.04 },
  { kills: 0.03, faults: 0.03 },
];

function scenarioOf(shape: Shape, seed: number): Scenario {
  return { source: ALL, ...shape, ...DISTURBANCES[seed % DISTURBANCES.length]! };
}

const RUDE: Scenario = {
  name: "a claim set aside while its run is at work",
  before: [],
  runs: [asked(X), asked(X, { ...other, ...replace, forceUnlock: true })],
  source: ALL,
  kills: 0,
  faults: 0,
  rude: true,
};

const only = process.env.SIMULATION_SEED === undefined ? undefined : Number(process.env.SIMULATION_SEED);
const SEEDS =
  only === undefined ? Array.from({ length: Number(process.env.SIMULATION_SEEDS ?? 250) }, (_, seed) => seed) : [only];

async function playSeeded(scenario: Scenario, seed: number): Promise<void> {
  try {
    await play(scenario, seed);
  } catch (error) {
    throw new Error(
      `${(error as Error).message}\nAgain: SIMULATION_SEED=${seed} bun test test/jobs/simulation.test.ts -t ${JSON.stringify(scenario.name)}`,
      { cause: error },
    );
  }
}

describe("P1, P2, P3: no reader is ever lied to, and all ends as undisturbed", () => {
  test.each(SHAPES.map((shape) => [shape.name, shape] as const))("%s", async (_name, shape) => {
    for (const seed of SEEDS) await playSeeded(scenarioOf(shape, seed), seed);
  });

  test("a claim set aside while its run is at work", async () => {
    for (const seed of SEEDS) await playSeeded(RUDE, seed);
  });
});

describe("a protocol that is wrong is found out", () => {
  const broken: [Breakage, string][] = [
    ["no conditions", "two streams"],
    ["_SUCCESS stays", "one run that replaces"],
    ["surplus stays", "one run that replaces"],
    ["no claims", "two streams that replace"],
    ["the claim stays", "one run"],
    ["_SUCCESS in pieces", "one run"],
  ];
  test.each(broken)("%s", async (breakage, name) => {
    const shape = SHAPES.find((one) => one.name === name)!;
    const found = await firstWrong((seed) => ({ ...scenarioOf(shape, seed), broken: breakage }));
    expect(found).toBeInstanceOf(Wrong);
  });
});

test("a protocol without conditions on parts is found out", async () => {
  expect(await firstWrong(() => ({ ...RUDE, broken: "no conditions on parts" }))).toBeInstanceOf(Wrong);
});

async function firstWrong(scenario: (seed: number) => Scenario): Promise<unknown> {
  for (let seed = 0; seed < 250; seed++) {
    try {
      await play(scenario(seed), seed);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}
