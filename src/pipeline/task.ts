// One task, one direction: objects are read, their messages become rows, and row groups come out, with the books.
import { FormatError, InputError, InternalError } from "../errors.ts";
import { inflate, isCompressed } from "../heka/inflate.ts";
import { MessageDecoder } from "../heka/message.ts";
import { BatchReader } from "../kernel/batch.ts";
import { dropKernel, sharedKernel } from "../kernel/instance.ts";
import type { Codec, EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { Lend, ObjectReader, Place, Source } from "../storage/ports.ts";
import { checkBalance, type Fault, type ObjectBooks } from "./books.ts";
import { FoundWithCuts } from "./cuts.ts";
import { Deriving, FaultyInput, isEnough, type ObjectWork, type Work } from "./deriving.ts";
import { type Input, readersAhead, wantedInputs } from "./inputs.ts";
import type { LoadedStream, StreamRef } from "./load.ts";
import type { RangeSpec } from "./range.ts";
import { RecordWriter } from "./records.ts";
import { kernelScan, plainScan } from "./scan.ts";

/** Plain data: what to read, which stream makes rows of it, how they are written. Goes to a worker thread as it is. */
export interface TaskSpec {
  readonly stream: StreamRef;
  /** The place the inputs' keys are relative to. */
  readonly place: Place | string;
  readonly inputs: readonly Input[];
  readonly codec: Codec;
  /** The first fault ends the task. */
  readonly strict: boolean;
  /** The input is read in part, by one of several workers. */
  readonly range?: RangeSpec;
  /** All faults are wanted, not only the places that books have room for. */
  readonly keepFaults?: boolean;
  /** Stop once so many rows were written and so many messages seen: for a first look at a stream. */
  readonly enough?: { readonly rows: number; readonly messages: number };
}

export interface TaskEvents {
  rowGroup(group: EncodedRowGroup): void;
  /** Called before the stream gets a message: the number of its object among the inputs, and its frame's range. */
  message(input: number, offset: number, length: number): void;
  /** Called for each fault, in the order of the inputs' bytes: unlike the books it gets all of them. */
  fault?(fault: Fault): void;
  /** Called after each chunk with what came since the last call. */
  progress(storedBytes: number, messages: number, rows: number): void;
}

/** A task, its stream ready to run, and who is told. */
export interface TaskRun {
  readonly spec: TaskSpec;
  readonly stream: LoadedStream;
  readonly events: TaskEvents;
}

/**
 * Runs a task to its end.
 * @throws {InputError} where an input cannot be read
 * @throws {FaultyInput} where its compression is broken, and at the first fault, if strict: then messages are decoded whole
 */
export async function runTask(
  spec: TaskSpec,
  source: Source,
  stream: LoadedStream,
  events: TaskEvents,
): Promise<ObjectBooks[]> {
  const [objects] = await runTasks([{ spec, stream, events }], source);
  return objects!;
}

/**
 * Runs tasks of several streams over one place: an object that several of them want is read once. Each has the rows, row groups
 * and books that it has alone. Where one fails all do: neither `strict` nor `enough` is for several.
 * `cuts`: where row groups end besides, offsets in the one object that there is.
 * @throws as runTask
 */
export async function runTasks(
  runs: readonly TaskRun[],
  source: Source,
  cuts?: readonly number[],
): Promise<ObjectBooks[][]> {
  const inputs = wantedInputs(runs.map(({ spec }) => spec.inputs));
  const readers = readersAhead(
    source,
    inputs.map(({ input }) => input),
  );
  return withWorks(runs, async (all, batches) => {
    for (const [index, { input, wanted }] of inputs.entries()) {
      const reader = readers.reader(index);
      await deriveObject(
        source,
        input,
        reader,
        batches,
        wanted.map(({ run, index }) => ({ ...all[run]!, index })),
        cuts,
      );
      if (isEnough(all[0]!)) break;
      if (reader.prefetch !== undefined) collectBehind(input.size);
    }
  });
}

/** What `derive` makes of the inputs becomes row groups; gives the books of each run. */
export async function withWorks(
  runs: readonly TaskRun[],
  derive: (works: readonly Work[], batches: BatchReader | undefined) => Promise<void>,
): Promise<ObjectBooks[][]> {
  const batches = await batchReader(runs[0]!.spec);
  const decoder = new MessageDecoder();
  const all = runs.map(({ spec, stream, events }): Work => {
    const writer = new RecordWriter(stream, spec.codec, events.rowGroup, batches);
    const how = spec.strict ? "whole" : "lazily";
    return { spec, writer, decoder, how, events, total: { rows: 0, messages: 0 }, objects: [] };
  });
  try {
    await derive(all, batches);
    for (const { writer } of all) writer.flush();
    for (const { writer } of all) writer.close();
    batches?.close();
  } catch (error) {
    // Its memory may be in any state: this thread begins again with another.
    dropKernel();
    throw error;
  }
  return all.map(({ objects }) => objects);
}

/**
 * What objects from S3 leave behind (windows, buffers of requests) is little to the collector and much to the system: with the kernel
 * it has no cause to run. A thousand objects of 0.4 MB from S3 with one worker: peak 210 MB without this, 170 with it.
 */
const COLLECT_BYTES = 32 << 20;
let uncollected = 0;

function collectBehind(bytes: number): void {
  uncollected += bytes;
  if (uncollected < COLLECT_BYTES) return;
  uncollected = 0;
  Bun.gc(true);
}

/** The kernel, where there is one. A first look at a stream goes without: it stops between chunks. */
export async function batchReader({
  enough,
  strict,
}: Pick<TaskSpec, "enough" | "strict">): Promise<BatchReader | undefined> {
  if (process.env.DERIVE_KERNEL === "off" || enough !== undefined) return undefined;
  const kernel = await sharedKernel();
  return kernel && new BatchReader(kernel, strict ? "whole" : "lazily");
}

/** One object for all streams that want it. */
async function deriveObject(
  source: Source,
  input: Input,
  reader: ObjectReader,
  batches: BatchReader | undefined,
  works: readonly ObjectWork[],
  cuts: readonly number[] | undefined,
): Promise<void> {
  const url = source.urlOf(input.key);
  const read = { storedBytes: 0, bytes: 0 };
  const deriving = works.map((work) => new Deriving(url, input, work));
  const founds = cuts === undefined ? deriving : deriving.map((one) => new FoundWithCuts(cuts, one, read));
  const scan = batches === undefined ? plainScan(founds) : kernelScan(founds, batches);

  // Everything between two chunks is synchronous.
  const tell = (): void => {
    for (const one of deriving) one.tell(read);
  };
  try {
    for await (const chunk of inflate(stored(reader, read, scan.lend))) {
      // Lent memory that has grown since, by a mistake of ours: its bytes would be missing.
      if ((chunk.buffer as ArrayBuffer).detached) throw new InternalError(`Cannot read ${url}: a chunk is gone`);
      read.bytes += chunk.byteLength;
      scan.push(chunk);
      tell();
      if (isEnough(works[0]!)) return;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FaultyInput(
      `Cannot decompress ${url} at offset ${error.offset}: ${error.message}. Upload or download it again`,
      works[0]!.objects.slice(0, -1),
    );
  }
  scan.end();
  tell();
  if (read.storedBytes !== input.size) {
    throw new InputError(
      `Cannot use ${url}: ${input.size} bytes were listed and ${read.storedBytes} read, it changed meanwhile. Run the command again`,
    );
  }
  for (const { books } of deriving) {
    books.etag = reader.etag();
    checkBalance(url, books);
  }
}

/** The chunks of an object as stored, counted; from the second one on in memory of `lend`, if they need no decompression. */
async function* stored(
  reader: ObjectReader,
  read: { storedBytes: number },
  lend: Lend | undefined,
): AsyncIterable<Uint8Array> {
  for await (const chunk of reader) {
    const isFirst = read.storedBytes === 0;
    if (isFirst && lend !== undefined && chunk.length >= 4 && !isCompressed(chunk)) reader.readInto?.(lend);
    read.storedBytes += chunk.byteLength;
    yield chunk;
  }
}
