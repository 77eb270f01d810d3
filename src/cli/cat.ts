// `derive cat`: the messages of raw objects, as they are.
import { FormatError, InputError, UsageError } from "../errors.ts";
import { type Frame, frameBytes } from "../heka/frame.ts";
import { compileMatch, type Matcher } from "../heka/match/matcher.ts";
import { MessageDecoder, type RawMessage } from "../heka/message.ts";
import type { S3Options } from "../storage/ports.ts";
import { errorText } from "../told.ts";
import { command } from "./command.ts";
import { resolveSettings } from "./config.ts";
import { EXIT } from "./exit.ts";
import { createFaultLog, type FaultLog } from "./faults.ts";
import { jsonLine, textBlock } from "./messages.ts";
import type { Output } from "./output.ts";
import { s3OptionsOf } from "./places.ts";
import { type RawInput, rawInputs, readSpans } from "./raw-inputs.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { bytesText, countText, plural } from "./units.ts";
import { oneOf, text, wholeNumber } from "./values.ts";

export default command({
  description:
    "Reads framed Heka records: objects of both eras, plain or Snappy messages, whole objects in gzip or zstd.\n\n" +
    "json is one object a line: uuid, timestamp (nanoseconds), type, logger, severity, payload, envVersion, pid, " +
    "hostname, fields. Integers are exact, bytes are base64, a field with several values is a list. text is for " +
    "reading, with long values cut. heka copies whole frames, undecodable ones too.\n\n" +
    "--match takes Heka's message matcher: tests of Uuid, Type, Logger, Payload, EnvVersion, Hostname, Timestamp (a number " +
    "of nanoseconds or RFC 3339), Severity, Pid and Fields[name] (or Fields[name][field][value], from 0) by == != > >= < <= " +
    '=~ !~ against "text", numbers, /regex/, TRUE, FALSE or NIL, joined by && and || with parentheses. A test of a variable ' +
    "that is absent or of another type does not match; == NIL asks for absence.\n\n" +
    "Damaged bytes and undecodable frames are told on stderr with their offsets; they do not change the exit code.",
  positionals: {
    path: { many: true, description: "Files, folders, globs, s3:// URLs, or - for stdin" },
  },
  flags: {
    format: { kind: oneOf("json", "text", "heka"), description: "What to print of each message", default: "json" },
    number: { short: "n", kind: wholeNumber(), value: "N", description: "Stop after N messages" },
    match: { short: "m", kind: text, value: "EXPR", description: "Only messages that match" },
    offset: {
      kind: wholeNumber(),
      value: "N",
      description: "Begin with the frame at byte N, as errors tell it (after decompression); for a single object",
    },
    ...settingFlags(...S3_SETTINGS),
    count: { description: "Print a line per object in place of messages: its messages, bytes and faults" },
    json: { description: "With --count: one JSON object per line" },
  },
  examples: [
    { does: "the first message, to see what there is", run: "derive cat -n 1 --format text raw/object" },
    {
      does: "main and saved-session pings from Windows",
      run: "derive cat raw/ --match 'Fields[docType] =~ /^(main|saved)/ && Fields[os] == \"WINNT\"'",
    },
    { does: "how many of each docType?", run: "derive cat raw/ | jq -r .fields.docType | sort | uniq -c" },
    { does: "the frame that an error named", run: "derive cat raw/object --offset 73214 -n 1" },
    {
      does: "the first hundred frames as a small test file",
      run: "derive cat raw/object --format heka -n 100 > few.heka",
    },
    { does: "do all bytes of a day read?", run: "derive cat --count 'raw/20151028/**'" },
  ],
  exitCodes: { [EXIT.input]: "an input is missing or cannot be read" },
  async run({ args, flags, output, signal }) {
    refuseConflicts(flags);
    const match = flags.match === undefined ? undefined : compileMatch(flags.match);
    let exit: number = EXIT.done;
    const fail = (error: unknown): void => {
      if (!(error instanceof InputError)) throw error;
      exit = EXIT.input;
      output.log.error(errorText(error));
    };
    const inputs = await findInputs(args.path, s3OptionsOf(resolveSettings(flags), "input"), signal, fail);
    if (flags.offset !== undefined && inputs.length > 1) {
      throw new UsageError(`Cannot use --offset with ${inputs.length} objects: name the one that the offset is of`);
    }
    const job: Job = {
      ...flags,
      from: flags.offset ?? 0,
      left: flags.number ?? Number.POSITIVE_INFINITY,
      match,
      output,
      signal,
      faults: createFaultLog(output),
    };
    for (const input of inputs) {
      if (job.left === 0 || signal.aborted) break;
      output.log.debug(`reading ${input.url}`);
      await (flags.count ? countObject(input, job) : printObject(input, job)).catch(fail);
    }
    job.faults.close();
    return exit;
  },
});

