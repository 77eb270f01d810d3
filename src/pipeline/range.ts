// A part of a huge raw object, for a worker of its own. The object is cut at sizes, its ranges at frames: a range is what lies from
// the first frame at or behind one cut to the first at or behind the next. Where that is only the ranges before can tell, so a
// worker begins at a guess, and whoever joins the ranges takes it if the range before ends there (jobs/ranges.ts).
import { Framer } from "../heka/frames.ts";
import { isCompressed } from "../heka/inflate.ts";
import { messageCheck } from "../heka/message.ts";
import type { Listed, Ranges, Share, Source } from "../storage/ports.ts";
import type { ObjectBooks } from "./books.ts";
import { FoundUpTo } from "./cuts.ts";
import { Deriving } from "./deriving.ts";
import { kernelScan, plainScan } from "./scan.ts";
import { runTasks, type TaskRun, withWorks } from "./task.ts";

/** Offsets in the stored object: a cut, the next one, and where the first frame lies if that is known. */
export interface RangeSpec {
  readonly start: number;
  readonly end: number;
  readonly from?: number;
  /** The sum that the range gives its share of, where the object is checked against one. */
  readonly sum?: string;
  /** Ends of ranges that are all read in one go: row groups end there, as they would if each were read for itself. */
  readonly cuts?: readonly number[];
}

/** Where the range began and where the next one begins; absent where no frame was found, or the object has ended. */
export interface RangeEnds {
  readonly from?: number;
  readonly until?: number;
  /** Of the bytes between them. */
  readonly share?: Share;
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
  const input = spec.inputs[0]!;
  const { ranges } = source;
  const nothing = { objects: runs.map(() => []), ends: {} };
  if (range.from === undefined && isCompressed(await firstBytes(ranges, input))) {
    return range.start > 0 ? nothing : { objects: await runTasks(runs, source), ends: { from: 0 } };
  }
  if (range.cuts !== undefined) return { objects: await runTasks(runs, source, range.cuts), ends: { from: 0 } };
  const beat = (): void => runs[0]!.events.progress(0, 0, 0);
  const from = range.start === 0 ? 0 : (range.from ?? (await firstFrame(ranges, input, range, beat)));
  if (from === undefined) return nothing;
  let until: number | undefined;
  let share: Share | undefined;
  const objects = await withWorks(runs, async (works, batches) => {
    const { end } = range;
    const deriving = works.map(
      (work) => new Deriving(source.urlOf(input.key), work.spec.inputs[0]!, { ...work, index: 0 }),
    );
    for (const { books } of deriving) books.objects = range.start === 0 ? 1 : 0;
    const read = { until: from };
    const founds = deriving.map((one) => new FoundUpTo(end, one, read));
    const scan = batches === undefined ? plainScan(founds, from) : kernelScan(founds, batches, from);
    const tell = (to: number): void => {
      for (const one of deriving) one.tell({ storedBytes: to - from, bytes: to - from });
    };
    const reader = ranges.open(input, from, { until: end + AHEAD, lend: scan.lend, sum: range.sum });
    for await (const chunk of reader) {
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
    share = await reader.share?.(until ?? read.until);
  });
  return { objects, ends: { from, until, share } };
}

async function firstBytes(ranges: Ranges, input: Listed): Promise<Uint8Array> {
  const first = new Uint8Array(4);
  let length = 0;
  for await (const chunk of ranges.open(input, 0, { until: first.length })) {
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
  input: Listed,
  { start, end }: RangeSpec,
  beat: () => void,
): Promise<number | undefined> {
  const framer = new Framer(messageCheck());
  framer.takeOver(start);
  let at = start;
  for await (const chunk of ranges.open(input, start, { until: start + AHEAD })) {
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

/** Within so many bytes behind a cut the next frame most likely lies, whole. */
const AHEAD = 1 << 20;

/** A frame before the cut may take so many bytes behind it to be one: as many as the largest. */
const FARTHEST = 64 << 20;
