// `derive compile`: this program again, with streams of the user's built in.
import { realpathSync } from "node:fs";
import { basename } from "node:path";
import { kit } from "../compile/kit.ts";
import { UsageError } from "../errors.ts";
import { ownStreams } from "../jobs/stream-sources.ts";
import { describeStream, resolveStream } from "../jobs/streams.ts";
import { streamFiles } from "../pipeline/stream-files.ts";
import { command } from "./command.ts";
import { bytesText, plural } from "./units.ts";
import { text } from "./values.ts";

export default command({
  description:
    "Writes a new executable: this one, with the streams built in besides its own. It needs no toolchain and no network, and the " +
    "new program can compile again; what an earlier compile built in is not carried over. A stream keeps the fingerprint " +
    "that it has as a file, so days that were committed from the file count as done. With no stream it gives the original " +
    "program, byte for byte.",
  positionals: { stream: { optional: true, many: true, description: "Paths ending in .ts, or names below ./streams" } },
  flags: {
    output: { short: "o", kind: text, value: "FILE", required: true, description: "The executable to write" },
  },
  examples: [
    { does: "two streams in one program", run: "derive compile ./A.ts ./B.ts -o my-derive" },
    { does: "the original again", run: "derive compile -o derive" },
  ],
  exitCodes: { 6: "the executable could not be written" },
  async run({ args, flags, output }) {
    if (kit === undefined) {
      throw new UsageError(
        "Cannot compile from source: the built program carries what it takes. Run `npm run build` first",
      );
    }
    const started = performance.now();
    const paths = args.stream.map(pathOf);
    for (const path of paths) await describeStream({ path }); // what cannot be used is told before anything is built in
    const streams = [];
    for (const path of paths) streams.push({ path, files: await streamFiles(path) });
    const { assemble } = await import("../compile/assemble.ts");
    await assemble(kit, streams, flags.output);
    const { size } = Bun.file(flags.output);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    output.log.info(
      `wrote ${flags.output} (${bytesText(size)}) with ${plural(streams.length, "stream")} in ${seconds} s`,
    );
    return 0;
  },
});

function pathOf(nameOrPath: string, index: number, all: readonly string[]): string {
  const ref = resolveStream(nameOrPath);
  if ("builtin" in ref) {
    throw new UsageError(`Cannot build in ${nameOrPath}: it is built in already. Name a path ending in .ts`);
  }
  const path = realpathSync(ref.path);
  const name = streamName(path);
  if (ownStreams.includes(name))
    throw new UsageError(`Cannot build in ${path}: a stream ${name} is built in already. Rename the file`);
  if (all.slice(0, index).some((other) => streamName(other) === name)) {
    throw new UsageError(`Cannot build in ${path}: two streams are called ${name}. Rename one of the files`);
  }
  return path;
}

function streamName(path: string): string {
  return basename(path).replace(/\.[cm]?[jt]s$/, "");
}
