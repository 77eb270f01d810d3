// The report of a job: as JSON for programs (--json, --report-file), as a few lines for people.
import { peakRss } from "../jobs/peak-rss.ts";
import { type JobResult, type PartitionResult, totalBooks } from "../jobs/result.ts";
import { type Books, COUNTS, type Place } from "../pipeline/books.ts";
import { openSink, splitPlace } from "../storage/place.ts";
import { errorText } from "../told.ts";
import type { Settings } from "./config.ts";
import { EXIT, exitCodeOf } from "./exit.ts";
import type { Output } from "./output.ts";
import { placeOf } from "./places.ts";
import { bytesText, countText, durationText, plural } from "./units.ts";

/** The highest exit code of any partition: one that failed does not stop the others. */
export function exitOfJob({ partitions }: JobResult): number {
  return Math.max(EXIT.done, ...partitions.map(({ error }) => (error === undefined ? EXIT.done : exitCodeOf(error))));
}

/** The report as plain data, in the form the documentation gives. */
export function reportOf(result: JobResult): Record<string, unknown> {
  return {
    stream: result.stream,
    version: result.version,
    exit: exitOfJob(result),
    partitions: result.partitions.map((partition) => ({
      url: partition.url,
      state: partition.state,
      ...countsOf(partition.books),
      parts: partition.parts,
      late: partition.late ?? [],
      filteredBy: partition.books.filteredBy,
      failures: partition.books.failures,
      damage: partition.books.damage,
      failedAt: partition.books.failedAt,
      quarantine: partition.quarantine ?? [],
      error: partition.error === undefined ? null : errorText(partition.error),
    })),
    strangers: result.strangers,
    conditionalWrites: conditionalWrites(result),
    totals: totalsOf(totalBooks(result.partitions)),
    seconds: Math.round(result.seconds * 1000) / 1000,
    peakRss: peakRss(),
  };
}

/** Writes the reports where --report-file and --json want them; one stream, one report. */
export async function deliverReports(results: readonly JobResult[], settings: Settings, output: Output): Promise<void> {
  if (!settings.json && settings.reportFile === undefined) return;
  const lines = results.map((result) => `${JSON.stringify(reportOf(result))}\n`).join("");
  if (settings.json) await output.write(lines);
  if (settings.reportFile !== undefined) {
    const { place, key } = splitPlace(placeOf(settings, "output", settings.reportFile));
    await openSink(place).put(key, new TextEncoder().encode(lines));
  }
}

/** Whether the output refuses writes whose condition does not hold; null where nothing was written. */
function conditionalWrites({ partitions }: JobResult): boolean | null {
  const told = partitions.map((partition) => partition.conditionalWrites).filter((one) => one !== undefined);
  return told.length === 0 ? null : told.every(Boolean);
}

function countsOf(books: Books): Record<string, number> {
  return Object.fromEntries(COUNTS.map((name) => [name, books[name]]));
}

function totalsOf(books: Books): Record<string, unknown> {
  return { ...countsOf(books), filteredBy: books.filteredBy, failures: books.failures };
}

const PLACES_SHOWN = 5;
const CAUSES_SHOWN = 8;

/** Tells a job's end in a few lines. */
export function logReport(result: JobResult, output: Output): void {
  const { log } = output;
  const total = totalBooks(result.partitions);
  for (const partition of result.partitions) log.info(partitionLine(partition, output));
  for (const { error } of result.partitions) if (error) log.error(errorText(error));
  if (result.strangers.length > 0) {
    log.warn(
      `${plural(result.strangers.length, "object")} not read, for keys that do not have the dataset's form, such as ${result.strangers[0]}`,
    );
  }
  const late = result.partitions.flatMap((partition) => partition.late ?? []);
  if (late.length > 0) {
    log.warn(
      `${plural(late.length, "raw object")} came or changed after the list that was committed was made, such as ${late[0]}. ` +
        "Run the command again, with --on-change append where they only came, else with --on-change replace",
    );
  }
  if (conditionalWrites(result) === false) {
    log.warn("the output knows no conditional writes: two runs at once on one partition could get in each other's way");
  }
  logFaults(total, output);
  for (const { quarantine = [] } of result.partitions) for (const url of quarantine) log.info(`quarantine: ${url}`);
  if (total.frames > 0) log.info(summaryLine(result, total));
}

/** Tells why messages were left out or failed, and the first places of what was wrong. */
export function logFaults(books: Books, output: Output): void {
  logCauses("filtered", books.filteredBy, output);
  logCauses("failed", books.failures, output);
  logPlaces(books.damage, output);
  logPlaces(books.failedAt, output);
  if (books.invalidUtf8 > 0) {
    output.log.info(`invalid UTF-8 in ${plural(books.invalidUtf8, "message")}, read with U+FFFD in its place`);
  }
}

function partitionLine({ url, state, books, parts }: PartitionResult, { paintError }: Output): string {
  const colour = state === "failed" ? "red" : state === "unchanged" || state === "empty" ? "dim" : "green";
  if (state === "planned")
    return `would write ${url}  from ${plural(books.objects, "object")}, ${bytesText(books.storedBytes)}`;
  const words = [`${paintError(colour, state.padEnd(9))} ${url}`];
  if (["written", "appended", "replaced", "late"].includes(state)) {
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    words.push(`${plural(books.written, "row")}, ${plural(parts.length, "part")}, ${bytesText(bytes)}`);
  }
  return words.join("  ");
}

function logCauses(what: string, causes: Record<string, number>, { log }: Output): void {
  const sorted = Object.entries(causes).sort(([, a], [, b]) => b - a);
  if (sorted.length === 0) return;
  const shown = sorted.slice(0, CAUSES_SHOWN).map(([cause, times]) => `${countText(times)} × ${cause}`);
  if (sorted.length > CAUSES_SHOWN) shown.push(`${plural(sorted.length - CAUSES_SHOWN, "more cause")}`);
  log.info(`${what}: ${shown.join(" · ")}`);
}

function logPlaces(places: readonly Place[], { log }: Output): void {
  for (const { object, offset, bytes, cause } of places.slice(0, PLACES_SHOWN)) {
    log.warn(`${object} offset ${offset} (${bytes} bytes): ${cause}`);
  }
  if (places.length > PLACES_SHOWN) log.warn("… further places are in the report (--report-file, --json)");
}

function summaryLine(result: JobResult, total: Books): string {
  const rate = total.storedBytes / 1e6 / result.seconds;
  const bytes = result.partitions.reduce(
    (sum, { parts }) => sum + parts.reduce((size, part) => size + part.bytes, 0),
    0,
  );
  return [
    `${plural(total.objects, "object")}, ${bytesText(total.storedBytes)}`,
    `${plural(total.decoded, "message")}: ${countText(total.written)} written, ${countText(total.filtered)} filtered, ${countText(total.failed)} failed`,
    ...(total.signed > 0 ? [`${plural(total.signed, "signed frame")}, not verified`] : []),
    ...(total.undecodable > 0 ? [`${plural(total.undecodable, "undecodable frame")}`] : []),
    ...(total.bytesDamaged > 0 ? [`${bytesText(total.bytesDamaged)} damaged`] : []),
    `${bytesText(bytes)} of Parquet`,
    `${durationText(result.seconds)} (${rate.toFixed(0)} MB/s)`,
  ].join(" · ");
}
