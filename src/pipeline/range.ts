// A part of a huge raw object, for a worker of its own. The object is cut at sizes, its ranges at frames: a range is what lies from
// the first frame at or behind one cut to the first at or behind the next. Where that is only the ranges before can tell, so a
// worker begins at a guess, and whoever joins the ranges takes it if the range before ends there (jobs/ranges.ts).
import { Framer, type Span } from "../heka/frames.ts";
import { isCompressed } from "../heka/inflate.ts";
import { messageCheck } from "../heka/message.ts";
import type { BatchFacts } from "../kernel/batch.ts";
import type { Ranges, Source } from "../storage/ports.ts";
import type { ObjectBooks } from "./books.ts";
import { Deriving } from "./deriving.ts";
import type { Choice, Decoded } from "./records.ts";
import { type Found, kernelScan, plainScan } from "./scan.ts";
import { runTasks, type TaskRun, withWorks } from "./task.ts";

/** Offsets in the stored object: a cut, the next one, and where the first frame lies if that is known. */
export interface RangeSpec {
  readonly start: number;
  readonly end: number;
  readonly from?: number;
}

/** Where the range began and where the next one begins; absent where no frame was found, or the object has ended. */
export interface RangeEnds {
  readonly from?: number;
  readonly until?: number;
}

export interface RangeRun {
  /** Of each run what belongs to the range; none where nothing was read. Their ETags are "". */
  readonly objects: ObjectBooks[][];
  readonly ends: RangeEnds;
}

/**
 * Runs tasks that have the same range of the same object. A compressed object has no ranges: the first one is all of it.
 * @throws as runTasks
 */
export async function runRange(runs: readonly TaskRun[], range: RangeSpec, source: Source): Promise<RangeRun> {
  const { spec } = runs[0]!;
  const { key } = spec.inputs[0]!;
  const ranges = source.ranges!;
  const nothing = { objects: runs.map(() => []), ends: {} };
  if (range.from === undefined && isCompressed(await firstBytes(ranges, key))) {
    return range.start > 0 ? nothing : { objects: await runTasks(runs, source), ends: { from: 0 } };
  }
  const beat = (): void => runs[0]!.events.progress(0, 0, 0);
  const from = range.start === 0 ? 0 : (range.from ?? (await firstFrame(ranges, key, range, beat)));
  if (from === undefined) return nothing;
  let until: number | undefined;
  const objects = await withWorks(runs, async (works, batches) => {
    const { end } = range;
    const deriving = works.map((work) => new Deriving(source.urlOf(key), work.spec.inputs[0]!, { ...work, index: 0 }));
    for (const { books } of deriving) books.objects = range.start === 0 ? 1 : 0;
    const read = { until: from };
    const founds = deriving.map((one) => new FoundUpTo(end, one, read));
    const scan = batches === undefined ? plainScan(founds, from) : kernelScan(founds, batches, from);
    const tell = (to: number): void => {
      for (const one of deriving) one.tell({ storedBytes: to - from, bytes: to - from });
    };
    for await (const chunk of ranges.open(key, from, scan.lend)) {
      read.until += chunk.length;
      scan.push(chunk);
      until = founds[0]!.beyond;
      if (until !== undefined) break;
      tell(Math.min(read.until, end));
    }
    if (until === undefined) {
      scan.end();
      until = founds[0]!.beyond;
    }
    tell(until ?? read.until);
  });
  return { objects, ends: { from, until } };
}

async function firstBytes(ranges: Ranges, key: string): Promise<Uint8Array> {
  const first = new Uint8Array(4);
  let length = 0;
  for await (const chunk of ranges.open(key, 0)) {
    const piece = chunk.subarray(0, first.length - length);
    first.set(piece, length);
    length += piece.length;
    if (length === first.length) break;
  }
  return first.subarray(0, length);
}

/** Where the first frame seems to lie between the cuts: a search from a damaged place, which may find one in a field. */
async function firstFrame(
  ranges: Ranges,
  key: string,
  { start, end }: RangeSpec,
  beat: () => void,
): Promise<number | undefined> {
  const framer = new Framer(messageCheck());
  framer.takeOver(start);
  let at = start;
  for await (const chunk of ranges.open(key, start)) {
    beat();
    at += chunk.length;
    framer.push(chunk);
    for (let span = framer.next(); span !== undefined; span = framer.next()) {
      if (span.kind === "frame") return span.offset < end ? span.offset : undefined;
    }
    if (at >= end + FARTHEST) return undefined;
  }
  framer.end();
  for (let span = framer.next(); span !== undefined; span = framer.next()) {
    if (span.kind === "frame") return span.offset < end ? span.offset : undefined;
  }
  return undefined;
}

/** A frame before the cut may take so many bytes behind it to be one: as many as the largest. */
const FARTHEST = 64 << 20;

/** Tells of everything before the first frame at or behind `end`, of no frame from there on. */
class FoundUpTo implements Found {
  /** Where that frame lies. */
  beyond: number | undefined;

  /** @param read how far the bytes go that were pushed */
  constructor(
    private readonly end: number,
    private readonly found: Deriving,
    private readonly read: { readonly until: number },
  ) {}

  span(span: Span): void {
    if (!this.#isBeyond(span.kind === "frame", span.offset)) this.found.span(span);
  }

  message(message: Decoded, frame: Parameters<Found["message"]>[1], choice?: Choice): void {
    if (!this.#isBeyond(true, frame.offset)) this.found.message(message, frame, choice);
  }

  choose(message: Decoded, frame: { readonly offset: number; readonly length: number }): Choice | undefined {
    return frame.offset < this.end ? this.found.choose(message, frame) : undefined;
  }

  batch(facts: BatchFacts): boolean {
    if (this.beyond !== undefined) return true;
    return this.read.until <= this.end && this.found.batch(facts);
  }

  endBatch(): void {
    this.found.endBatch();
  }

  #isBeyond(isFrame: boolean, offset: number): boolean {
    if (isFrame && offset >= this.end) this.beyond ??= offset;
    return this.beyond !== undefined;
  }
}
