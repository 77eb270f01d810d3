// `derive ls`: which raw datasets there are, which days one has, what a day holds.
import { type DayListing, listDay, listDays } from "../jobs/browse.ts";
import { parseDay } from "../jobs/dimensions.ts";
import { readDatasets } from "../jobs/metadata.ts";
import { openSource } from "../storage/place.ts";
import { command, type Invocation } from "./command.ts";
import { resolveSettings, type Settings } from "./config.ts";
import { findDataset, openMetadata } from "./dataset.ts";
import { EXIT } from "./exit.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { table, visible } from "./table.ts";
import { bytesText, countText, plural } from "./units.ts";

/** Values of a dimension that are listed for people; --json has them all. */
const VALUES_SHOWN = 8;

export default command({
  description:
    "Alone, the datasets that sources.json (or derive.toml) names; with a dataset, its raw days; with a day, its " +
    "objects and bytes by the values of each dimension.",
  positionals: {
    dataset: { optional: true, description: "A dataset by its name in sources.json" },
    day: { optional: true, description: "20151028, 2015-10-28, yesterday, -3d (UTC)" },
  },
  flags: {
    ...settingFlags("metadata", "input", ...S3_SETTINGS),
    json: { description: "One JSON object a line, every value of every dimension" },
  },
  examples: [
    { does: "which datasets are there?", run: "derive ls --metadata ./raw" },
    { does: "which days?", run: "derive ls telemetry --metadata ./raw --input ./raw" },
    { does: "what is in one?", run: "derive ls telemetry 2015-10-28 --metadata ./raw --input ./raw" },
  ],
  exitCodes: { [EXIT.input]: "the metadata or the day is missing or cannot be read" },
  async run({ args, flags, output }) {
    const settings = resolveSettings(flags);
    if (args.dataset === undefined) return listDatasets(settings, flags.json, output);
    const { dataset, place } = await findDataset(settings, args.dataset);
    const source = openSource(place);
    if (args.day === undefined) {
      const days = await listDays(source, dataset);
      const line = flags.json ? (day: string) => JSON.stringify({ day }) : visible;
      for (const day of days) await output.write(`${line(day)}\n`);
      if (days.length === 0) output.log.warn(`there are no days below ${source.urlOf(dataset.prefix)}`);
      return EXIT.done;
    }
    const listing = await listDay(source, dataset, parseDay(args.day));
    if (flags.json) await output.write(`${JSON.stringify(listing)}\n`);
    else await output.write(dayText(listing, output));
    if (listing.objects > 0) return EXIT.done;
    output.log.warn(`there are no objects of ${listing.day} below ${source.urlOf(dataset.prefix)}`);
    return EXIT.input;
  },
});

async function listDatasets(settings: Settings, json: boolean, output: Invocation["output"]): Promise<number> {
  const datasets = [...settings.sources.values(), ...(await metadataDatasets(settings))];
  if (json) for (const dataset of datasets) await output.write(`${JSON.stringify(dataset)}\n`);
  else {
    const rows = datasets.map(({ name, prefix, description }) => [name, prefix, description ?? ""]);
    const columns = [{ name: "dataset" }, { name: "prefix" }, { name: "description" }];
    await output.write(table(columns, rows, output.width, output.paint).text);
  }
  return EXIT.done;
}

/** Those of sources.json that derive.toml does not describe itself. */
async function metadataDatasets(settings: Settings) {
  if (settings.metadata === undefined && settings.sources.size > 0) return [];
  const metadata = openMetadata(settings, "the datasets");
  return [...(await readDatasets(metadata)).values()].filter(({ name }) => !settings.sources.has(name));
}

function dayText(
  { day, objects, storedBytes, dimensions, strangers }: DayListing,
  { paint, width }: Invocation["output"],
): string {
  const rows = dimensions.flatMap(({ name, values }) => {
    const largest = values.toSorted((a, b) => b.storedBytes - a.storedBytes);
    const shown = largest
      .slice(0, VALUES_SHOWN)
      .map((value, i) => [i === 0 ? name : "", value.value, countText(value.objects), bytesText(value.storedBytes)]);
    const rest = largest.length - shown.length;
    return rest > 0 ? [...shown, ["", `… ${rest} more`, "", ""]] : shown;
  });
  const columns = [
    { name: "dimension" },
    { name: "value" },
    { name: "objects", right: true },
    { name: "stored", right: true },
  ];
  const head = `${paint("bold", day)}  ${plural(objects, "object")}, ${bytesText(storedBytes)}\n`;
  const foreign =
    strangers.length === 0
      ? ""
      : `\n${plural(strangers.length, "key")} not of the dataset's form, such as ${visible(strangers[0])}\n`;
  return rows.length === 0 ? head : `${head}\n${table(columns, rows, width, paint).text}${foreign}`;
}
