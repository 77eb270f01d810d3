// A world of a few runs on one store, in any order of their steps. What a reader sees is checked after every step.

import { ConflictError, OutputError } from "../../src/errors.ts";
import type { CommitStore } from "../../src/jobs/commit.ts";
import { MANIFEST, type Manifest, partsOf } from "../../src/jobs/manifest.ts";
import type { PartitionEnd } from "../../src/jobs/partition.ts";
import { textOf } from "../storage/contract.ts";
import { type Asked, PREFIX, run } from "./simulated-run.ts";
import { type Actor, type Disturbance, randomOf, Stage, sha256 } from "./stage.ts";

type Ending = PartitionEnd | Error;

/** What one schedule is about. */
export interface Scenario extends Disturbance {
  readonly name: string;
  /** Undisturbed, one after the other, before the others begin. */
  readonly before: readonly Asked[];
  /** At once. */
  readonly runs: readonly Asked[];
  /** What lies in the source while they run. */
  readonly source: Readonly<Record<string, string>>;
  /** What has arrived in the source when killed runs are run again. */
  readonly arrived?: Readonly<Record<string, string>>;
  /** A forced run is used against its rules, on one that is at work: only the end has to be right. */
  readonly rude?: boolean;
}

export class Wrong extends Error {}

/** Plays one schedule. Throws Wrong, saying what a reader or a user would have seen. */
export async function play(scenario: Scenario, seed: number): Promise<void> {
  const random = randomOf(seed);
  const world = new World(scenario, random);
  for (const asked of scenario.before) expectEnd(await settle(run(asked, world.calm)), "before the race");
  const allowed = await ends(scenario);
  world.watch(allowed);
  try {
    await playOn(scenario, world, allowed);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new Wrong(`${error.message}\nThe steps:\n${world.stage.steps.join("\n")}`);
  }
}

async function playOn(scenario: Scenario, world: World, allowed: readonly State[]): Promise<void> {
  const endings = await world.race();
  judge(scenario, world, endings);
  await runAgain(scenario, world, endings);
  world.expectClean();
  if (!allowed.some((state) => same(state, world.state()))) {
    throw new Wrong(`the end is that of no undisturbed run: ${JSON.stringify(world.state(), null, 1)}`);
  }
}

type State = Readonly<Record<string, string>>;

const knownEnds = new Map<string, Promise<State[]>>();

function ends(scenario: Scenario): Promise<State[]> {
  const { before, runs, source, arrived } = scenario;
  const key = JSON.stringify({ before, runs, source, arrived });
  if (!knownEnds.has(key)) knownEnds.set(key, undisturbed(scenario));
  return knownEnds.get(key)!;
}

/** The contents of a partition that undisturbed runs leave, in any order and number. */
async function undisturbed(scenario: Scenario): Promise<State[]> {
  const { before, runs, source, arrived } = scenario;
  const states: State[] = [];
  const later = arrived ? runs.map((asked) => ({ ...asked, raw: { ...asked.raw, ...arrived } })) : [];
  const all = [...runs, ...later];
  for (const first of all) {
    for (const second of all) {
      for (const third of all) {
        const world = new World({ ...scenario, kills: 0, faults: 0 }, randomOf(0));
        for (const asked of [...before, first, second, third]) {
          await settle(run(asked, world.calm, { ...source, ...arrived, ...asked.raw }));
          states.push(world.state());
        }
      }
    }
  }
  return states;
}

function judge({ runs, kills, faults, rude }: Scenario, world: World, endings: readonly (Ending | "killed")[]): void {
  for (const ending of endings) {
    if (ending === "killed" || !(ending instanceof Error) || ending instanceof ConflictError) continue;
    if (ending instanceof OutputError && world.stage.faults > 0) continue;
    throw new Wrong(`a run ended with ${ending.stack}`);
  }
  if (rude) world.expectTruth();
  if (kills > 0 || faults > 0 || rude) return;
  const refused = endings.filter((ending) => ending instanceof Error);
  const alike = runs.every((asked) => JSON.stringify(asked) === JSON.stringify(runs[0]));
  if (refused.length > 0 && alike) throw new Wrong(`one of two runs alike was refused: ${refused[0]}`);
  if (refused.length === runs.length) throw new Wrong(`all runs were refused: ${refused.join("; ")}`);
  world.expectClean();
}

/** As a user would: what was killed or failed is run again until it ends, twice, since it may have been in another one's way. */
async function runAgain(
  { runs, source, arrived, rude }: Scenario,
  world: World,
  endings: readonly (Ending | "killed")[],
) {
  const failed = runs.filter(
    (_, index) => rude || endings[index] === "killed" || endings[index] instanceof OutputError,
  );
  for (let round = 0; round < 2; round++) {
    for (const asked of failed) {
      const raw = { ...asked.raw, ...arrived };
      const ending = await settle(run({ ...asked, raw, forceUnlock: false }, world.calm, { ...source, ...raw }));
      if (ending instanceof Error && !(ending instanceof ConflictError)) throw new Wrong(`run again: ${ending.stack}`);
    }
  }
}

