// The quarantine: what of the raw data became no row through a fault is kept, byte for byte, with an index that tells where it
// was. Messages that failed go to a valid .heka file, input for another run once the stream is mended. Frames without a
// message have one of their own, or they would use up that run's error budget; so have bytes that are no frame, for wrapped
// in a frame they would be a message to every stream.

import { FormatError, InputError, InterruptedError, StreamError } from "../errors.ts";
import { inflate } from "../heka/inflate.ts";
import type { Fault, ObjectBooks } from "../pipeline/books.ts";
import { FaultyInput } from "../pipeline/deriving.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Sink, Source, Upload } from "../storage/ports.ts";
import { encodeFault, KeptFaults } from "./kept-faults.ts";
import type { InputFacts } from "./manifest.ts";
import { inputsOf, type RawObject, type Task } from "./plan.ts";

/** Where the quarantine of one partition goes. */
export interface Quarantine {
  readonly sink: Pick<Sink, "create" | "head" | "remove" | "urlOf">;
  readonly source: Pick<Source, "open" | "urlOf">;
  /** The partition's folder below the sink. */
  readonly prefix: string;
  /** As the index names it. */
  readonly stream: string;
  readonly signal: AbortSignal;
  /** What the files are called, without their endings; an ETag is "" where the object was not read to its end. */
  name(inputs: readonly InputFacts[]): string;
  /** Gets the URL of each index that was written. */
  written(url: string): void;
}

/** Gets faults while objects are derived. */
export interface FaultSink {
  faults?(task: number, lines: Uint8Array): void;
  /** A task begins anew: what came of it does not count. */
  anew?(task: number): void;
  /** The first task in the order of the plan that fails. */
  failed?(task: number, error: unknown): void;
}

/**
 * Derives by `derive`, and keeps the faults also where that fails: over the budget and under --strict they are wanted most.
 * All of it is there before a part is.
 */
export async function keepingFaults(
  tasks: readonly Task[],
  quarantine: Quarantine,
  derive: (sink: FaultSink) => Promise<ObjectBooks[]>,
): Promise<ObjectBooks[]> {
  const kept = new KeptFaults();
  const sink: FaultSink = {
    faults: (task, lines) => kept.add(task, lines),
    anew: (task) => kept.drop(task),
    failed: (task, error) => {
      kept.endAfter(task);
      // The message that a stream did not come to an end with is the one to look at.
      if (error instanceof StreamError && error.at) kept.add(task, encodeFault(lastOf(error.at)));
    },
  };
  try {
    let read: readonly ObjectBooks[] = [];
    let failure: { readonly error: unknown } | undefined;
    const objects = await derive(sink).catch((error) => {
      failure = { error };
      return [];
    });
    read = failure?.error instanceof FaultyInput ? failure.error.books : objects;
    if (!(failure?.error instanceof InterruptedError)) {
      await new Writing(tasks, quarantine, read).write(kept).catch((error) => {
        if (!failure) throw error;
      });
    }
    if (failure) throw failure.error;
    return objects;
  } finally {
    kept.close();
  }
}

function lastOf(at: NonNullable<StreamError["at"]>): Fault {
  return { ...at, kind: "failed", cause: "the stream did not come to an end" };
}

/** One of the files, made when something is to be in it. */
interface File {
  readonly name: string;
  upload?: Upload;
}

const INDEX_BYTES = 64 * 1024;

const ENDINGS = {
  failed: ".heka",
  undecodable: ".undecodable.heka",
  damaged: ".damaged.bin",
  index: ".jsonl",
} as const;

class Writing {
  readonly #etags: ReadonlyMap<string, string>;
  readonly #files: Readonly<Record<keyof typeof ENDINGS, File>>;
  #lines = "";

