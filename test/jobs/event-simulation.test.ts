// P5 under any order of steps: events before, during and after commits, late, twice, killed and disturbed anywhere, while raw objects
// change. A failure prints the seed; SIMULATION_SEED=… plays that one schedule again.

import { describe, expect, test } from "bun:test";
import { type Day, playDay } from "./event-simulation.ts";
import { Wrong } from "./simulation.ts";
import type { Breakage } from "./stage.ts";

type Shape = Omit<Day, "kills" | "faults">;

const SHAPES: readonly Shape[] = [
  { name: "one object", raw: { x: "ab" }, changes: [], batches: [] },
  {
    name: "one object that changes",
    raw: { x: "ab" },
    changes: [
      ["x", "cde"],
      ["x", ""],
      ["x", "f"],
    ],
    batches: [],
  },
  {
    name: "to and fro",
    raw: { x: "ab" },
    changes: [
      ["x", "cd"],
      ["x", "ab"],
    ],
    batches: [],
  },
  {
    name: "one that goes",
    raw: { x: "ab", y: "c" },
    changes: [
      ["x", null],
      ["y", null],
      ["y", "d"],
    ],
    batches: [],
  },
  { name: "a commit", raw: { x: "ab", y: "c", z: "" }, changes: [], batches: ["fail"] },
  { name: "a commit while more arrives", raw: { x: "ab", y: "c" }, changes: [["z", "de"]], batches: ["fail"] },
  {
    name: "a commit while one changes",
    raw: { x: "ab", y: "c" },
    changes: [
      ["x", "d"],
      ["x", "ef"],
    ],
    batches: ["fail"],
  },
  {
    name: "a committed day that gets more",
    raw: { x: "ab" },
    changes: [
      ["y", "c"],
      ["z", "d"],
    ],
    batches: ["append"],
    committed: true,
  },
  {
    name: "a committed day, one changes",
    raw: { x: "ab", y: "c" },
    changes: [["x", "de"]],
    batches: ["replace"],
    committed: true,
  },
  {
    name: "a committed day, all changes",
    raw: { x: "ab", y: "c" },
    changes: [
      ["x", "d"],
      ["y", null],
      ["z", "ef"],
    ],
    batches: ["append", "replace"],
    committed: true,
  },
  { name: "two batch runs", raw: { x: "ab", y: "c" }, changes: [["z", "d"]], batches: ["fail", "fail"] },
  {
    name: "two batch runs that replace",
    raw: { x: "ab", y: "c" },
    changes: [
      ["x", "d"],
      ["z", "e"],
    ],
    batches: ["replace", "replace"],
  },
];

const DISTURBANCES = [
  { kills: 0, faults: 0 },
  { kills: 0.03, faults: 0 },
  { kills: 0, faults: 0.03 },
  { kills: 0.02, faults: 0.02 },
];

const only = process.env.SIMULATION_SEED === undefined ? undefined : Number(process.env.SIMULATION_SEED);
const SEEDS =
  only === undefined ? Array.from({ length: Number(process.env.SIMULATION_SEEDS ?? 150) }, (_, seed) => seed) : [only];

function dayOf(shape: Shape, seed: number): Day {
  return { ...shape, ...DISTURBANCES[seed % DISTURBANCES.length]! };
}

describe("P5: the newest version wins, no row twice, and all settles", () => {
  test.each(SHAPES.map((shape) => [shape.name, shape] as const))("%s", async (_name, shape) => {
    for (const seed of SEEDS) {
      await playDay(dayOf(shape, seed), seed).catch((error: Error) => {
        throw new Error(
          `${error.message}\nAgain: SIMULATION_SEED=${seed} bun test test/jobs/event-simulation.test.ts -t ${JSON.stringify(shape.name)}`,
          { cause: error },
        );
      });
    }
  });
});

describe("a protocol that is wrong is found out", () => {
  const shape = (name: string) => SHAPES.find((one) => one.name === name)!;
  const broken: [Breakage, string][] = [
    ["no conditions on event parts", "one object that changes"],
    ["event parts stay", "a commit"],
  ];
  test.each(broken)("%s", async (breakage, name) => {
    expect(await firstWrong({ ...shape(name), broken: breakage })).toBeInstanceOf(Wrong);
  });
  test("events that do not look for _SUCCESS after their put", async () => {
    expect(await firstWrong({ ...shape("a commit"), forgetful: true })).toBeInstanceOf(Wrong);
  });
});

async function firstWrong(shape: Shape): Promise<unknown> {
  for (let seed = 0; seed < 250; seed++) {
    try {
      await playDay(dayOf(shape, seed), seed);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}