interface Job {
  readonly format: "json" | "text" | "heka";
  readonly json: boolean;
  /** The frame that holds this byte is the first to be printed. */
  readonly from: number;
  /** Messages still to be printed. */
  left: number;
  /** Which messages; all where absent. An undecodable frame holds none. */
  readonly match: Matcher | undefined;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly faults: FaultLog;
}

function refuseConflicts({
  count,
  format,
  json,
  number,
  offset,
}: {
  count: boolean;
  format: string;
  json: boolean;
  number?: number;
  offset?: number;
}): void {
  if (count && (number !== undefined || offset !== undefined)) {
    throw new UsageError("Cannot use --count with -n or --offset: it counts whole objects. Leave them out");
  }
  if (json && !count && format !== "json") {
    throw new UsageError(`Cannot use --json with --format ${format}: leave out one of them`);
  }
}

/** A path that names nothing is told, and the others are read. */
async function findInputs(
  paths: readonly string[],
  s3: S3Options,
  signal: AbortSignal,
  fail: (error: unknown) => void,
): Promise<RawInput[]> {
  const inputs: RawInput[] = [];
  for (const path of paths) {
    try {
      inputs.push(...(await rawInputs(path, s3, signal)));
    } catch (error) {
      fail(error);
    }
  }
  return inputs;
}

async function printObject(input: RawInput, job: Job): Promise<void> {
  const { format, output, faults } = job;
  const decoder = new MessageDecoder();
  const read = { storedBytes: 0, bytes: 0 };
  for await (const span of readSpans(input, read)) {
    if (job.signal.aborted) return;
    if (span.kind === "blank" || span.offset + span.length <= job.from) continue;
    if (span.kind === "damaged") {
      faults.tell(input.url, span.offset, span.length, span.cause);
      continue;
    }
    if (format === "heka" && job.match === undefined) await output.write(frameBytes(span));
    else {
      const message = decode(decoder, span, input.url, faults);
      if (message === undefined || job.match?.(message) === false) continue;
      if (format === "heka") await output.write(frameBytes(span));
      else if (format === "json") for (const piece of jsonLine(message)) await output.write(piece);
      else await output.write(textBlock(message, input.url, span.offset, output.paint));
    }
    if (--job.left === 0) return;
  }
  if (job.from > 0 && job.from >= read.bytes) {
    throw new InputError(`Cannot read ${input.url} at offset ${job.from}: it ends at ${read.bytes}`);
  }
}

/** The message of a frame; undefined, and told, where it holds none. */
function decode(decoder: MessageDecoder, frame: Frame, url: string, faults: FaultLog): RawMessage | undefined {
  try {
    return decoder.decode(frame.message);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    faults.tell(url, frame.offset, frame.length, error.message);
    return undefined;
  }
}

async function countObject(input: RawInput, { json, output, signal, faults, match }: Job): Promise<void> {
  const decoder = new MessageDecoder();
  const counts = {
    storedBytes: 0,
    bytes: 0,
    bytesInFrames: 0,
    bytesDamaged: 0,
    bytesBlank: 0,
    frames: 0,
    undecodable: 0,
    signed: 0,
    decoded: 0,
  };
  let matched = 0;
  for await (const span of readSpans(input, counts)) {
    if (signal.aborted) return;
    if (span.kind === "blank") counts.bytesBlank += span.length;
    else if (span.kind === "damaged") {
      counts.bytesDamaged += span.length;
      faults.tell(input.url, span.offset, span.length, span.cause);
    } else {
      counts.bytesInFrames += span.length;
      counts.frames++;
      if (span.signed) counts.signed++;
      const message = decode(decoder, span, input.url, faults);
      if (message === undefined) {
        counts.undecodable++;
        continue;
      }
      counts.decoded++;
      if (match?.(message)) matched++;
    }
  }
  const { decoded, bytes, bytesDamaged, undecodable, signed } = counts;
  const messages = plural(decoded, "message");
  const words = [match ? `${countText(matched)} of ${messages}` : messages, bytesText(bytes)];
  if (signed > 0) words.push(`${countText(signed)} signed`);
  if (undecodable > 0) words.push(`${countText(undecodable)} undecodable`);
  if (bytesDamaged > 0) words.push(`${bytesText(bytesDamaged)} damaged`);
  await output.write(
    json
      ? `${JSON.stringify({ object: input.url, ...counts, ...(match && { matched }) })}\n`
      : `${words.join(", ")}  ${input.url}\n`,
  );
}
