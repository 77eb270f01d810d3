// A world of a few runs on one store, in which every call to the store is a step: a seed decides who goes next, who is killed, and
// which calls fail, before or after they took effect. What a reader sees is checked after every step.

import { ConditionFailed, ConflictError, OutputError } from "../../src/errors.ts";
import { CLAIM } from "../../src/jobs/claim.ts";
import type { CommitStore } from "../../src/jobs/commit.ts";
import { MANIFEST, type Manifest, partsOf } from "../../src/jobs/manifest.ts";
import type { PartitionEnd } from "../../src/jobs/partition.ts";
import { compareKeys } from "../../src/storage/keys.ts";
import type { Expected, Upload } from "../../src/storage/ports.ts";
import { textOf } from "../storage/contract.ts";
import { type Asked, PREFIX, run } from "./simulated-run.ts";

type Ending = PartitionEnd | Error;

/** What one schedule is about. */
export interface Scenario {
  readonly name: string;
  /** Undisturbed, one after the other, before the others begin. */
  readonly before: readonly Asked[];
  /** At once. */
  readonly runs: readonly Asked[];
  /** What lies in the source while they run. */
  readonly source: Readonly<Record<string, string>>;
  /** What has arrived in the source when killed runs are run again. */
  readonly arrived?: Readonly<Record<string, string>>;
  /** Share of steps before which a run is killed, and of calls that fail. */
  readonly kills: number;
  readonly faults: number;
  /** A forced run is used against its rules, on one that is at work: only the end has to be right. */
  readonly rude?: boolean;
  /** Makes the protocol wrong, to show that this is noticed. */
  readonly broken?: Breakage;
}

export type Breakage =
  | "no conditions"
  | "no conditions on parts"
  | "_SUCCESS stays"
  | "surplus stays"
  | "no claims"
  | "the claim stays"
  | "_SUCCESS in pieces";

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
    throw new Wrong(`${error.message}\nThe steps:\n${world.steps.join("\n")}`);
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
    if (ending instanceof OutputError && world.faults > 0) continue;
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

interface Actor {
  readonly name: string;
  resume: () => void;
  paused: () => void;
  ending: Ending | "killed" | undefined;
}

class World {
  readonly objects = new Map<string, Uint8Array>();
  /** The store without steps and faults. */
  readonly calm: CommitStore;
  readonly steps: string[] = [];
  faults = 0;
  readonly #ids = new WeakMap<Uint8Array, number>();
  #id = 0;
  /** S3's ETags are made of the content, a folder's are new with every write. */
  readonly #etagsOfContent: boolean;
  /** S3's sink takes bytes that are its own for written. */
  readonly #knowsOwn: boolean;
  #contents: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #lasting: readonly string[] = [];

  constructor(
    private readonly scenario: Scenario,
    private readonly random: () => number,
  ) {
    this.#etagsOfContent = random() < 0.5;
    this.#knowsOwn = random() < 0.5;
    this.calm = this.#store(undefined);
  }

  state(): State {
    return stateOf(this.objects);
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
    const actors: Actor[] = [];
    for (const [index, asked] of this.scenario.runs.entries()) {
      const actor: Actor = { name: `${index}`, resume: () => {}, paused: () => {}, ending: undefined };
      actors.push(actor);
      const paused = new Promise<void>((resolve) => (actor.paused = resolve));
      void settle(run(asked, this.#store(actor), this.scenario.source)).then((ending) => {
        actor.ending = ending;
        actor.paused();
      });
      await paused;
    }
    for (;;) {
      const waiting = actors.filter(({ ending }) => ending === undefined);
      if (waiting.length === 0) break;
      const actor = waiting[Math.floor(this.random() * waiting.length)]!;
      if (this.random() < this.scenario.kills) {
        this.steps.push(`${actor.name} is killed`);
        actor.ending = "killed";
        continue;
      }
      // Now and then one runs for a while alone.
      for (let alone = this.random() < 0.2 ? 6 : 1; alone > 0 && actor.ending === undefined; alone--) {
        const paused = new Promise<void>((resolve) => (actor.paused = resolve));
        actor.resume();
        await paused;
        if (!this.scenario.rude) this.#look();
      }
    }
    return actors.map(({ ending }) => ending!);
  }

