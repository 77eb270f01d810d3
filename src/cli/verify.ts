// `derive verify`: whether what was committed is still there, byte for byte.
import { type VerifiedPartition, verifyFile, verifyPlace } from "../jobs/verify.ts";
import { openSource, splitPlace } from "../storage/place.ts";
import { command } from "./command.ts";
import { EXIT } from "./exit.ts";
import type { Output } from "./output.ts";
import { visible } from "./table.ts";
import { bytesText, plural } from "./units.ts";

export default command({
  description:
    "Finds every _SUCCESS at and below a place and holds it against what is there: each part's size, CRC-32, SHA-256, " +
    "footer, row count and page checksums; the rows of inputs against those of parts; the books. Parts that no _SUCCESS " +
    "lists and folders with parts but without _SUCCESS are found, too. Event parts, which no _SUCCESS lists, are " +
    "checked by themselves.\n\n" +
    "A single .parquet file is checked for what it says of itself: footer, row counts, page checksums. Nothing is changed.",
  positionals: {
    place: { description: "An output, one of its folders, or a .parquet file" },
  },
  flags: { json: { description: "One JSON object: exit, and each partition with its problems" } },
  examples: [
    { does: "everything derived", run: "derive verify derived" },
    { does: "one day", run: "derive verify derived/example_stream/v1/submission_date_s3=20151028 -v" },
    { does: "what differs, for a program", run: "derive verify derived --json | jq '.partitions[].problems[]'" },
  ],
  exitCodes: {
    [EXIT.input]: "there is nothing derived at that place, or it cannot be listed",
    [EXIT.verify]: "something differs, is missing, surplus or incomplete",
  },
  async run({ args, flags, output, signal }) {
    const partitions: VerifiedPartition[] = [];
    const progress = startTelling(partitions, output);
    try {
      for await (const partition of verified(args.place, signal)) {
        logPartition(partition, output);
        partitions.push(partition);
        progress.tell();
      }
    } finally {
      progress.stop();
    }
    const exit = partitions.every(({ state }) => state === "ok") ? EXIT.done : EXIT.verify;
    logSummary(partitions, output);
    if (flags.json) await output.write(`${JSON.stringify({ exit, partitions: partitions.sort(byUrl) })}\n`);
    return exit;
  },
});

async function* verified(written: string, signal: AbortSignal): AsyncGenerator<VerifiedPartition> {
  if (written.endsWith(".parquet")) {
    const { place, key } = splitPlace(written);
    const folder = openSource(place);
    if ((await folder.head(key)) !== undefined) return yield await verifyFile(folder, key, signal);
  }
  yield* verifyPlace(openSource(written), signal);
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
