// `derive test`: the tests of streams, with the test runner that the program carries.
import { UsageError } from "../errors.ts";
import { authorsStreams, testsOf } from "./author-files.ts";
import { inPrivateFolder, runBun, writePreload } from "./bun-itself.ts";
import { command } from "./command.ts";
import { EXIT } from "./exit.ts";
import { text } from "./values.ts";

export default command({
  description:
    'Runs the tests of streams (MyStream.test.ts beside MyStream.ts): "bun:test" for test and expect, "derive/test" for derivePing, ' +
    "which sends a ping through a stream as the program would. Nothing has to be installed, and the working directory's " +
    "bunfig.toml, package.json and .env have no effect. What the runner says goes to stderr.",
  positionals: {
    stream: {
      optional: true,
      many: true,
      description: "Streams or tests: paths ending in .ts, or names below ./streams; all of these where absent",
    },
  },
  flags: {
    filter: {
      short: "t",
      kind: text,
      value: "PATTERN",
      description: "Only tests whose names match, a regular expression",
    },
  },
  examples: [
    { does: "all tests of the streams here", run: "derive test" },
    { does: "one test", run: "derive test MyStream -t hours" },
  ],
  exitCodes: { 2: "a test failed; or a wrong command line, configuration or stream" },
  async run({ args, flags, signal }) {
    const streams = authorsStreams(args.stream, "test");
    const tests = [...new Set(streams.flatMap(testsOf))];
    if (tests.length === 0) {
      const [first] = streams;
      throw new UsageError(
        `Cannot test: there is no test. Write ${first!.replace(/\.([cm]?ts)$/, ".test.$1")}; \`derive new\` shows how`,
      );
    }
    const filter = flags.filter === undefined ? [] : ["-t", flags.filter];
    const { exit } = await inPrivateFolder((folder) =>
      runBun(
        folder,
        ["test", "--preload", writePreload(folder, process.cwd()), ...filter, ...tests],
        "pass on",
        signal,
      ),
    );
    return exit === 0 ? EXIT.done : EXIT.usage;
  },
});