function settle(end: Promise<PartitionEnd>): Promise<Ending> {
  return end.catch((error: Error) => error);
}

function expectEnd(ending: Ending, when: string): void {
  if (ending instanceof Error) throw new Wrong(`${when}: ${ending.stack}`);
}

class World {
  readonly stage: Stage;
  #contents: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #lasting: readonly string[] = [];

  constructor(
    private readonly scenario: Scenario,
    random: () => number,
  ) {
    this.stage = new Stage(scenario, random);
  }

  get calm(): CommitStore {
    return this.stage.calm;
  }

  state(): State {
    return stateOf(this.stage.objects);
  }

  /** From now on no reader may see another content of a part than these, nor miss a part that all of these hold. */
  watch(allowed: readonly State[]): void {
    const start = this.state();
    const contents = new Map<string, Set<string>>();
    for (const state of [start, ...allowed]) {
      for (const [key, text] of Object.entries(state)) {
        if (!contents.has(key)) contents.set(key, new Set());
        contents.get(key)!.add(text);
      }
    }
    contents.delete(`${PREFIX}/${MANIFEST}`);
    this.#contents = contents;
    this.#lasting = [...contents.keys()].filter((key) => [start, ...allowed].every((state) => key in state));
  }

  /** All runs at once, until each has ended or was killed. */
  async race(): Promise<(Ending | "killed")[]> {
    const { runs, source, rude } = this.scenario;
    const actors: Actor[] = [];
    for (const [index, asked] of runs.entries()) {
      actors.push(await this.stage.enter(`${index}`, (store) => run(asked, store, source)));
    }
    await this.stage.race(() => {
      if (!rude) this.#look();
    });
    return actors.map(({ ending }) => ending as Ending | "killed");
  }

  /** What every reader may rely on, at any moment. */
  #look(): void {
    const { objects } = this.stage;
    for (const key of this.#lasting) if (!objects.has(key)) throw new Wrong(`${key} was gone for a moment`);
    for (const [key, bytes] of objects) {
      if (!/\/part-/.test(key)) continue;
      if (!this.#contents.get(key)?.has(textOf(bytes)))
        throw new Wrong(`${key} held ${textOf(bytes)}, which no run makes`);
    }
    this.expectTruth();
  }

  expectTruth(): Manifest | undefined {
    return expectTruth(this.stage.objects);
  }

  /** The state of a partition that nobody works on. */
  expectClean(): void {
    const manifest = this.expectTruth();
    if (manifest === undefined) throw new Wrong("there is no _SUCCESS");
    const expected = [MANIFEST, ...partsOf(manifest).map(({ key }) => key)].map((name) => `${PREFIX}/${name}`);
    const left = [...this.stage.objects.keys()].filter((key) => !expected.includes(key));
    if (left.length > 0) throw new Wrong(`left behind: ${left.join(", ")}`);
  }
}

/** Where there is a manifest, it is right. */
export function expectTruth(objects: ReadonlyMap<string, Uint8Array>): Manifest | undefined {
  const bytes = objects.get(`${PREFIX}/${MANIFEST}`);
  if (bytes === undefined) return undefined;
  let manifest: Manifest;
  try {
    manifest = JSON.parse(textOf(bytes));
  } catch {
    throw new Wrong("_SUCCESS was no JSON");
  }
  const listed = new Map(partsOf(manifest).map((part) => [`${PREFIX}/${part.key}`, part.sha256]));
  for (const [key, hash] of listed) {
    const part = objects.get(key);
    if (part === undefined) throw new Wrong(`_SUCCESS lists ${key}, which is not there`);
    if (sha256(part) !== hash) throw new Wrong(`_SUCCESS lists ${key}, which differs: ${textOf(part)}`);
  }
  const newest = Math.max(...manifest.generations.map(({ generation }) => generation));
  for (const key of objects.keys()) {
    const [, generation] = /\/part-(\d+)-/.exec(key) ?? [];
    // A further generation under way is the one thing that may lie beside what is listed.
    if (generation !== undefined && !listed.has(key) && Number(generation) <= newest)
      throw new Wrong(`${key} lies beside what _SUCCESS lists`);
  }
  return manifest;
}

function stateOf(objects: ReadonlyMap<string, Uint8Array>): State {
  return Object.fromEntries([...objects].map(([key, bytes]) => [key, textOf(bytes)]));
}

function same(one: State, other: State): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}
