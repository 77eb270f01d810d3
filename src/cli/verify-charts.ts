// The charts of `derive verify --html`, as SVG: a stacked bar for each partition, and bars in tables.
import { type Html, html } from "./html.ts";

/** One part of a stacked bar; `kind` is its colour. */
export interface Part {
  readonly name: string;
  readonly kind: "written" | "filtered" | "failed" | "damaged";
}

export interface Bar {
  readonly label: string;
  readonly state: string;
  /** One for each part. */
  readonly values: readonly number[];
}

const WIDTH = 1000;
const HEIGHT = 220;
const LEFT = 70;
const BOTTOM = 28;
const TOP = 10;

/** Bars side by side, a label below as many as there is room for. `told` is what a screen reader says in its place. */
export function dayChart(
  bars: readonly Bar[],
  parts: readonly Part[],
  told: string,
  shown: (value: number) => string,
): Html {
  const sums = bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
  const most = Math.max(1, ...sums);
  const room = (WIDTH - LEFT) / Math.max(1, bars.length);
  const wide = Math.min(60, room * 0.8);
  const height = HEIGHT - BOTTOM - TOP;
  const labelled = Math.max(1, Math.ceil(90 / room));
  const columns = bars.map(({ label, values }, index) => {
    const x = LEFT + room * index + (room - wide) / 2;
    let top = TOP + height;
    const pieces = values.map((value, part) => {
      // What is there is to be seen, however little it is.
      const tall = value === 0 ? 0 : Math.max(3, (value / most) * height);
      top -= tall;
      const name = parts[part]!;
      return value === 0
        ? html``
        : html`<rect class="${name.kind}" x="${x.toFixed(1)}" y="${top.toFixed(1)}" width="${wide.toFixed(1)}" height="${tall.toFixed(1)}"><title>${label}: ${shown(value)} ${name.name}</title></rect>`;
    });
    const short = label.replace(/^.* /, "");
    const text =
      index % labelled === 0 && x + wide / 2 + 35 < WIDTH
        ? html`<text x="${(x + wide / 2).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle">${short}</text>`
        : html``;
    return html`${pieces}${text}`;
  });
  const lines = [0, 0.5, 1].map((share) => {
    const y = TOP + height * (1 - share);
    return html`<line class="axis" x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}"/><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${shown(Math.round(most * share))}</text>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${told}">${lines}${columns}</svg>`;
}

/** A row of a table with a bar of `share`, 0 to 1, before its numbers, which say the same. */
export function barRow(name: Html, numbers: readonly string[], share: number, kind: Part["kind"]): Html {
  const percent = Math.max(0.5, share * 100).toFixed(1);
  return html`<tr><th scope="row">${name}</th><td class="bar" aria-hidden="true"><span class="track ${kind}"><span style="width:${percent}%"></span></span></td>${numbers.map((text) => html`<td class="number">${text}</td>`)}</tr>`;
}
