// `derive schema`: a stream's schema, as Avro and as Parquet.
import { parseSchema } from "../avro/schema.ts";
import { describeStream, resolveStream } from "../jobs/streams.ts";
import { command } from "./command.ts";
import { oneOf } from "./values.ts";

export default command({
  description: "The Avro schema as the stream gives it, or the Parquet schema that follows from it.",
  positionals: {
    stream: { description: "A built-in name, a name below ./streams, or a path ending in .ts" },
  },
  flags: {
    format: { kind: oneOf("avro", "parquet"), description: "Which of the two", default: "avro" },
  },
  examples: [
    { does: "the Avro schema, as JSON", run: "derive schema ExampleStream" },
    { does: "the columns that readers of the files see", run: "derive schema ./MyStream.ts --format parquet" },
  ],
  async run({ args, flags, output }) {
    const { schema } = await describeStream(resolveStream(args.stream));
    if (flags.format === "avro") await output.write(`${JSON.stringify(schema, null, 2)}\n`);
    else {
      const { toParquetSchema } = await import("../avro/columns.ts");
      const { parquetSchemaText } = await import("../parquet/schema.ts");
      await output.write(`${parquetSchemaText(toParquetSchema(parseSchema(schema))).trimEnd()}\n`);
    }
    return 0;
  },
});
