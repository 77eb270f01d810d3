// The page of `derive verify --html`: one file, no script, nothing fetched. Each chart stands beside the numbers it shows.
import type { VerifiedPartition } from "../jobs/verify.ts";
import { version } from "../version.ts";
import { Html, html } from "./html.ts";
import { visible } from "./table.ts";
import { bytesText, countText, plural } from "./units.ts";
import { barRow, dayChart, type Part } from "./verify-charts.ts";
import style from "./verify-style.css.txt" with { type: "text" };

/** The whole page. Keys and what a manifest says may hold anything: all is escaped, and made visible. */
export function verifyPage(place: string, partitions: readonly VerifiedPartition[]): string {
  const sums = sumsOf(partitions);
  const problems = partitions.flatMap((partition) => partition.problems);
  const title = `Derived data in ${visible(place)}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the findings</a>
<header>
<h1>${title}</h1>
<p><span class="verdict ${problems.length === 0 ? "good" : "bad"}">${problems.length === 0 ? "All sound" : plural(problems.length, "problem")}</span></p>
<p class="soft">${accountOf(sums, problems.length)}</p>
</header>
<main id="main">
${problems.length > 0 ? problemSection(problems) : ""}
${totalSection(sums)}
${messageSection(partitions)}
${byteSection(partitions)}
${causeSection("Why messages were left out", "filtered", sums.filteredBy)}
${causeSection("Why messages could not become rows", "failed", sums.failures)}
${columnSection(partitions)}
${groupSection(partitions)}
</main>
<footer><p>Written by derive ${version}. Everything here was read from the files themselves: each part's checksums, footer and pages, and the books in each <code>_SUCCESS</code>.</p></footer>
</body>
</html>
`;
  return page.text;
}

type Sums = ReturnType<typeof sumsOf>;

function sumsOf(partitions: readonly VerifiedPartition[]) {
  const count = (of: (partition: VerifiedPartition) => number) => partitions.reduce((sum, one) => sum + of(one), 0);
  const books = (
    name:
      | "storedBytes"
      | "bytes"
      | "decoded"
      | "objects"
      | "written"
      | "filtered"
      | "failed"
      | "undecodable"
      | "bytesDamaged",
  ) => count(({ committed }) => committed?.counts[name] ?? 0);
  return {
    partitions: partitions.length,
    parts: count(({ parts }) => parts),
    rows: count(({ rows }) => rows),
    bytes: count(({ bytes }) => bytes),
    events: count(({ events }) => events.length),
    objects: books("objects"),
    storedBytes: books("storedBytes"),
    rawBytes: books("bytes"),
    messages: books("decoded"),
    written: books("written"),
    filtered: books("filtered"),
    failed: books("failed"),
    undecodable: books("undecodable"),
    damaged: books("bytesDamaged"),
    filteredBy: summed(partitions.map(({ committed }) => committed?.filteredBy ?? {})),
    failures: summed(partitions.map(({ committed }) => committed?.failures ?? {})),
  };
}

