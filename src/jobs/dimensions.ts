// What people write about dimensions: days, and the values that `--only` and a stream's `dimensions` ask for.

import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";

/**
 * The form in which a value stands in a raw key (formats.md §2): what is not an ASCII letter, digit, "_" or "." becomes "_",
 * and a missing value "UNKNOWN".
 */
export function sanitize(value: string | undefined): string {
  return value === undefined ? "UNKNOWN" : value.replace(/[^a-zA-Z0-9_.]/gu, "_");
}

const DAY_MS = 86_400_000;

/**
 * A day as people write it: 20151028, 2015-10-28, today, yesterday, or -3d for three days before `today`. Days are UTC.
 * @returns YYYYMMDD
 * @throws {UsageError} for anything else, also for days that no calendar has.
 */
export function parseDay(text: string, today: Date = new Date()): string {
  const before =
    text === "today" ? 0 : text === "yesterday" ? 1 : Number(/^-(\d{1,5})d$/.exec(text)?.[1] ?? Number.NaN);
  if (!Number.isNaN(before)) return dayOf(today.getTime() - before * DAY_MS);
  const [, year, month, date] = /^(\d{4})(\d\d)(\d\d)$/.exec(text) ?? /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  const day = `${year}${month}${date}`;
  if (year === undefined || Number.isNaN(timeOf(day)) || dayOf(timeOf(day)) !== day) {
    throw new UsageError(
      `Cannot read ${JSON.stringify(text)} as a day: it is none. Write 20151028, 2015-10-28, today, yesterday or -3d (days are UTC)`,
    );
  }
  return day;
}

/**
 * All days from `from` to `to`, both included, each YYYYMMDD.
 * @throws {UsageError} when `to` lies before `from`.
 */
export function days(from: string, to: string): string[] {
  if (to < from)
    throw new UsageError(`Cannot use the days ${from} to ${to}: the last lies before the first. Swap them`);
  const all: string[] = [];
  for (let time = timeOf(from); time <= timeOf(to); time += DAY_MS) all.push(dayOf(time));
  return all;
}

function timeOf(day: string): number {
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10).replaceAll("-", "");
}

/**
 * Dimension -> the values wanted, any of them; "*" and "?" in a value stand for any letters and any one letter. All
 * dimensions of a filter, and all filters of a list, have to agree (AND).
 */
export type Filter = Readonly<Record<string, readonly string[]>>;

/**
 * `--only dim=a,b`, each of which is one filter.
 * @throws {UsageError} when a text has another form.
 */
export function parseOnly(texts: readonly string[]): Filter[] {
  return texts.map((text) => {
    const at = text.indexOf("=");
    const values = text.slice(at + 1).split(",");
    if (at <= 0 || values.includes("")) {
      throw new UsageError(
        `Cannot read --only ${JSON.stringify(text)}: it is not of the form dimension=value,value. For example: --only docType=main,crash`,
      );
    }
    return { [text.slice(0, at).trim()]: values };
  });
}

/** What a list of filters asks of one dimension. */
export interface Wanted {
  /** The only values that can match, where a filter names them without "*" and "?": they need no listing to be found. */
  readonly literals: readonly string[] | undefined;
  matches(value: string): boolean;
}

/**
 * What the filters ask of each dimension, undefined where they ask nothing. A value is meant as written or as sanitised for
 * keys: "Firefox for Android" finds Firefox_for_Android.
 * @throws {UsageError} for a dimension that the dataset does not have.
 */
export function wantedValues(filters: readonly Filter[], dimensions: readonly string[]): (Wanted | undefined)[] {
  for (const filter of filters) {
    for (const name of Object.keys(filter)) {
      if (dimensions.includes(name)) continue;
      throw new UsageError(
        `Cannot prune by dimension ${JSON.stringify(name)}: the dataset has none of that name.` +
          `${didYouMean(name, dimensions)} Its dimensions are ${dimensions.join(", ")}`,
      );
    }
  }
  return dimensions.map((name) => {
    const lists = filters.filter((filter) => Object.hasOwn(filter, name)).map((filter) => filter[name]!);
    return lists.length === 0 ? undefined : allOf(lists.map(anyOf));
  });
}

function anyOf(values: readonly string[]): Wanted {
  const forms = values.flatMap((value) => [value, value.replace(/[^a-zA-Z0-9_.*?]/gu, "_")]);
  const globs = forms.filter((form) => /[*?]/.test(form)).map(globExpression);
  const literals = [...new Set(forms.filter((form) => !/[*?]/.test(form)))];
  return {
    literals: globs.length === 0 ? literals : undefined,
    matches: (value) => literals.includes(value) || globs.some((glob) => glob.test(value)),
  };
}

function allOf(all: readonly Wanted[]): Wanted {
  const matches = (value: string) => all.every((wanted) => wanted.matches(value));
  return { literals: all.find((wanted) => wanted.literals)?.literals?.filter(matches), matches };
}

function globExpression(glob: string): RegExp {
  const source = glob
    .replace(/[\\^$.+()[\]{}|/]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "su");
}
