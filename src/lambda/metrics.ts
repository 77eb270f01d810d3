// Metrics of an invocation in CloudWatch's embedded format: a line of the log that CloudWatch reads numbers from.

import { peakRss } from "../jobs/peak-rss.ts";
import type { Books } from "../pipeline/books.ts";

export const NAMESPACE = "derive";

/** Every metric and its unit, as alarms and dashboards know them. */
export const METRICS = {
  objects: "Count",
  errors: "Count",
  frames: "Count",
  rows: "Count",
  filtered: "Count",
  failed: "Count",
  bytesDamaged: "Bytes",
  megabytesPerSecond: "Megabytes/Second",
  peakRss: "Bytes",
} as const;

export interface Measured {
  readonly books: Books;
  readonly objects: number;
  /** Objects that failed, and parts of events that could not be read. */
  readonly errors: number;
  readonly seconds: number;
}

/** What stands in a line of the log beside its message. */
export function embeddedMetrics(functionName: string, { books, seconds, ...counts }: Measured, now = Date.now()) {
  const values: Record<keyof typeof METRICS, number> = {
    ...counts,
    frames: books.frames,
    rows: books.written,
    filtered: books.filtered,
    failed: books.failed,
    bytesDamaged: books.bytesDamaged,
    megabytesPerSecond: Math.round(books.storedBytes / 1e4 / seconds) / 100,
    peakRss: peakRss(),
  };
  const metrics = Object.entries(METRICS).map(([Name, Unit]) => ({ Name, Unit }));
  return {
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [{ Namespace: NAMESPACE, Dimensions: [["FunctionName"]], Metrics: metrics }],
    },
    FunctionName: functionName,
    ...values,
  };
}