  /** What every reader may rely on, at any moment. */
  #look(): void {
    const { objects } = this;
    for (const key of this.#lasting) if (!objects.has(key)) throw new Wrong(`${key} was gone for a moment`);
    for (const [key, bytes] of objects) {
      if (!/\/part-/.test(key)) continue;
      if (!this.#contents.get(key)?.has(textOf(bytes)))
        throw new Wrong(`${key} held ${textOf(bytes)}, which no run makes`);
    }
    this.expectTruth();
  }

  /** Where there is a manifest, it is right. */
  expectTruth(): Manifest | undefined {
    const { objects } = this;
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

  /** The state of a partition that nobody works on. */
  expectClean(): void {
    const manifest = this.expectTruth();
    if (manifest === undefined) throw new Wrong("there is no _SUCCESS");
    const expected = [MANIFEST, ...partsOf(manifest).map(({ key }) => key)].map((name) => `${PREFIX}/${name}`);
    const left = [...this.objects.keys()].filter((key) => !expected.includes(key));
    if (left.length > 0) throw new Wrong(`left behind: ${left.join(", ")}`);
  }

  /** The store as one run sees it: each call is a step of its own, which waits for its turn. */
  #store(actor: Actor | undefined): CommitStore {
    const { objects, scenario } = this;
    const broken = actor === undefined ? undefined : scenario.broken;
    const turn = async (what: string): Promise<void> => {
      if (actor === undefined) return;
      await new Promise<void>((resolve) => {
        actor.resume = resolve;
        actor.paused();
      });
      this.steps.push(`${actor.name} ${what}`);
    };
    const fail = (when: string): void => {
      if (actor === undefined || this.random() >= scenario.faults) return;
      this.faults++;
      this.steps.push(`${actor.name}   fails ${when}`);
      throw new OutputError("Cannot write: 503");
    };
    const call = async <T>(what: string, action: () => T | Promise<T>): Promise<T> => {
      await turn(what);
      fail("before it");
      const result = await action();
      fail("after it");
      return result;
    };
    const condition = (key: string, expected: Expected, own?: Uint8Array): "write" | "written" => {
      const there = objects.get(key);
      if (expected === "anything" || broken === "no conditions") return "write";
      if (broken === "no conditions on parts" && key.includes("/part-")) return "write";
      if (expected === "nothing" ? there === undefined : there && this.#etag(there) === expected.etag) return "write";
      if (own && there && this.#knowsOwn && Buffer.from(there).equals(own)) return "written";
      throw new ConditionFailed(`Cannot write ${key}: it is not what it was`);
    };
    const create = async (key: string): Promise<Upload> => {
      let bytes = new Uint8Array();
      return {
        get byteLength() {
          return bytes.length;
        },
        async write(more) {
          bytes = Buffer.concat([bytes, more]);
        },
        slice: async (start, end) => new Uint8Array(bytes.slice(start, end)).buffer,
        abort: async () => {},
        commit: (expected = "anything") =>
          call(`puts ${key} on ${typeof expected === "string" ? expected : expected.etag}`, () => {
            if (condition(key, expected, bytes) === "write") objects.set(key, bytes.slice());
            return this.#etag(objects.get(key)!);
          }),
      };
    };
    const isClaim = (key: string) => key.endsWith(CLAIM);
    return {
      urlOf: (key) => `memory:///${key}`,
      create,
      read: (key) =>
        call(`reads ${key}`, () => {
          const bytes = broken === "no claims" && isClaim(key) ? undefined : objects.get(key);
          return bytes && { bytes: bytes.slice(), etag: this.#etag(bytes) };
        }),
      list: (prefix) => this.#list(prefix, turn),
      async put(key, bytes, expected) {
        if (broken === "no claims" && isClaim(key)) return "none";
        if (broken === "_SUCCESS in pieces" && key.endsWith(MANIFEST)) {
          await call("puts half of _SUCCESS", () => objects.set(key, bytes.slice(0, bytes.length / 2)));
          expected = "anything";
        }
        const upload = await create(key);
        await upload.write(bytes);
        return upload.commit(expected);
      },
      remove: (key, expected) =>
        call(`removes ${key}`, () => {
          const name = key.slice(PREFIX.length + 1);
          if (broken === "_SUCCESS stays" && name === MANIFEST) return;
          if (broken === "surplus stays" && name.startsWith("part-")) return;
          if (broken === "the claim stays" && name === CLAIM) return;
          if (expected && objects.has(key)) condition(key, expected);
          objects.delete(key);
        }),
      honoursConditions: async () => true,
      abortPending: async () => 0,
    };
  }

  /** In pages of two keys, between which others may write. */
  async *#list(prefix: string, turn: (what: string) => Promise<void>) {
    let after = "";
    for (;;) {
      await turn(`lists after ${JSON.stringify(after)}`);
      const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort(compareKeys);
      const page = keys.slice(0, 2).map((key) => ({ key, bytes: this.objects.get(key)! }));
      for (const { key, bytes } of page) yield { key, size: bytes.length, etag: this.#etag(bytes) };
      if (page.length < 2) return;
      after = page[1]!.key;
    }
  }

  #etag(bytes: Uint8Array): string {
    if (this.#etagsOfContent) return sha256(bytes).slice(0, 8);
    if (!this.#ids.has(bytes)) this.#ids.set(bytes, this.#id++);
    return `#${this.#ids.get(bytes)}`;
  }
}

const hashes = new WeakMap<Uint8Array, string>();

function sha256(bytes: Uint8Array): string {
  let hash = hashes.get(bytes);
  if (hash === undefined) {
    hash = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    hashes.set(bytes, hash);
  }
  return hash;
}

function stateOf(objects: ReadonlyMap<string, Uint8Array>): State {
  return Object.fromEntries([...objects].map(([key, bytes]) => [key, textOf(bytes)]));
}

function same(one: State, other: State): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

/** Numbers from 0 to 1 (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
