// `derive verify`: whether what was committed is still there, byte for byte.
import { OutputError, UsageError } from "../errors.ts";
import { describeStream, resolveStream } from "../jobs/streams.ts";
import { type RawPlaceOf, type VerifiedPartition, verifyFile, verifyPlace } from "../jobs/verify.ts";
import { emptyAccount, RAW_COUNTS, type RawAccount } from "../jobs/verify-raw.ts";
import { openSource, splitPlace } from "../storage/place.ts";
import type { Place, Source } from "../storage/ports.ts";
import { command } from "./command.ts";
import { resolveSettings, type Settings } from "./config.ts";
import { findDataset } from "./dataset.ts";
import { EXIT } from "./exit.ts";
import type { Output } from "./output.ts";
import { placeOf } from "./places.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { visible } from "./table.ts";
import { bytesText, countText, plural } from "./units.ts";
import { text } from "./values.ts";

export default command({
  description:
    "Finds every _SUCCESS at and below a place and holds it against what is there: each part's size, CRC-32, SHA-256, " +
    "footer, row count and page checksums; the rows of inputs against those of parts; the books. Parts that no _SUCCESS " +
    "lists and folders with parts but without _SUCCESS are found, too. Event parts, which no _SUCCESS lists, are " +
    "checked by themselves.\n\n" +
    "A single .parquet file is checked for what it says of itself: footer, row counts, page checksums. Nothing is changed.\n\n" +
    "With --raw the raw objects that each _SUCCESS names are read again: bytes listed are bytes read, each of them is in a " +
    "frame, damaged or blank, in all as many as the books say, and the rows that were written are those in the footers.",
  positionals: {
    place: { description: "An output, one of its folders, or a .parquet file" },
  },
  flags: {
    raw: { description: "Read the raw objects as well, and account for every byte" },
    ...settingFlags("input", "metadata", ...S3_SETTINGS),
    html: {
      kind: text,
      value: "FILE",
      description: "Also write a page for people: what was read, written, left out and damaged, with charts",
    },
    json: { description: "One JSON object: exit, and each partition with its problems" },
  },
  examples: [
    { does: "everything derived", run: "derive verify derived" },
    { does: "one day", run: "derive verify derived/example_stream/v1/submission_date_s3=20151028 -v" },
    { does: "is every raw byte accounted for?", run: "derive verify derived --raw --input raw" },
    { does: "a page to look at, and to mail", run: "derive verify derived --html report.html" },
    { does: "what differs, for a program", run: "derive verify derived --json | jq '.partitions[].problems[]'" },
  ],
  exitCodes: {
    [EXIT.input]: "there is nothing derived at that place, or it cannot be listed",
    [EXIT.verify]: "something differs, is missing, surplus or incomplete",
  },
  async run({ args, flags, output, signal }) {
    const settings = resolveSettings(flags);
    const rawPlaces = flags.raw ? rawPlacesBy(settings) : undefined;
    const partitions: VerifiedPartition[] = [];
    const progress = startTelling(partitions, output);
    try {
      for await (const partition of verified(placeOf(settings, "output", args.place), signal, rawPlaces)) {
        logPartition(partition, output);
        partitions.push(partition);
        progress.tell();
      }
    } finally {
      progress.stop();
    }
    const exit = partitions.every(({ state }) => state === "ok") ? EXIT.done : EXIT.verify;
    logSummary(partitions, output);
    partitions.sort(byUrl);
    const raw = flags.raw ? accountOf(partitions) : undefined;
    const events = partitions.reduce((sum, one) => sum + one.events.length, 0);
    if (raw) logAccount(raw, events, output);
    if (flags.json) {
      const shown = partitions.map(({ layout: _, ...partition }) => partition);
      await output.write(`${JSON.stringify({ exit, raw, partitions: shown })}\n`);
    }
    if (flags.html !== undefined) await writePage(flags.html, args.place, partitions);
    return exit;
  },
});

async function* verified(
  written: Place,
  signal: AbortSignal,
  rawPlaces: RawPlaceOf | undefined,
): AsyncGenerator<VerifiedPartition> {
  if (written.url.endsWith(".parquet")) {
    const { place, key } = splitPlace(written);
    const folder = openSource(place);
    if ((await folder.head(key)) !== undefined) return yield await verifyFile(folder, key, signal);
  }
  yield* verifyPlace(openSource(written), signal, rawPlaces);
}

