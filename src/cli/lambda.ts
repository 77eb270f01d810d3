// `derive lambda`: the function that S3's events wake, inside Lambda.
import { UsageError } from "../errors.ts";
import type { EventFunction } from "../lambda/invocation.ts";
import { createLog, type Log } from "../lambda/log.ts";
import { failInit, serveInvocations } from "../lambda/loop.ts";
import { RuntimeApi } from "../lambda/runtime-api.ts";
import { version } from "../version.ts";
import { command } from "./command.ts";
import { resolveSettings } from "./config.ts";
import { FUNCTION_SETTINGS, prepareFunction } from "./event-function.ts";
import { settingFlags } from "./settings.ts";

export default command({
  description:
    "Asks Lambda's Runtime API for events and derives each new raw object into an event part beside the partitions of " +
    "derive batch. derive without arguments does the same where AWS_LAMBDA_RUNTIME_API is set. The log on stdout is one " +
    "JSON object a line, with metrics in CloudWatch's embedded format.\n\n" +
    "Settings come from flags, DERIVE_* variables and the file that DERIVE_CONFIG names; a derive.toml that lies around is " +
    "not read. derive invoke does the same for one event, anywhere.",
  positionals: {
    stream: {
      description:
        "A built-in name, a name below streams/, or a path ending in .ts, below LAMBDA_TASK_ROOT; default: DERIVE_STREAM, else the handler",
      optional: true,
    },
  },
  flags: settingFlags(...FUNCTION_SETTINGS),
  examples: [
    { does: "inside an image whose CMD is the stream's file", run: "derive lambda" },
    { does: "with the stream named", run: "derive lambda MyStream.ts" },
  ],
  exitCodes: { 4: "the Runtime API gave no invocation", 6: "the Runtime API took no answer" },
  async run({ args, flags, output, signal }) {
    const { AWS_LAMBDA_RUNTIME_API, DERIVE_STREAM, _HANDLER, LAMBDA_TASK_ROOT } = process.env;
    if (!AWS_LAMBDA_RUNTIME_API) {
      throw new UsageError(
        "Cannot find the Runtime API: AWS_LAMBDA_RUNTIME_API is not set, as it is inside Lambda. `derive invoke` needs none",
      );
    }
    const api = new RuntimeApi(AWS_LAMBDA_RUNTIME_API);
    let func: EventFunction;
    try {
      const stream = args.stream || DERIVE_STREAM || _HANDLER;
      if (!stream) {
        throw new UsageError(
          "Cannot find the stream: none is named. Set the image's CMD to its file, as in MyStream.ts, or DERIVE_STREAM",
        );
      }
      const settings = resolveSettings(flags, process.env, null);
      func = await prepareFunction(stream, LAMBDA_TASK_ROOT || process.cwd(), settings);
    } catch (error) {
      await failInit(api, error).catch(() => {}); // the error at hand is the one to tell
      throw error;
    }
    try {
      // Where the log goes nowhere events are answered all the same.
      const write = (line: string): void => void output.write(line).catch(() => {});
      const flush = () => output.flush().catch(() => {});
      tellReady(createLog(write), func);
      await serveInvocations(api, func, { write, flush, signal });
      return 0;
    } finally {
      func.pool.close();
    }
  },
});

function tellReady(log: Log, { job, outputs, workers }: EventFunction): void {
  const { name, version: streamVersion, streamName, warnings } = job.facts;
  log("INFO", `derive ${version} is ready for stream ${name}`, {
    streamVersion,
    dataset: streamName,
    output: outputs[0],
    workers,
  });
  for (const warning of warnings) log("WARN", `${name}: ${warning}`);
}