  constructor(
    private readonly tasks: readonly Task[],
    private readonly quarantine: Quarantine,
    read: readonly ObjectBooks[],
  ) {
    this.#etags = new Map(read.map(({ key, etag }) => [key, etag]));
    const facts = inputsOf(tasks).map((input) => ({ key: input.key, size: input.size, etag: this.#etagOf(input) }));
    const name = quarantine.name(facts);
    const file = (kind: keyof typeof ENDINGS): File => ({ name: name + ENDINGS[kind] });
    this.#files = {
      failed: file("failed"),
      undecodable: file("undecodable"),
      damaged: file("damaged"),
      index: file("index"),
    };
  }

  /** Without faults nothing is written. The index comes last: where it is, the other files are. */
  async write(kept: KeptFaults): Promise<void> {
    const { index } = this.#files;
    const files = Object.values(this.#files);
    try {
      const faults = kept.read()[Symbol.iterator]();
      let next = faults.next();
      while (!next.done) {
        const { task, fault } = next.value;
        const input = this.tasks.find(({ index }) => index === task)!.inputs[fault.input]!;
        // The faults of one object follow one another: it is read once for all of them.
        const ofObject = (): Fault | undefined => {
          const isOfObject = !next.done && next.value.task === task && next.value.fault.input === fault.input;
          return isOfObject ? next.value.fault : undefined;
        };
        await this.#copy(input, ofObject, () => {
          next = faults.next();
        });
      }
      if (this.#lines === "" && index.upload === undefined) return;
      await this.#flush();
      for (const { name, upload } of files) {
        if (upload) await upload.commit();
        else await this.#removeOld(name);
      }
      this.quarantine.written(this.quarantine.sink.urlOf(this.#keyOf(index.name)));
    } finally {
      for (const { upload } of files) await upload?.abort();
    }
  }

  #etagOf({ key, etag }: RawObject): string {
    return this.#etags.get(key) || etag || "";
  }

  #keyOf(name: string): string {
    return folderPrefix(this.quarantine.prefix) + name;
  }

  /** From a run before, with the same name: that of a run which did not read all objects depends on their sizes alone. */
  async #removeOld(name: string): Promise<void> {
    const { sink } = this.quarantine;
    if (await sink.head(this.#keyOf(name))) await sink.remove(this.#keyOf(name));
  }

  /** Reads an object once more, and copies the ranges of its faults. */
  async #copy(input: RawObject, current: () => Fault | undefined, step: () => void): Promise<void> {
    const { source, signal } = this.quarantine;
    const reader = source.open(input.key, input.etag);
    let at = 0;
    let copied = 0; // of the current fault
    try {
      for await (const chunk of inflate(reader)) {
        if (signal.aborted) throw new InterruptedError("Cannot finish: the run was interrupted. Run the command again");
        for (let fault = current(); fault && fault.offset < at + chunk.length; fault = current()) {
          const start = fault.offset + copied - at;
          const piece = chunk.subarray(start, Math.min(chunk.length, start + fault.bytes - copied));
          if (copied === 0) await this.#enter(input, fault);
          await (await this.#open(this.#files[fault.kind])).write(piece);
          copied += piece.length;
          if (copied < fault.bytes) break;
          copied = 0;
          step();
        }
        at += chunk.length;
        // A listing's ETag has made sure of the version; else all of it has to be read again to know.
        if (input.etag !== undefined && current() === undefined) return;
      }
    } catch (error) {
      if (!(error instanceof FormatError) || current() !== undefined) throw error; // derive has told of it
      return;
    }
    const etag = this.#etags.get(input.key);
    if (current() === undefined && (!etag || reader.etag() === etag)) return;
    throw new InputError(
      `Cannot quarantine parts of ${source.urlOf(input.key)}: it changed while it was read. Run the command again`,
    );
  }

  async #open(file: File): Promise<Upload> {
    file.upload ??= await this.quarantine.sink.create(this.#keyOf(file.name));
    return file.upload;
  }

  /** A line of the index, before the bytes that it tells of. */
  async #enter(input: RawObject, fault: Fault): Promise<void> {
    const { source, stream } = this.quarantine;
    const file = this.#files[fault.kind];
    const { offset, bytes: length, kind, cause, path } = fault;
    const at = file.upload?.byteLength ?? 0;
    const line = { object: source.urlOf(input.key), offset, length, kind, cause, path, stream, file: file.name, at };
    this.#lines += `${JSON.stringify(line)}\n`;
    if (this.#lines.length >= INDEX_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    await (await this.#open(this.#files.index)).write(new TextEncoder().encode(this.#lines));
    this.#lines = "";
  }
}
