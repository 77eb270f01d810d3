// Small tables of text for terminals.
import type { Paint } from "./output.ts";

export interface Column {
  readonly name: string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
}

export interface Table {
  readonly text: string;
  /** Columns left out at the right because they did not fit. */
  readonly hidden: readonly string[];
}

const GAP = "  ";
/** A column of text is not made narrower than this for others to fit; one of numbers never, as digits cut off mislead. */
const NARROW = 12;
/** No cell is wider, whatever the terminal: a whole JSON section in one cell helps nobody. */
const WIDE = 80;

/**
 * `rows` of one text per column, below a heading. Where they are wider than `width`, wide columns are cut with … first,
 * then columns at the right are left out.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
  paint: Paint,
): Table {
  const cells = rows.map((row) => row.map((cell) => cut(visible(cell), WIDE)));
  const headings = columns.map(({ name }) => cut(visible(name), WIDE));
  const natural = headings.map((heading, i) => Math.max(...[heading, ...cells.map((row) => row[i])].map(cellWidth)));
  const least = natural.map((room, i) => (columns[i].right ? room : Math.min(room, NARROW)));
  const widths = fit(natural, least, width);
  const line = (texts: readonly string[]): string =>
    widths
      .map((room, i) => aligned(cut(texts[i], room), room, columns[i].right === true))
      .join(GAP)
      .trimEnd();
  const lines = [paint("bold", line(headings)), ...cells.map(line)];
  return { text: `${lines.join("\n")}\n`, hidden: columns.slice(widths.length).map(({ name }) => name) };
}

/** The widths of the columns that are shown: at least one, the others as long as they fit. */
function fit(natural: readonly number[], least: readonly number[], width = Number.POSITIVE_INFINITY): number[] {
  let shown = least.length;
  while (shown > 1 && total(least.slice(0, shown)) > width) shown--;
  // Every column may take as much as the widest cut allows: found from the top, since tables are small.
  const limited = (limit: number) =>
    least.slice(0, shown).map((room, i) => Math.max(room, Math.min(natural[i], limit)));
  let limit = Math.max(...natural);
  while (limit > NARROW && total(limited(limit)) > width) limit--;
  const widths = limited(limit);
  return shown === 1 ? [Math.min(widths[0], width)] : widths;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, room) => sum + room, (widths.length - 1) * GAP.length);
}

function aligned(text: string, room: number, right: boolean): string {
  const padding = " ".repeat(Math.max(0, room - cellWidth(text)));
  return right ? padding + text : text + padding;
}

function cellWidth(text: string): number {
  return Bun.stringWidth(text);
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The text, or its beginning and … in `room` columns. */
export function cut(text: string, room: number): string {
  if (text.length <= room && cellWidth(text) <= room) return text;
  let kept = "";
  let used = 0;
  // A grapheme of no width is rare: four times the room is enough to look at of a long text.
  for (const { segment } of graphemes.segment(text.slice(0, room * 4 + 16))) {
    const wide = cellWidth(segment);
    if (used + wide > room) break;
    kept += segment;
    used += wide;
  }
  if (kept === text) return text;
  while (kept !== "" && used > room - 1) {
    const last = [...graphemes.segment(kept)].at(-1)?.segment ?? "";
    kept = kept.slice(0, kept.length - last.length);
    used -= cellWidth(last);
  }
  return `${kept}…`;
}

// Control characters of C0 and C1, and those that reorder or hide text: values must not command the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The text with what a terminal would not show, or obey, made visible. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "␡" : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}
