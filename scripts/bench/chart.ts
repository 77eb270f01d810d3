// The README's chart: horizontal bars as SVG, readable on a light and on a dark page.

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly isOurs: boolean;
}

export interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LABELS = 280;
const NUMBERS = 60;
const ROW = 26;
const TITLE = 38;

/** Groups below one another, each on its own scale; `unit` says what the numbers are. */
export function chart(unit: string, groups: readonly Group[]): string {
  const parts: string[] = [];
  let y = 8;
  for (const { title, bars } of groups) {
    y += TITLE;
    parts.push(`<text class="title" x="8" y="${y - 14}">${escaped(title)}</text>`);
    const most = Math.max(...bars.map(({ value }) => value));
    for (const { name, value, isOurs } of bars) {
      const length = Math.max(2, (value / most) * (WIDTH - LABELS - NUMBERS));
      parts.push(
        `<text x="${LABELS - 10}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>`,
        `<rect class="${isOurs ? "ours" : "other"}" x="${LABELS}" y="${y}" width="${length.toFixed(1)}" height="18" rx="3"/>`,
        `<text x="${(LABELS + length + 6).toFixed(1)}" y="${y + 14}">${value.toFixed(0)}</text>`,
      );
      y += ROW;
    }
  }
  parts.push(`<text class="unit" x="8" y="${y + 20}">${escaped(unit)}</text>`);
  const described = groups.map(
    ({ title, bars }) => `${title}: ${bars.map(({ name, value }) => `${name} ${value.toFixed(0)}`).join(", ")}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 32}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(unit)}</title>
<desc id="desc">${escaped(described.join(". "))}</desc>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.unit { fill: #59636e; }
.ours { fill: #0969da; }
.other { fill: #afb8c1; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .unit { fill: #9198a1; }
  .ours { fill: #4493f8; }
  .other { fill: #545d68; }
}
</style>
${parts.join("\n")}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
