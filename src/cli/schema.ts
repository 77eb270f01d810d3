// `derive schema`: a stream's schema, as Avro and as Parquet; and what a change of it means to readers.
import { type Change, compareSchemas } from "../avro/evolution.ts";
import { UsageError } from "../errors.ts";
import { command } from "./command.ts";
import { resolveSettings } from "./config.ts";
import { EXIT } from "./exit.ts";
import type { Output } from "./output.ts";
import { s3OptionsOf } from "./places.ts";
import { findSchema } from "./schemas.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { oneOf } from "./values.ts";

export default command({
  description:
    "The Avro schema as the stream gives it, or the Parquet schema that follows from it.\n\n" +
    "`derive schema check OLD NEW` tells what readers of old and new files together will meet. Each is a stream, an Avro schema " +
    "(.avsc, .json), or derived Parquet. Columns may come and go, and null may; a column of another type is incompatible, exit 5: " +
    "give the stream a new version, which is written to a folder of its own. batch refuses it for the same reason.",
  positionals: {
    stream: {
      many: true,
      description: "A built-in name, a name below ./streams, a path ending in .ts; or check OLD NEW",
    },
  },
  flags: {
    format: { kind: oneOf("avro", "parquet"), description: "Which of the two", default: "avro" },
    json: { description: "With check: one JSON object a line: path, compatible, says" },
    ...settingFlags(...S3_SETTINGS),
  },
  examples: [
    { does: "the Avro schema, as JSON", run: "derive schema ExampleStream" },
    { does: "the columns that readers of the files see", run: "derive schema ./MyStream.ts --format parquet" },
    {
      does: "may this day be added to those there are?",
      run: "derive schema check derived/my_stream/v1 ./MyStream.ts",
    },
  ],
  exitCodes: { [EXIT.conflict]: "with check: readers cannot read both as one" },
  async run({ args, flags, output }) {
    const s3 = s3OptionsOf(resolveSettings(flags), "output");
    const [first = "", ...others] = args.stream;
    if (first === "check" && others.length === 2) {
      const [before, after] = [await findSchema(others[0]!, s3), await findSchema(others[1]!, s3)];
      return tellChanges(compareSchemas(before, after), flags.json, output);
    }
    if (others.length > 0) {
      throw new UsageError(
        `Cannot show ${args.stream.length} schemas at once: name one, or write \`derive schema check OLD NEW\``,
      );
    }
    const schema = await findSchema(first, s3);
    if (flags.format === "avro") await output.write(`${JSON.stringify(schema.literal, null, 2)}\n`);
    else {
      const { toParquetSchema } = await import("../avro/columns.ts");
      const { parquetSchemaText } = await import("../parquet/schema.ts");
      await output.write(`${parquetSchemaText(toParquetSchema(schema)).trimEnd()}\n`);
    }
    return EXIT.done;
  },
});

async function tellChanges(changes: readonly Change[], json: boolean, output: Output): Promise<number> {
  for (const change of changes) {
    const mark = change.compatible ? output.paint("green", "compatible  ") : output.paint("red", "incompatible");
    await output.write(
      json ? `${JSON.stringify(change)}\n` : `${mark}  ${change.path === "" ? "" : `${change.path} `}${change.says}\n`,
    );
  }
  const isCompatible = changes.every((change) => change.compatible);
  await output.flush();
  if (changes.length === 0) output.log.info("the same columns");
  else if (!isCompatible)
    output.log.error("readers cannot read old and new files as one table. Raise the stream's version");
  return isCompatible ? EXIT.done : EXIT.conflict;
}
