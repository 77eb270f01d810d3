// `derive check`: are the types of streams right? With the type checker that the program carries.
import { writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { authorsStreams, testsOf } from "./author-files.ts";
import { inPrivateFolder, runBun } from "./bun-itself.ts";
import { command } from "./command.ts";
import { EXIT } from "./exit.ts";
import { plural } from "./units.ts";

export default command({
  description:
    "Type-checks streams, what they import, and the tests beside them. Nothing has to be installed, and nothing in the " +
    "working directory is read but the files themselves. Complaints go to stdout, one a line: file(line,column): error.",
  positionals: {
    stream: {
      optional: true,
      many: true,
      description: "Paths ending in .ts, or names below ./streams; all of these where absent",
    },
  },
  flags: {},
  examples: [
    { does: "all streams here", run: "derive check" },
    { does: "one of them", run: "derive check ./MyStream.ts" },
  ],
  async run({ args, output, signal }) {
    const streams = authorsStreams(args.stream, "check");
    const files = [...new Set(streams.flatMap((path) => [path, ...testsOf(path)]))];
    const { exit, stdout, stderr } = await inPrivateFolder(async (folder) => {
      const { derive } = await import("./author-types.ts");
      writeFileSync(join(folder, "derive.d.ts"), derive);
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(compilerOptions(files)));
      const ran = await runBun(folder, ["check", "--no-script", "--no-pretty", "--all"], "keep", signal);
      // It names files as they are seen from its own folder.
      const stdout = ran.stdout.replace(/^([^\s(][^(\n]*)(?=\(\d+,\d+\): )/gm, (path) =>
        relative(".", resolve(folder, path)),
      );
      return { ...ran, stdout };
    });
    const complaints = stdout.split("\n").filter((line) => line !== "" && !/^Found \d+ error/.test(line));
    if (complaints.length > 0) await output.write(`${complaints.join("\n")}\n`);
    if (exit !== 0) {
      if (complaints.length === 0)
        throw new UsageError(`Cannot check: the type checker ended with ${exit}: ${stderr.trim()}`);
      output.log.error(plural(complaints.filter((line) => /^\S/.test(line)).length, "type error"));
      return EXIT.usage;
    }
    output.log.success(`${plural(files.length, "file")}: no type errors`);
    return EXIT.done;
  },
});

function compilerOptions(files: readonly string[]) {
  return {
    compilerOptions: {
      target: "ESNext",
      lib: ["ESNext"],
      types: [],
      module: "preserve",
      moduleResolution: "bundler",
      allowImportingTsExtensions: true,
      resolveJsonModule: true,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    },
    files: ["derive.d.ts", ...files],
  };
}
