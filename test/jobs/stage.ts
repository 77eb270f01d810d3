// A store on which several actors take turns: every call to it is a step, a seed decides who goes next, who is killed, and which
// calls fail, before or after they took effect.

import { ConditionFailed, OutputError } from "../../src/errors.ts";
import { CLAIM } from "../../src/jobs/claim.ts";
import { MANIFEST } from "../../src/jobs/manifest.ts";
import { compareKeys } from "../../src/storage/keys.ts";
import type { Expected, Sink, Upload } from "../../src/storage/ports.ts";
import { PREFIX } from "./simulated-run.ts";

export type StageStore = Omit<Sink, "url">;

export interface Disturbance {
  /** Share of steps before which an actor is killed, and of calls that fail. */
  readonly kills: number;
  readonly faults: number;
  /** Makes the protocol wrong, to show that this is noticed. */
  readonly broken?: Breakage;
}

export type Breakage =
  | "no conditions"
  | "no conditions on parts"
  | "no conditions on event parts"
  | "_SUCCESS stays"
  | "surplus stays"
  | "event parts stay"
  | "no claims"
  | "the claim stays"
  | "_SUCCESS in pieces";

/** Someone at work. */
export interface Actor {
  readonly name: string;
  /** What it gave or threw, or "killed"; undefined while it is at work. */
  ending: unknown;
  resume: () => void;
  paused: () => void;
  /** It stands still until so many turns were given: a frozen function, a machine that swaps. */
  wakes: number;
}

/** What an actor does with its own view of the store; `turn` waits for one more step, which is then told as `what`. */
export type Part = (store: StageStore, turn: (what: string) => Promise<void>) => Promise<unknown>;

export class Stage {
  readonly objects = new Map<string, Uint8Array>();
  /** The store without steps and faults. */
  readonly calm: StageStore;
  readonly steps: string[] = [];
  faults = 0;
  readonly #actors: Actor[] = [];
  readonly #ids = new WeakMap<Uint8Array, number>();
  #id = 0;
  /** S3's ETags are made of the content, a folder's are new with every write. */
  readonly etagsOfContent: boolean;
  /** S3's sink takes bytes that are its own for written. */
  readonly #knowsOwn: boolean;

  constructor(
    private readonly disturbance: Disturbance,
    private readonly random: () => number,
  ) {
    this.etagsOfContent = random() < 0.5;
    this.#knowsOwn = random() < 0.5;
    this.calm = this.#store(undefined);
  }

  /** Begins; what is thrown is its ending too. Resolves when it waits for its first turn. */
  async enter(name: string, part: Part): Promise<Actor> {
    const actor: Actor = { name, resume: () => {}, paused: () => {}, ending: undefined, wakes: 0 };
    this.#actors.push(actor);
    const paused = new Promise<void>((resolve) => (actor.paused = resolve));
    void part(this.#store(actor), (what) => this.#turn(actor, what))
      .catch((error: Error) => error)
      .then((ending) => {
        actor.ending = ending ?? "done";
        actor.paused();
      });
    await paused;
    return actor;
  }

  /**
   * Everyone at once, until each has ended or was killed.
   * @param look is called after every step, and may let others enter
   */
  async race(look: () => void | Promise<void>): Promise<void> {
    for (let turns = 0; ; turns++) {
      const waiting = this.#actors.filter(({ ending }) => ending === undefined);
      if (waiting.length === 0) break;
      const awake = waiting.filter(({ wakes }) => wakes <= turns);
      const ready = awake.length > 0 ? awake : waiting;
      const actor = ready[Math.floor(this.random() * ready.length)]!;
      if (this.random() < 0.03) actor.wakes = turns + Math.floor(this.random() * 80);
      if (this.random() < this.disturbance.kills) {
        this.steps.push(`${actor.name} is killed`);
        actor.ending = "killed";
        await look();
        continue;
      }
      // Now and then one runs for a while alone.
      for (let alone = this.random() < 0.2 ? 6 : 1; alone > 0 && actor.ending === undefined; alone--) {
        const paused = new Promise<void>((resolve) => (actor.paused = resolve));
        actor.resume();
        await paused;
        await look();
      }
    }
  }

  async #turn(actor: Actor, what: string): Promise<void> {
    await new Promise<void>((resolve) => {
      actor.resume = resolve;
      actor.paused();
    });
    this.steps.push(`${actor.name} ${what}`);
  }

  /** The store as one run sees it: each call is a step of its own, which waits for its turn. */
  #store(actor: Actor | undefined): StageStore {
    const { objects, disturbance } = this;
    const broken = actor === undefined ? undefined : disturbance.broken;
    const turn = async (what: string): Promise<void> => (actor === undefined ? undefined : this.#turn(actor, what));
    const fail = (when: string): void => {
      if (actor === undefined || this.random() >= disturbance.faults) return;
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
      if (broken === "no conditions on event parts" && key.includes("/event-")) return "write";
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
      read: (key, last = Number.POSITIVE_INFINITY) =>
        call(`reads ${key}`, () => {
          const bytes = broken === "no claims" && isClaim(key) ? undefined : objects.get(key);
          return bytes && { bytes: bytes.slice(Math.max(0, bytes.length - last)), etag: this.#etag(bytes) };
        }),
      head: (key) =>
        call(`asks for ${key}`, () => {
          const bytes = objects.get(key);
          return bytes && { key, size: bytes.length, etag: this.#etag(bytes) };
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
          if (broken === "event parts stay" && name.startsWith("event-")) return;
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
    if (this.etagsOfContent) return sha256(bytes).slice(0, 8);
    if (!this.#ids.has(bytes)) this.#ids.set(bytes, this.#id++);
    return `#${this.#ids.get(bytes)}`;
  }
}

const hashes = new WeakMap<Uint8Array, string>();

export function sha256(bytes: Uint8Array): string {
  let hash = hashes.get(bytes);
  if (hash === undefined) {
    hash = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    hashes.set(bytes, hash);
  }
  return hash;
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
