// `derive show`: the rows of Parquet files, as a table or as JSON, and their schema.
import { FormatError, InputError, UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { readFooter, readRows } from "../parquet/read.ts";
import { parquetSchemaText } from "../parquet/schema.ts";
import { summarize } from "../parquet/summary.ts";
import { command } from "./command.ts";
import { resolveSettings } from "./config.ts";
import { EXIT } from "./exit.ts";
import { exactJson } from "./json.ts";
import type { Output } from "./output.ts";
import { findParts, type Part } from "./parts.ts";
import { s3OptionsOf } from "./places.ts";
import { cellText, rowTable } from "./rows.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { table } from "./table.ts";
import { bytesText, countText, plural } from "./units.ts";
import { text, wholeNumber } from "./values.ts";

/** Rows of a table, where no number is given. */
const ROWS_SHOWN = 20;

export default command({
  description:
    "Reads any Parquet file, not only ours; of a folder, the .parquet files in it, in the order of their names. A " +
    "terminal shows the columns that fit, a file or pipe all of them.",
  positionals: {
    path: { description: "A Parquet file, a folder of parts, a glob or an s3:// URL" },
  },
  flags: {
    number: { short: "n", kind: wholeNumber(), value: "N", description: "Rows to show: 20, or with --json all" },
    columns: { kind: text, value: "A,B", description: "Only these columns, in this order" },
    ...settingFlags(...S3_SETTINGS),
    schema: { description: "Print the schema in place of rows" },
    stats: {
      description:
        "Print what each column holds in place of rows: nulls, about how many values differ, the least and greatest, encodings, sizes",
    },
    json: { description: "One JSON object a row: integers exact, bytes base64, times ISO 8601" },
  },
  examples: [
    { does: "the first rows", run: "derive show example.parquet" },
    {
      does: "two columns of a whole dataset",
      run: "derive show derived/example_stream --columns clientId,hours -n 100",
    },
    { does: "which columns are large, and which are empty?", run: "derive show derived/example_stream/v1 --stats" },
    {
      does: "all rows for another program",
      run: "derive show example.parquet --json | jq -r .country | sort | uniq -c",
    },
  ],
  exitCodes: { [EXIT.input]: "the file is missing or is no Parquet file" },
  async run({ args, flags, output, signal }) {
    const parts = await findParts(args.path, s3OptionsOf(resolveSettings(flags), "output"));
    for (const { url } of parts) output.log.debug(`reading ${url}`);
    if (flags.schema) {
      await output.write(await schemaOf(parts[0]));
      return EXIT.done;
    }
    if (flags.stats) {
      await showStats(parts, flags.json, output);
      return EXIT.done;
    }
    const rows = readParts(parts, flags.columns?.split(","), flags.number ?? (flags.json ? Infinity : ROWS_SHOWN));
    if (flags.json) {
      for await (const row of rows) {
        if (signal.aborted) break;
        await output.write(`${exactJson(row)}\n`);
      }
    } else await showTable(await Array.fromAsync(rows), parts, flags.columns?.split(","), output);
    return EXIT.done;
  },
});

async function showStats(parts: readonly Part[], json: boolean, output: Output): Promise<void> {
  const columns = await summarize(parts.map(({ file }) => file)).catch((error) => {
    throw told(parts.map(({ url }) => url).join(", "), error);
  });
  if (json) {
    for (const column of columns) await output.write(`${exactJson(column)}\n`);
    return;
  }
  const right = true;
  const headings = [
    ...[
      { name: "column" },
      { name: "type" },
      { name: "values", right },
      { name: "nulls", right },
      { name: "distinct", right },
    ],
    ...[{ name: "min" }, { name: "max" }, { name: "stored", right }, { name: "of", right }, { name: "encodings" }],
  ];
  const cells = columns.map(
    ({ path, type, values, nulls, distinct, min, max, compressed, uncompressed, encodings }) => [
      ...[
        path,
        type,
        countText(values),
        nulls === undefined ? "?" : countText(nulls),
        `${distinct < 1000 ? "" : "≈ "}${countText(distinct)}`,
      ],
      ...[boundText(min), boundText(max), bytesText(compressed), bytesText(uncompressed), encodings.join(" ")],
    ],
  );
  const { text, hidden } = table(headings, cells, output.width, output.paint);
  await output.write(text);
  await output.flush();
  if (hidden.length > 0) output.log.info(`not shown for want of room: ${hidden.join(", ")} (--json has all)`);
}

function boundText(value: unknown): string {
  return value === undefined || value === null ? "" : cellText(value);
}

type FileMetaData = Awaited<ReturnType<typeof readFooter>>;

async function footerOf({ url, file }: Part): Promise<FileMetaData> {
  return readFooter(file).catch((error) => {
    throw told(url, error);
  });
}

/** The error of one file, with its URL. */
function told(url: string, error: unknown): unknown {
  if (!(error instanceof FormatError)) return error;
  return new InputError(`Cannot read ${url} as Parquet: ${error.message} (offset ${error.offset})`);
}

async function schemaOf(part: Part): Promise<string> {
  const { schema } = await footerOf(part);
  return `${parquetSchemaText({ elements: schema }).trimEnd()}\n`;
}

/** The first `limit` rows of all parts. */
async function* readParts(parts: readonly Part[], columns: string[] | undefined, limit: number) {
  let left = limit;
  for (const part of parts) {
    const footer = await footerOf(part);
    checkColumns(columns, columnsOf(footer), part.url);
    const rowEnd = Math.min(left, Number(footer.num_rows));
    try {
      if (rowEnd > 0) yield* readRows(part.file, { columns, rowEnd });
    } catch (error) {
      throw told(part.url, error);
    }
    left -= rowEnd;
    if (left === 0) return;
  }
}

/** Names of the top-level columns: the children of the root, each followed by its own descendants. */
function columnsOf({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  const descendants = (at: number): number => {
    let next = at + 1;
    for (let child = 0; child < (schema[at].num_children ?? 0); child++) next = descendants(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = descendants(at)) names.push(schema[at].name);
  return names;
}

function checkColumns(wanted: readonly string[] | undefined, known: readonly string[], url: string): void {
  const missing = wanted?.find((name) => !known.includes(name));
  if (missing === undefined) return;
  throw new UsageError(`Cannot show column "${missing}": ${url} has none of that name.${didYouMean(missing, known)}`);
}

async function showTable(
  rows: Record<string, unknown>[],
  parts: readonly Part[],
  wanted: readonly string[] | undefined,
  output: Output,
): Promise<void> {
  const footers = await Promise.all(parts.map(footerOf));
  const names = wanted ?? columnsOf(footers[0]);
  const { text, hidden } = rowTable(rows, names, output);
  await output.write(text);
  await output.flush(); // before the words below, which go to stderr
  const total = footers.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
  const from = parts.length === 1 ? "" : ` in ${plural(parts.length, "file")}`;
  output.log.info(`${countText(rows.length)} of ${plural(total, "row")}${from}`);
  if (hidden.length > 0) {
    const which = hidden.join(", ");
    output.log.info(`${plural(hidden.length, "more column")}: ${which} (--columns chooses, --json has all)`);
  }
}
