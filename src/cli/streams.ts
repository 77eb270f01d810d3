// `derive streams`: the streams there are.
import { availableStreams, describeStream, type StreamFacts } from "../jobs/streams.ts";
import { errorText } from "../told.ts";
import { command } from "./command.ts";
import { visible } from "./table.ts";
import { plural } from "./units.ts";

export default command({
  description:
    "The built-in streams, then those of ./streams/*.ts: each with the dataset it reads, what it is for and its " +
    "columns. A file that cannot be used is named with the cause, and the others are listed.",
  positionals: {},
  flags: { json: { description: "One JSON object a line: name, builtin or path, dataset, version, columns, …" } },
  examples: [
    { does: "what is there?", run: "derive streams" },
    { does: "the names alone", run: "derive streams --json | jq -r .name" },
  ],
  async run({ flags, output, signal }) {
    let broken = 0;
    for (const { name, ref } of availableStreams()) {
      if (signal.aborted) break;
      let facts: StreamFacts;
      try {
        facts = await describeStream(ref);
      } catch (error) {
        broken++;
        output.log.error(`${name}: ${errorText(error)}`);
        continue;
      }
      const { streamName: dataset, version, description = "", dimensions, schema } = facts;
      const columns = schema.fields.map((field) => field.name);
      if (flags.json) {
        const line = { name, ...ref, dataset, version, description, dimensions, columns };
        await output.write(`${JSON.stringify(line)}\n`);
      } else {
        const about = [
          `${output.paint("bold", visible(name))}  ${visible(dataset)}  ${"path" in ref ? visible(ref.path) : "built in"}`,
          ...(description === "" ? [] : [`  ${visible(description)}`]),
          `  ${plural(columns.length, "column")}: ${visible(columns.join(", "))}`,
        ];
        await output.write(`${about.join("\n")}\n\n`);
      }
    }
    return broken > 0 ? 2 : 0;
  },
});
