// The log of a function: one JSON object a line, in the form that Lambda and CloudWatch know.

import type { Books } from "../pipeline/books.ts";

export type Level = "INFO" | "WARN" | "ERROR";

export interface Log {
  /** Of the invocation under way; Lambda finds its lines by it. */
  readonly requestId: string | undefined;
  (level: Level, message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** @param write takes lines with their ends */
export function createLog(write: (line: string) => void, requestId?: string): Log {
  const log = (level: Level, message: string, facts: Readonly<Record<string, unknown>> = {}): void => {
    const timestamp = new Date().toISOString();
    write(`${JSON.stringify({ timestamp, level, requestId, message, ...facts })}\n`);
  };
  return Object.assign(log, { requestId });
}

const CAUSES_TOLD = 50;
const PLACES_TOLD = 10;

/** What batch's report says of a partition, for one line: CloudWatch cuts lines at 256 KB. */
export function toldBooks(books: Books): Record<string, unknown> {
  return {
    ...books,
    filteredBy: mostFrequent(books.filteredBy),
    failures: mostFrequent(books.failures),
    damage: books.damage.slice(0, PLACES_TOLD),
    failedAt: books.failedAt.slice(0, PLACES_TOLD),
  };
}

function mostFrequent(causes: Readonly<Record<string, number>>): Record<string, number> {
  const sorted = Object.entries(causes).sort(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.slice(0, CAUSES_TOLD));
}
