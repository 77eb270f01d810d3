// Reading a file back: its rows, for people and for tests.

import { type FileMetaData, parquetReadObjects } from "hyparquet";
import { decompressors } from "./codec.ts";
import { type ByteSource, readFooter, readFooterAtEnd } from "./footer.ts";

export { checkPart } from "./check.ts";
export { type ByteSource, readFooter, readFooterAtEnd };

export interface ReadOptions {
  /** Top-level columns; all of them when absent. */
  readonly columns?: readonly string[];
  /** Rows from `rowStart` up to, but without, `rowEnd`. */
  readonly rowStart?: number;
  readonly rowEnd?: number;
}

/** Rows decoded at a time: as many as a page of ours has at most. */
const STRIDE = 20_000;

/**
 * Rows as JavaScript values: bigint for INT64, Uint8Array for bytes, Date for dates and timestamps (an Instant where
 * they are finer than milliseconds), objects for maps and records, a number for decimals.
 */
export async function* readRows(
  file: ByteSource,
  { columns, rowStart = 0, rowEnd = Number.POSITIVE_INFINITY }: ReadOptions = {},
): AsyncIterable<Record<string, unknown>> {
  const metadata = await readFooter(file);
  const end = Math.min(rowEnd, Number(metadata.num_rows));
  for (let start = rowStart; start < end; start += STRIDE) {
    const rows = await readSlice(file, metadata, columns, start, Math.min(start + STRIDE, end));
    for (const row of rows) yield nullsIn(row) as Record<string, unknown>;
  }
}

function readSlice(
  file: ByteSource,
  metadata: FileMetaData,
  columns: readonly string[] | undefined,
  rowStart: number,
  rowEnd: number,
): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({
    file,
    metadata,
    ...(columns === undefined ? {} : { columns: [...columns] }),
    rowStart,
    rowEnd,
    compressors: decompressors,
    utf8: false,
    useOffsetIndex: true,
    parsers: {
      dateFromDays: (days) => (days !== undefined && days !== null ? new Day(days) : days),
      timestampFromMicroseconds: (micros) => (typeof micros === "bigint" ? new Instant(micros, 6) : micros),
      timestampFromNanoseconds: (nanos) => (typeof nanos === "bigint" ? new Instant(nanos, 9) : nanos),
    },
  });
}

/** hyparquet says undefined where an optional group is null. */
function nullsIn(value: unknown): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(nullsIn);
  if (value === null || typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, nullsIn(inner)]));
}

/** A calendar day, at midnight UTC: printed without a time. */
export class Day extends Date {
  constructor(days: number) {
    super(days * 86_400_000);
  }

  override toISOString(): string {
    return super.toISOString().replace(/T.*/, "");
  }
}

/** A point in time finer than a Date's milliseconds: `units` since the epoch, with `digits` after the second. */
export class Instant extends Date {
  constructor(
    readonly units: bigint,
    private readonly digits: 6 | 9,
  ) {
    const perMilli = 10n ** BigInt(digits - 3);
    super(Number((units - (((units % perMilli) + perMilli) % perMilli)) / perMilli));
  }

  override toISOString(): string {
    const perSecond = 10n ** BigInt(this.digits);
    const fraction = ((this.units % perSecond) + perSecond) % perSecond;
    return super.toISOString().replace(/\.\d+Z$/, `.${String(fraction).padStart(this.digits, "0")}Z`);
  }
}
