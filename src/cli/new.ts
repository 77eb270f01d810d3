// `derive new`: a stream to begin from, its test beside it, and a derive.toml where there is none.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { OutputError, UsageError } from "../errors.ts";
import { ownStreams } from "../jobs/stream-sources.ts";
import { command } from "./command.ts";
import { configTemplate, streamTemplate, testTemplate } from "./new-templates.ts";
import { text } from "./values.ts";

export default command({
  description:
    "Writes streams/NAME.ts with comments that explain what it may say, streams/NAME.test.ts beside it, and a derive.toml in the " +
    "working directory where there is none. Nothing that is there is written over.",
  positionals: { name: { description: "A name such as MyStream, or a path ending in .ts" } },
  flags: {
    dataset: {
      kind: text,
      value: "NAME",
      default: "telemetry",
      description: "The raw dataset, as sources.json names it",
    },
  },
  examples: [
    { does: "begin, and look at what it makes of some raw data", run: "derive new MyStream" },
    { does: "of another dataset, in another folder", run: "derive new ./analyses/Crashes.ts --dataset crashes" },
  ],
  exitCodes: { 6: "a file could not be written" },
  async run({ args, flags, output }) {
    const isPath = args.name.endsWith(".ts");
    const path = resolve(isPath ? args.name : `streams/${args.name}.ts`);
    const name = isPath ? basename(path, ".ts") : args.name;
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new UsageError(`Cannot name a stream ${name}: letters, digits and _, not a digit first, as in MyStream`);
    }
    if (ownStreams.includes(name)) throw new UsageError(`Cannot name a stream ${name}: one of that name is built in`);
    const test = path.replace(/\.ts$/, ".test.ts");
    for (const taken of [path, test].filter(existsSync)) {
      throw new UsageError(`Cannot write ${taken}: it is there already. Choose another name`);
    }
    const files: [string, string][] = [
      [path, streamTemplate(name, flags.dataset)],
      [test, testTemplate(name)],
    ];
    const config = resolve("derive.toml");
    if (!existsSync(config)) files.push([config, configTemplate(flags.dataset)]);
    for (const [file, content] of files) {
      write(file, content);
      output.log.info(`wrote ${relative(".", file)}`);
    }
    const shown = `./${relative(".", path)}`;
    const next = [
      [`derive try ${shown} raw/ --watch`, "see what it makes of raw files, as you edit"],
      [`derive check ${shown}`, "are the types right?"],
      [`derive test ${shown}`, "run its test"],
      ["derive types", "completion and types in your editor"],
    ] as const;
    const room = Math.max(...next.map(([command]) => command.length));
    output.log.info(`\nNext:\n${next.map(([command, does]) => `  ${command.padEnd(room)}  ${does}`).join("\n")}`);
    return 0;
  },
});

function write(path: string, content: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { flag: "wx" });
  } catch (error) {
    throw new OutputError(`Cannot write ${path}: ${(error as NodeJS.ErrnoException).code}. Choose another folder`);
  }
}
