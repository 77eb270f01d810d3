// `derive invoke`: events through the very loop that runs inside Lambda, with a Runtime API inside the process.
import { relative, resolve } from "node:path";
import { InputError, UsageError } from "../errors.ts";
import type { EventFunction } from "../lambda/invocation.ts";
import { startLocalApi } from "../lambda/local-api.ts";
import { serveInvocations } from "../lambda/loop.ts";
import { RuntimeApi } from "../lambda/runtime-api.ts";
import { SHAPES, type Wrapped, wrapObject } from "../lambda/wrap.ts";
import { openSource, pathOfPlace, splitS3 } from "../storage/place.ts";
import { command } from "./command.ts";
import { resolveSettings, type Settings } from "./config.ts";
import { FUNCTION_SETTINGS, prepareFunction } from "./event-function.ts";
import { exitCodeOf } from "./exit.ts";
import { JOB_EXIT_CODES } from "./job.ts";
import { placeOf, s3OptionsOf } from "./places.ts";
import { settingFlags } from "./settings.ts";
import { duration, oneOf } from "./values.ts";

export default command({
  description:
    "Sends events, one after the other, to the function that runs inside Lambda, and prints its replies on stdout, one JSON " +
    "value a line; log and metrics go to stderr. An argument that ends in .json is an event, - one on stdin; any other names a " +
    "raw object, which is wrapped into an event. With --input keys are looked up below that place, whatever bucket an event names.",
  positionals: {
    stream: { description: "A built-in name, a name below ./streams, or a path ending in .ts" },
    event: { description: "Events (event.json, -) or raw objects (a path below --input, an s3:// URL)", many: true },
  },
  flags: {
    shape: {
      kind: oneOf(...SHAPES),
      description: "The service that tells of a raw object",
      default: "s3",
    },
    timeout: { kind: duration, value: "TIME", description: "What the function has for each event", default: "900s" },
    ...settingFlags(...FUNCTION_SETTINGS),
  },
  examples: [
    { does: "an event as it was logged", run: "derive invoke MyStream event.json --input raw -o derived" },
    {
      does: "a raw object, as if SQS had told of it",
      run: "derive invoke MyStream raw/day/object --input raw -o derived --shape sqs",
    },
    {
      does: "in the time that the function will have",
      run: "derive invoke MyStream s3://bucket/key -o derived --timeout 30s",
    },
  ],
  exitCodes: JOB_EXIT_CODES,
  async run({ args, flags, output, signal }) {
    const settings = resolveSettings(flags);
    const func = await prepareFunction(args.stream, process.cwd(), settings);
    const finished = new AbortController();
    const stop = (): void => finished.abort();
    signal.addEventListener("abort", stop);
    const errors: Error[] = [];
    const replies: string[] = [];
    try {
      const events: string[] = [];
      for (const event of args.event) events.push(await eventOf(event, flags.shape, settings, func));
      const api = startLocalApi(events, flags.timeout, ({ body }) => {
        replies.push(body);
        if (replies.length === events.length) stop();
      });
      try {
        await serveInvocations(new RuntimeApi(api.host), func, {
          write: (line) => output.log.info(line.trimEnd()),
          flush: async () => {},
          ended: (answered) => errors.push(...answered.errors),
          signal: finished.signal,
        });
      } finally {
        await api.stop();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      func.pool.close();
    }
    for (const reply of replies) await output.write(`${reply}\n`);
    return Math.max(0, ...errors.map(exitCodeOf));
  },
});

async function eventOf(written: string, shape: (typeof SHAPES)[number], settings: Settings, func: EventFunction) {
  if (written === "-") return await Bun.stdin.text();
  if (/\.json$/i.test(written)) return await readEventFile(written);
  return JSON.stringify(wrapObject(await objectAt(written, settings, func), shape));
}

async function readEventFile(path: string): Promise<string> {
  const file = pathOfPlace(path);
  try {
    return await Bun.file(file).text();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`Cannot read the event ${path}: ${code === "ENOENT" ? "there is no such file" : code}`);
  }
}

/** The object that a path or URL names. */
async function objectAt(written: string, settings: Settings, { bucket }: EventFunction): Promise<Wrapped> {
  const there = splitS3(written);
  if (there) {
    const source = openSource({ url: `s3://${there.bucket}`, s3: s3OptionsOf(settings, "input") });
    return { bucket: there.bucket, key: there.prefix, size: await sizeOf(source, there.prefix) };
  }
  if (settings.input === undefined || splitS3(settings.input)) {
    throw new UsageError(
      `Cannot make an event of ${written}: no bucket is known for it. Give --input PLACE, the folder that stands in for the bucket`,
    );
  }
  const key = relative(resolve(pathOfPlace(settings.input)), resolve(pathOfPlace(written)));
  if (key.startsWith("..")) {
    throw new UsageError(`Cannot make an event of ${written}: it does not lie below --input ${settings.input}`);
  }
  const source = openSource(placeOf(settings, "input", settings.input));
  return { bucket: bucket ?? "local", key, size: await sizeOf(source, key) };
}

async function sizeOf(source: ReturnType<typeof openSource>, key: string): Promise<number> {
  const found = await source.head(key);
  if (found === undefined)
    throw new InputError(`Cannot make an event of ${source.urlOf(key)}: there is no such object`);
  return found.size;
}
