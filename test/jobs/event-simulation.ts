// A day that events serve while batch runs commit it: raw objects come, change and go, each change sends an event, once or twice,
// and whoever is killed or fails is sent again. What readers see is checked after every step, and once all has settled.

import { ConflictError, InputError, OutputError } from "../../src/errors.ts";
import type { OnChange } from "../../src/jobs/change.ts";
import { type Origin, originIn, originKeyValues } from "../../src/jobs/event-part.ts";
import { type EventEnd, type EventWork, runEvent } from "../../src/jobs/event-run.ts";
import { eventName } from "../../src/jobs/layout.ts";
import { inputsOf } from "../../src/jobs/manifest.ts";
import { type PartitionEnd, type PartitionWork, runPartition } from "../../src/jobs/partition.ts";
import { emptyBooks, type ObjectBooks } from "../../src/pipeline/books.ts";
import type { Expected } from "../../src/storage/ports.ts";
import { textOf } from "../storage/contract.ts";
import { PREFIX, workOf } from "./simulated-run.ts";
import { expectTruth, Wrong } from "./simulation.ts";
import { type Actor, type Disturbance, randomOf, Stage, type StageStore } from "./stage.ts";
import { FORMAT, group } from "./text-parts.ts";

/** What one schedule is about. A version of a raw object is a text, each letter of which is a row; no letter occurs twice. */
export interface Day extends Disturbance {
  readonly name: string;
  /** What lies there at first; its events are sent when all begins. */
  readonly raw: Readonly<Record<string, string>>;
  /** What is put, or with null removed, one after the other, at any moments. Each put sends an event. */
  readonly changes: readonly (readonly [key: string, content: string | null])[];
  /** Batch runs, each of which lists the raw objects when it begins. */
  readonly batches: readonly OnChange[];
  /** A batch run has committed what lies there at first. */
  readonly committed?: boolean;
  /** Makes events wrong, which then do not look for `_SUCCESS` after their put, to show that this is noticed. */
  readonly forgetful?: boolean;
}

type Turn = (what: string) => Promise<void>;

/** How often an event is sent again before all has settled. */
const RETRIES = 2;

interface Sent {
  readonly key: string;
  readonly attempt: number;
}

/** Plays one schedule. Throws Wrong, saying what a reader or a user would have seen. */
export async function playDay(day: Day, seed: number): Promise<void> {
  const world = new EventWorld(day, randomOf(seed));
  try {
    await world.play();
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new Wrong(`${error.message}\nThe steps:\n${world.stage.steps.join("\n")}`);
  }
}

class EventWorld {
  readonly stage: Stage;
  readonly #raw = new Map<string, string>();
  /** All that an object has ever been, oldest first. */
  readonly #versions = new Map<string, string[]>();
  readonly #sent: Sent[] = [];
  readonly #events = new Map<Actor, Sent>();
  readonly #batches: Actor[] = [];
  /** Events that came to no good end. */
  readonly #open: Sent[] = [];
  /** Keys of which an event or a batch run has said that what is committed is not their newest version. */
  readonly #told = new Set<string>();
  /** The version that each event part held when it was last seen. */
  readonly #held = new Map<string, number>();
  #number = 0;

  constructor(
    private readonly day: Day,
    private readonly random: () => number,
  ) {
    this.stage = new Stage(day, random);
  }

  async play(): Promise<void> {
    const { day, stage } = this;
    for (const [key, content] of Object.entries(day.raw)) this.#put(key, content);
    if (day.committed) await this.#batch("fail", stage.calm, async () => {});
    for (const onChange of day.batches) {
      const name = `batch ${this.#batches.length} (${onChange})`;
      this.#batches.push(await stage.enter(name, (store, turn) => this.#batch(onChange, store, turn)));
    }
    await stage.enter("raw", async (_store, turn) => {
      for (const [key, content] of day.changes) {
        await turn(content === null ? `loses ${key}` : `gets ${key}: ${content}`);
        if (content === null) this.#raw.delete(key);
        else this.#put(key, content);
      }
    });
    await this.#deliver();
    await stage.race(async () => {
      this.#look();
      this.#collect();
      await this.#deliver();
    });
    await this.#settle();
  }

