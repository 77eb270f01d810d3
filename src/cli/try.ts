// `derive try`: what a stream makes of some input, before anything is written.
import { InputError } from "../errors.ts";
import { type Sample, sampleObjects, sampleRows } from "../jobs/sample.ts";
import { resolveStream } from "../jobs/streams.ts";
import { readRows } from "../parquet/read.ts";
import { findNamed } from "../storage/named.ts";
import { spoolStdin } from "../storage/stdin.ts";
import { command } from "./command.ts";
import { resolveSettings } from "./config.ts";
import { logWarnings } from "./job.ts";
import { exactJson } from "./json.ts";
import type { Output } from "./output.ts";
import { s3OptionsOf } from "./places.ts";
import { logFaults } from "./report.ts";
import { rowTable } from "./rows.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { table } from "./table.ts";
import { countText, plural } from "./units.ts";
import { share, wholeNumber } from "./values.ts";
import { watchStream } from "./watch.ts";

/** Fill rates of fewer messages would say little. */
const MESSAGES_AT_LEAST = 1000;

export default command({
  description:
    "Runs a stream on some raw input and shows the first rows, how often each column is filled, and why messages were " +
    "left out or failed. It stops reading when it has enough rows and has seen 1,000 messages. Nothing is written.",
  positionals: {
    stream: { description: "A built-in name, a name below ./streams, or a path ending in .ts" },
    place: { description: "A Heka file, a folder, a glob or an s3:// URL; - is stdin" },
  },
  flags: {
    number: { short: "n", kind: wholeNumber(1), value: "N", description: "Rows to show", default: "20" },
    sample: {
      kind: share,
      value: "N%",
      description: "Read only this share of the objects, chosen by their keys",
      default: "100%",
    },
    watch: {
      short: "w",
      description: "Do it again whenever the stream's file, or one that it imports, is saved; Ctrl-C ends it",
    },
    ...settingFlags(...S3_SETTINGS),
    json: { description: "One JSON object: rows, fill rates, books and causes" },
  },
  examples: [
    { does: "see what it makes of a file, as you edit", run: "derive try ./MyStream.ts ping.heka --watch" },
    { does: "the first rows of one file", run: "derive try ExampleStream ping.heka" },
    { does: "five rows of a large folder, from all over it", run: "derive try ./MyStream.ts raw --sample 1% -n 5" },
  ],
  async run({ args, flags, output, signal }) {
    const s3 = s3OptionsOf(resolveSettings(flags), "input");
    const stream = resolveStream(args.stream);
    const stdin = args.place === "-" ? await spoolStdin() : undefined;
    try {
      const { place, objects } = await findNamed([stdin?.path ?? args.place], { s3 });
      if (objects.length === 0) throw new InputError(`Cannot try ${args.place}: there is no file in it`);
      const tryOnce = async (): Promise<void> => {
        const sample = await sampleRows(
          {
            stream,
            place,
            objects: sampleObjects(objects, flags.sample),
            enough: { rows: flags.number, messages: MESSAGES_AT_LEAST },
          },
          signal,
        );
        logWarnings(sample.facts, output);
        const columns = sample.facts.schema.fields.map(({ name }) => name);
        await (flags.json ? writeJson : writeTables)(sample, columns, flags.number, output);
      };
      if (flags.watch) await watchStream(stream, tryOnce, output, signal);
      else await tryOnce();
      return 0;
    } finally {
      await stdin?.remove();
    }
  },
});

async function writeTables(sample: Sample, columns: string[], number: number, output: Output): Promise<void> {
  const { rows, filled, total } = await lookAt(sample, columns, number);
  await output.write(rowTable(rows, columns, output).text);
  await output.flush(); // before words for people, which go to stderr
  const fill = columns.map((name, index) => [name, percentText(filled[index]!, total)]);
  if (total > 0) {
    output.log.info(
      table([{ name: "column" }, { name: "filled", right: true }], fill, undefined, output.paintError).text,
    );
  }
  const { decoded, written, filtered, failed } = sample.books;
  output.log.info(
    `${plural(decoded, "message")}: ${plural(written, "row")}, ${countText(filtered)} filtered, ${countText(failed)} failed`,
  );
  logFaults(sample.books, output);
}

async function writeJson(sample: Sample, columns: string[], number: number, output: Output): Promise<void> {
  const { rows, filled, total } = await lookAt(sample, columns, number);
  const fill = Object.fromEntries(columns.map((name, index) => [name, total === 0 ? null : filled[index]! / total]));
  await output.write(`${exactJson({ rows, fill, ...sample.books })}\n`);
}

/** The first `number` rows, and how many of all rows have a value in each column. */
async function lookAt({ file }: Sample, columns: readonly string[], number: number) {
  const rows: Record<string, unknown>[] = [];
  const filled = columns.map(() => 0);
  let total = 0;
  const isWhole = file.byteLength === file.buffer.byteLength;
  const bytes = (isWhole ? file : file.slice()).buffer as ArrayBuffer;
  for await (const row of readRows(bytes)) {
    if (total++ < number) rows.push(row);
    columns.forEach((name, index) => {
      if (row[name] !== null && row[name] !== undefined) filled[index]!++;
    });
  }
  return { rows, filled, total };
}

function percentText(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  return `${part > 0 && percent < 0.1 ? "< 0.1" : percent.toFixed(percent === 100 || percent === 0 ? 0 : 1)} %`;
}