/** The raw place of each stream: `--input`, or the bucket of the dataset that the stream reads. */
function rawPlacesBy(settings: Settings): RawPlaceOf {
  const places = new Map<string, Promise<Source>>();
  const find = async (stream: string): Promise<Source> => {
    if (settings.input !== undefined) return openSource(placeOf(settings, "input", settings.input));
    try {
      const { streamName } = await describeStream(resolveStream(stream));
      return openSource((await findDataset(settings, streamName)).place);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${error.message}. Or name the place of the raw objects with --input`);
    }
  };
  return ({ stream }) => {
    const place = places.get(stream) ?? find(stream);
    places.set(stream, place);
    return place;
  };
}

/** All raw objects together, and the rows in the footers of the parts that they became. */
interface Account extends RawAccount {
  rowsInFooters: number;
  accounted: boolean;
}

function accountOf(partitions: readonly VerifiedPartition[]): Account {
  const sum: Account = { ...emptyAccount(), rowsInFooters: 0, accounted: true };
  for (const { raw, rows, state } of partitions) {
    if (state !== "ok") sum.accounted = false;
    if (raw === undefined) continue;
    for (const name of RAW_COUNTS) sum[name] += raw.account[name];
    sum.rowsInFooters += rows;
  }
  return sum;
}

function logAccount(sum: Account, events: number, { log }: Output): void {
  const bytes = (number: number) => plural(number, "byte");
  const line = [
    `raw: ${plural(sum.objects, "object")}, ${bytes(sum.listed)} listed, ${bytes(sum.read)} read`,
    `${bytes(sum.bytes)} of content: ${countText(sum.bytesInFrames)} in ${plural(sum.frames, "frame")}, ${countText(sum.bytesDamaged)} damaged, ${countText(sum.bytesBlank)} blank`,
    `${plural(sum.rowsWritten, "row")} written, ${countText(sum.rowsInFooters)} in the footers`,
  ].join(" · ");
  const besides = events > 0 ? `, besides ${plural(events, "event part")}, which keep no books` : "";
  if (sum.accounted) log.success(`${line}: every byte is accounted for${besides}`);
  else log.error(`${line}: not every byte is accounted for, see above`);
}

function byUrl(a: VerifiedPartition, b: VerifiedPartition): number {
  return a.url < b.url ? -1 : 1;
}

function logPartition({ url, state, problems, claimed, ...counts }: VerifiedPartition, output: Output): void {
  const { log } = output;
  const { parts, rows, bytes, events, strangers, strangerCount } = counts;
  const more = events.length > 0 ? `, ${plural(events.length, "event part")}` : "";
  log.debug(
    `${state.padEnd(10)}  ${plural(parts, "part")}, ${plural(rows, "row")}, ${bytesText(bytes)}${more}  ${url}`,
  );
  // Keys and what a manifest says may hold anything: they must not command the terminal.
  for (const problem of problems) log.error(visible(`${problem.url}: ${problem.cause}`));
  if (claimed)
    log.warn(`${url}: a run on it is not finished: it is under way, or was killed. Running it again finishes it`);
  const later = counts.raw?.later ?? [];
  if (later.length > 0) {
    log.warn(
      `${url}: ${plural(later.length, "raw object")} beside those that it was made from, such as ${visible(later[0]!)}: ` +
        "they came later, or were not asked for. Running batch again tells",
    );
  }
  if (strangerCount > 0) {
    log.warn(`${url}: ${plural(strangerCount, "object")} that derive did not write, such as ${visible(strangers[0]!)}`);
  }
}

function logSummary(partitions: readonly VerifiedPartition[], { log }: Output): void {
  const sum = (of: (partition: VerifiedPartition) => number) => partitions.reduce((total, one) => total + of(one), 0);
  const inState = (wanted: VerifiedPartition["state"]) => sum(({ state }) => (state === wanted ? 1 : 0));
  const size = [
    plural(partitions.length, "partition"),
    plural(
      sum(({ parts }) => parts),
      "part",
    ),
    plural(
      sum(({ rows }) => rows),
      "row",
    ),
    bytesText(sum(({ bytes }) => bytes)),
  ].join(", ");
  const events = sum((partition) => partition.events.length);
  const notCovered = events > 0 ? `; ${plural(events, "event part")} that no _SUCCESS covers` : "";
  const problems = sum((partition) => partition.problems.length);
  if (problems === 0) log.success(`${size}: all sound${notCovered}`);
  else
    log.info(
      `${size}: ${inState("ok")} ok, ${inState("differs")} differ, ${inState("incomplete")} incomplete; ` +
        `${plural(problems, "problem")}${notCovered}`,
    );
}

const HEARTBEAT_MS = 30_000;

/** How far it is: how much there will be is not known before the end. */
function startTelling(partitions: readonly VerifiedPartition[], output: Output) {
  const line = () => {
    const bytes = partitions.reduce((total, partition) => total + partition.bytes, 0);
    return `${plural(partitions.length, "partition")}, ${bytesText(bytes)} verified`;
  };
  const timer = setInterval(() => output.isTerminal || output.log.info(line()), HEARTBEAT_MS);
  timer.unref();
  return {
    tell: () => output.status(line()),
    stop() {
      clearInterval(timer);
      output.status("");
    },
  };
}

async function writePage(path: string, place: string, partitions: readonly VerifiedPartition[]): Promise<void> {
  const { verifyPage } = await import("./verify-page.ts");
  try {
    await Bun.write(path, verifyPage(place, partitions));
  } catch (error) {
    throw new OutputError(`Cannot write ${path}: ${(error as NodeJS.ErrnoException).code}. Choose another place`);
  }
}