function summed(all: readonly Readonly<Record<string, number>>[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const one of all) for (const [name, times] of Object.entries(one)) sums.set(name, (sums.get(name) ?? 0) + times);
  return [...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function accountOf(sums: Sums, problems: number): string {
  const { messages, written, filtered, failed, damaged, undecodable } = sums;
  const found = problems === 0 ? "Every part is what was committed." : "What differs is listed first.";
  const rest = `${plural(undecodable, "frame")} held no message, ${bytesText(damaged)} were damaged`;
  return `${found} Of ${plural(messages, "message")} ${countText(written)} became rows, ${countText(filtered)} were left out and ${countText(failed)} failed; ${rest}.`;
}

function problemSection(problems: readonly { url: string; cause: string }[]): Html {
  const rows = [...Map.groupBy(problems, ({ url }) => url)].map(
    ([url, all]) =>
      html`<tr><th scope="row" class="object"><code>${visible(url)}</code></th><td>${all.map(({ cause }) => html`<div>${visible(cause)}</div>`)}</td></tr>`,
  );
  return section(
    "problems",
    "What differs",
    table("Each object that is not as it should be", ["Object", "Found"], rows),
  );
}

function totalSection(sums: Sums): Html {
  const facts: [string, string][] = [
    [countText(sums.rows), "rows"],
    [countText(sums.partitions), "partitions"],
    [countText(sums.parts), "parts"],
    [bytesText(sums.bytes), "of Parquet"],
    [countText(sums.objects), "raw objects"],
    [bytesText(sums.storedBytes), "of raw data, as stored"],
    [sums.bytes > 0 ? `${countText(Math.round(sums.storedBytes / sums.bytes))} ×` : "", "smaller than the raw data"],
  ];
  if (sums.events > 0) facts.push([countText(sums.events), "event parts that no _SUCCESS covers"]);
  const items = facts
    .filter(([value]) => value !== "")
    .map(([value, name]) => html`<li><b>${value}</b><span>${name}</span></li>`);
  return section("totals", "In all", html`<ul class="totals">${items}</ul>`);
}

function messageSection(partitions: readonly VerifiedPartition[]): Html {
  const parts: Part[] = [
    { name: "written", kind: "written" },
    { name: "filtered", kind: "filtered" },
    { name: "failed", kind: "failed" },
    { name: "undecodable", kind: "damaged" },
  ];
  const values = (partition: VerifiedPartition) =>
    parts.map(({ name }) => partition.committed?.counts[name as "written"] ?? 0);
  return perPartition("messages", "What became of the messages", partitions, parts, values, countText, "messages");
}

function byteSection(partitions: readonly VerifiedPartition[]): Html {
  const parts: Part[] = [
    { name: "in frames", kind: "written" },
    { name: "blank", kind: "filtered" },
    { name: "damaged", kind: "damaged" },
  ];
  const values = ({ committed }: VerifiedPartition) => [
    committed?.counts.bytesInFrames ?? 0,
    committed?.counts.bytesBlank ?? 0,
    committed?.counts.bytesDamaged ?? 0,
  ];
  return perPartition(
    "bytes",
    "Where the raw bytes are",
    partitions,
    parts,
    values,
    bytesText,
    "bytes, after decompression",
  );
}

function perPartition(
  id: string,
  heading: string,
  partitions: readonly VerifiedPartition[],
  parts: readonly Part[],
  valuesOf: (partition: VerifiedPartition) => number[],
  shown: (value: number) => string,
  unit: string,
): Html {
  const rows = partitions.map((partition) => ({
    label: labelOf(partition),
    state: partition.state,
    values: valuesOf(partition),
  }));
  const sums = parts.map((_part, i) => rows.reduce((sum, { values }) => sum + values[i]!, 0));
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const told = parts.map(({ name }, i) => `${shown(sums[i]!)} ${name}`).join(", ");
  const cells = (values: readonly number[]) =>
    [...values, total(values)].map((value) => html`<td class="number">${shown(value)}</td>`);
  const numbers = table(
    `${unit}, by partition`,
    ["Partition", ...parts.map(({ name }) => name), "all"],
    rows.map(({ label, values }) => html`<tr><th scope="row">${label}</th>${cells(values)}</tr>`),
    html`<tr><th scope="row">In all</th>${cells(sums)}</tr>`,
  );
  return section(
    id,
    heading,
    html`<ul class="key">${parts.map(({ name, kind }) => html`<li class="${kind}">${name}</li>`)}</ul>
<figure>${dayChart(rows, parts, `${heading}: ${told}`, shown)}<figcaption>${told}.</figcaption></figure>
${folded(`The numbers, for ${plural(rows.length, "partition")}`, numbers, rows.length > 12)}`,
  );
}

/** Long tables are folded; what is asked for is one key away. */
function folded(summary: string, content: Html, isLong: boolean): Html {
  return isLong ? html`<details><summary>${summary}</summary>${content}</details>` : content;
}

function causeSection(heading: string, kind: Part["kind"], causes: readonly [string, number][]): Html {
  if (causes.length === 0) return html``;
  const most = causes[0]![1];
  const rows = causes
    .slice(0, 50)
    .map(([cause, times]) => barRow(html`<code>${visible(cause)}</code>`, [countText(times)], times / most, kind));
  const more = causes.length > 50 ? html`<p class="soft">and ${countText(causes.length - 50)} rarer causes</p>` : "";
  return section(
    kind,
    heading,
    html`${table(`${heading}: causes, the most frequent first`, ["Cause", "", "Messages"], rows)}${more}`,
  );
}

function columnSection(partitions: readonly VerifiedPartition[]): Html {
  const columns = new Map<string, { compressed: number; uncompressed: number }>();
  for (const { layout } of partitions) {
    for (const [path, { compressed, uncompressed }] of Object.entries(layout.columns)) {
      const sum = columns.get(path) ?? { compressed: 0, uncompressed: 0 };
      columns.set(path, { compressed: sum.compressed + compressed, uncompressed: sum.uncompressed + uncompressed });
    }
  }
  if (columns.size === 0) return html``;
  const sorted = [...columns].sort((a, b) => b[1].compressed - a[1].compressed);
  const all = sorted.reduce((sum, [, { compressed }]) => sum + compressed, 0);
  const most = sorted[0]![1].compressed;
  const rows = sorted.map(([path, { compressed, uncompressed }]) =>
    barRow(
      html`<code>${visible(path)}</code>`,
      [bytesText(compressed), `${((100 * compressed) / Math.max(1, all)).toFixed(1)} %`, bytesText(uncompressed)],
      compressed / Math.max(1, most),
      "written",
    ),
  );
  const headings = ["Column", "", "Stored", "Share", "Uncompressed"];
  return section(
    "columns",
    "How large the columns are",
    folded(plural(rows.length, "column"), table("The largest first", headings, rows), rows.length > 40),
  );
}

function groupSection(partitions: readonly VerifiedPartition[]): Html {
  const rows = partitions
    .filter(({ layout }) => layout.rowGroups.length > 0)
    .map((partition) => {
      const { rowGroups } = partition.layout;
      const sizes = rowGroups.map(({ bytes }) => bytes).sort((a, b) => a - b);
      const counts = rowGroups.map(({ rows }) => rows).sort((a, b) => a - b);
      const middle = Math.floor(sizes.length / 2);
      const cells = [
        countText(rowGroups.length),
        countText(counts[middle]!),
        countText(counts.at(-1)!),
        bytesText(sizes[middle]!),
        bytesText(sizes.at(-1)!),
      ];
      return html`<tr><th scope="row">${labelOf(partition)}</th>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`;
    });
  if (rows.length === 0) return html``;
  const headings = ["Partition", "Row groups", "Rows, median", "most", "Bytes, median", "most"];
  return section(
    "groups",
    "Row groups",
    folded(
      plural(rows.length, "partition"),
      table("How the rows are cut, by partition", headings, rows),
      rows.length > 12,
    ),
  );
}

/** The last folders of a partition: the values of its dimensions, under its stream. */
function labelOf({ url, committed }: VerifiedPartition): string {
  const segments = decodeURIComponent(url.replace(/%(?![0-9a-f]{2})/gi, "%25"))
    .replace(/\/$/, "")
    .split("/");
  const values = segments.filter((segment) => /_s3=/.test(segment)).map((segment) => segment.replace(/^.*?_s3=/, ""));
  const stream = committed ? `${committed.stream} v${committed.streamVersion} ` : "";
  return visible(`${stream}${values.length > 0 ? values.join(" / ") : (segments.at(-1) ?? url)}`);
}

function section(id: string, heading: string, content: Html): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${heading}</h2>${content}</section>`;
}

/** Numbers are at the right of every column but the first; a heading without a name is that of a bar. */
function table(caption: string, headings: readonly string[], rows: readonly Html[], foot?: Html): Html {
  const heads = headings.map((name, i) =>
    name === ""
      ? html`<td aria-hidden="true"></td>`
      : html`<th scope="col" class="${i === 0 || headings.length === 2 ? "" : "number"}">${name}</th>`,
  );
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${heads}</tr></thead>
<tbody>${rows}</tbody>${foot ? html`<tfoot>${foot}</tfoot>` : ""}</table></div>`;
}
