// `derive catalog`: the statements that make derived datasets known to query engines.
import { findDatasets } from "../jobs/catalog.ts";
import { openSource } from "../storage/place.ts";
import { CATALOGUES } from "./catalog-statements.ts";
import { command } from "./command.ts";
import { resolveSettings } from "./config.ts";
import { EXIT } from "./exit.ts";
import { placeOf } from "./places.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { plural } from "./units.ts";
import { oneOf } from "./values.ts";

export default command({
  description:
    "Prints what registers the datasets at and below a place: a table and its partitions for Hive and Spark; for Athena and Glue a table " +
    "whose days Athena computes by itself (partition projection), with partitions where there is more than days; for DuckDB a view " +
    "over exactly the parts that each _SUCCESS names. Nothing is run, and nothing is asked of a catalogue.\n\n" +
    "Glue's JSON is what `aws glue create-table --cli-input-json` takes as TableInput, and batch-create-partition as PartitionInputList.",
  positionals: { place: { description: "An output, or one of its folders" } },
  flags: {
    for: {
      kind: oneOf("hive", "athena", "glue", "duckdb", "spark"),
      required: true,
      description: "The engine",
      value: "ENGINE",
    },
    ...settingFlags(...S3_SETTINGS),
  },
  examples: [
    { does: "query it with DuckDB", run: "derive catalog derived --for duckdb > views.sql" },
    { does: "one table in Athena", run: "derive catalog s3://bucket/derived/my_stream/v1 --for athena" },
  ],
  exitCodes: { [EXIT.input]: "nothing is committed at that place, or it cannot be listed" },
  async run({ args, flags, output }) {
    const datasets = await findDatasets(openSource(placeOf(resolveSettings(flags), "output", args.place)));
    await output.write(datasets.map(CATALOGUES[flags.for]).join("\n"));
    await output.flush();
    const partitions = datasets.reduce((sum, dataset) => sum + dataset.partitions.length, 0);
    output.log.info(`${plural(datasets.length, "dataset")}, ${plural(partitions, "partition")}`);
    return EXIT.done;
  },
});