  #put(key: string, content: string): void {
    this.#raw.set(key, content);
    this.#versions.set(key, [...(this.#versions.get(key) ?? []), content]);
    this.#sent.push({ key, attempt: 0 });
    if (this.random() < 0.3) this.#sent.push({ key, attempt: 0 });
  }

  async #deliver(): Promise<void> {
    for (const sent of this.#sent.splice(0)) {
      const name = `event ${this.#number++} of ${sent.key}`;
      const actor = await this.stage.enter(name, (store, turn) => this.#event(sent.key, store, turn));
      this.#events.set(actor, sent);
    }
    this.#collect(); // one may have ended at once
  }

  /** Takes note of events that have ended, and sends those again that failed. */
  #collect(): void {
    for (const [actor, sent] of this.#events) {
      const ending = actor.ending as EventEnd | Error | "killed" | undefined;
      if (ending === undefined) continue;
      this.#events.delete(actor);
      if (ending !== "killed" && !(ending instanceof Error)) continue;
      if (ending !== "killed") this.#note(sent.key, ending);
      if (sent.attempt < RETRIES) this.#sent.push({ ...sent, attempt: sent.attempt + 1 });
      else this.#open.push(sent);
    }
  }

  #note(key: string, error: Error): void {
    if (error instanceof ConflictError && error.message.includes("covered, run batch again")) this.#told.add(key);
    else if (error instanceof OutputError && this.stage.faults > 0) return;
    // To and fro, or gone and back, between two looks of an event: it is sent again.
    else if (!(error instanceof InputError && this.day.changes.filter(([one]) => one === key).length > 1))
      throw new Wrong(`an event of ${key} ended with ${error.stack}`);
  }

  /** What every reader may rely on, at any moment. */
  #look(): void {
    const { objects } = this.stage;
    expectTruth(objects);
    for (const [key, versions] of this.#versions) {
      const part = objects.get(`${PREFIX}/${eventName("b", key, "zstd")}`);
      if (part === undefined) {
        this.#held.delete(key);
        continue;
      }
      const { origin, rows } = readPart(part);
      if (!versions.includes(rows) || origin?.key !== key || origin.etag !== etagOf(rows))
        throw new Wrong(`the event part of ${key} held ${textOf(part)}`);
      // What S3 tells a version by is its content: to and fro there is nothing to tell.
      const toAndFro = this.stage.etagsOfContent && new Set(versions).size < versions.length;
      const version = versions.indexOf(rows, toAndFro ? 0 : this.#held.get(key));
      if (version === -1) throw new Wrong(`the event part of ${key} went back to ${rows}`);
      this.#held.set(key, version);
    }
  }

  async #settle(): Promise<void> {
    const { day, stage } = this;
    const calm = async () => {};
    const resend = async (sent: readonly Sent[]): Promise<Sent[]> => {
      const open: Sent[] = [];
      for (const one of sent) {
        const ending = await this.#event(one.key, stage.calm, calm).catch((error: Error) => error);
        if (ending instanceof Error) {
          this.#note(one.key, ending);
          open.push(one);
        }
      }
      return open;
    };
    const open = await resend(this.#open);
    const endings = this.#batches.map(({ ending }) => ending as PartitionEnd | Error | "killed");
    for (const ending of endings) {
      if (ending === "killed" || ending instanceof ConflictError || ending instanceof InputError) continue;
      if (ending instanceof Error && !(ending instanceof OutputError && stage.faults > 0))
        throw new Wrong(`a batch run ended with ${ending.stack}`);
    }
    const unfinished = endings.some(
      (ending) => ending === "killed" || (ending instanceof Error && !(ending instanceof ConflictError)),
    );
    if (!unfinished) this.#expectSettled(this.#told);
    if (day.batches.length === 0 || this.#raw.size === 0) return;
    // The first finishes what one that was killed had begun, and says what that does not hold.
    const { late } = await this.#batch("replace", stage.calm, calm, unfinished);
    if (late.length > 0) await this.#batch("replace", stage.calm, calm);
    if ((await resend(open)).length > 0) throw new Wrong("an event is refused although batch ran again");
    this.#expectSettled(new Set());
    if ([...stage.objects.keys()].some((key) => key.endsWith("_derive.json"))) throw new Wrong("a claim is left");
  }

  /** Each object's newest version once, and nothing twice; but for those that somebody was told of. */
  #expectSettled(told: ReadonlySet<string>): void {
    const { objects } = this.stage;
    const manifest = expectTruth(objects);
    const covered = new Set(manifest && inputsOf(manifest).map(({ key }) => key));
    const seen = [...objects]
      .flatMap(([key, bytes]) => (key.endsWith(".parquet") ? [readPart(bytes).rows] : []))
      .join("");
    const twice = [...seen].find((row, index) => seen.indexOf(row) < index);
    if (twice !== undefined) throw new Wrong(`row ${twice} is there twice: ${seen}`);
    for (const [key, versions] of this.#versions) {
      const newest = this.#raw.get(key);
      const there = [...new Set(versions)].filter((rows) => rows !== "" && seen.includes(rows));
      if (there.length > 1) throw new Wrong(`${key} is there in two versions: ${there}`);
      if (newest === undefined || told.has(key)) continue;
      if (newest !== "" && there[0] !== newest) throw new Wrong(`${key} is ${newest}, and there is ${there}`);
      if (newest === "" && there.length > 0) throw new Wrong(`${key} is empty, and there is ${there}`);
      const part = objects.has(`${PREFIX}/${eventName("b", key, "zstd")}`);
      if (part === covered.has(key))
        throw new Wrong(`${key} ${part ? "is covered and has" : "is not covered and has no"} part`);
    }
  }

  async #batch(onChange: OnChange, store: StageStore, turn: Turn, forceUnlock = false): Promise<PartitionEnd> {
    await turn("lists the raw objects");
    const raw = Object.fromEntries(this.#raw);
    const { etagsOfContent } = this.stage; // as on S3, where a listing tells them too
    const work = workOf({ raw, stream: "", onChange, forceUnlock }, store, raw);
    const objects = work.objects.map((object) => (etagsOfContent ? object : { key: object.key, size: object.size }));
    const live: PartitionWork = {
      ...work,
      objects,
      listsAll: true,
      source: this.#source(turn),
      originOf: async (key) => {
        const found = await store.read(key);
        return found && readPart(found.bytes).origin;
      },
      derive: async (inputs, writer) => {
        const books: ObjectBooks[] = [];
        for (const input of inputs) books.push(await this.#read(input, turn, writer));
        return books;
      },
    };
    const end = await runPartition(live, emptyBooks());
    for (const key of end.late) this.#told.add(key);
    return end;
  }

  #event(key: string, store: StageStore, turn: Turn): Promise<EventEnd> {
    const { forgetful } = this.day;
    let put = false;
    const work: EventWork = {
      store: {
        ...store,
        read: async (name) => (forgetful && put && name.endsWith("_SUCCESS") ? undefined : store.read(name)),
        create: async (name) => {
          const upload = await store.create(name);
          return Object.assign(Object.create(upload), {
            commit: async (expected?: Expected) => {
              const etag = await upload.commit(expected);
              put = true;
              return etag;
            },
          });
        },
      },
      source: this.#source(turn),
      bucket: "b",
      key,
      rawUrl: key,
      prefix: PREFIX,
      name: eventName("b", key, "zstd"),
      maxErrors: { count: 0, fraction: 0 },
      signal: new AbortController().signal,
      batch: "",
      format: eventFormat,
      derive: (object, part) => this.#read(object, turn, part),
    };
    return runEvent(work, emptyBooks());
  }

  #source(turn: Turn): PartitionWork["source"] {
    const listed = (key: string) => {
      const content = this.#raw.get(key);
      return content === undefined ? undefined : { key, size: content.length };
    };
    const etag = (key: string) => etagOf(this.#raw.get(key) ?? missing(key));
    return {
      head: async (key) => {
        await turn(`asks for ${key}`);
        const found = listed(key);
        return found && (this.stage.etagsOfContent ? { ...found, etag: etag(key) } : found);
      },
      etag: async (object) => {
        if (object.etag !== undefined) return object.etag;
        await turn(`hashes ${object.key}`);
        return etag(object.key);
      },
    };
  }

  /** Makes rows of an object as it is at one moment; of no other version than the one asked for, where the store can tell. */
  async #read(
    { key, size, etag }: { readonly key: string; readonly size: number; readonly etag?: string },
    turn: Turn,
    writer: { add(rows: ReturnType<typeof group>): Promise<void> },
  ): Promise<ObjectBooks> {
    await turn(`reads ${key}`);
    const content = this.#raw.get(key) ?? missing(key);
    const changed =
      content.length !== size || (this.stage.etagsOfContent && etag !== undefined && etag !== etagOf(content));
    if (changed) throw new InputError(`Cannot read ${key}: it changed`);
    if (content !== "") await writer.add(group(content));
    return { ...emptyBooks(), key, size, etag: etagOf(content), objects: 1, written: content.length };
  }
}

function missing(key: string): never {
  throw new InputError(`Cannot read ${key}: it does not exist`);
}

/** As workOf's. */
function etagOf(content: string): string {
  return Bun.hash(content).toString(16);
}

/** Event parts of text begin with their origin. */
function eventFormat(origin: Origin): ReturnType<EventWork["format"]> {
  const entries = JSON.stringify(originKeyValues(origin));
  return {
    ...FORMAT,
    newAssembler() {
      const inner = FORMAT.newAssembler();
      return {
        ...inner,
        header: () => Buffer.concat([Buffer.from(entries), inner.header()]),
        get size() {
          return inner.size;
        },
        get rows() {
          return inner.rows;
        },
      };
    },
    async check(file) {
      const { rows } = readPart(new Uint8Array(await file.slice(0)));
      return { rows: rows.length };
    },
  };
}

function readPart(bytes: Uint8Array): { origin: Origin | undefined; rows: string } {
  const [, entries = "", rows = ""] = /^(.*)<(.*)>\d+$/.exec(textOf(bytes)) ?? [];
  return { origin: entries === "" ? undefined : originIn(JSON.parse(entries)), rows };
}
