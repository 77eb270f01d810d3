// `derive infer`: what is in some raw data, proposed as a stream.
import { FormatError, InputError } from "../errors.ts";
import { compileMatch, type Matcher } from "../heka/match/matcher.ts";
import { MessageDecoder } from "../heka/message.ts";
import { type ProposedColumn, propose } from "../survey/propose.ts";
import { Survey } from "../survey/survey.ts";
import { command } from "./command.ts";
import { resolveSettings } from "./config.ts";
import { EXIT } from "./exit.ts";
import { s3OptionsOf } from "./places.ts";
import { type RawInput, rawInputs, readSpans } from "./raw-inputs.ts";
import { S3_SETTINGS, settingFlags } from "./settings.ts";
import { visible } from "./table.ts";
import { plural } from "./units.ts";
import { share, text, wholeNumber } from "./values.ts";

export default command({
  description:
    "Samples messages of raw objects, from all over a place, and prints a stream with a column for each path there is: its type, " +
    "the share of messages that have it, and what its values look like (a uuid, a version, text of so many characters). Keep the " +
    "columns you want. Values are never shown unless --show-values asks for them.",
  positionals: { place: { description: "A Heka file, a folder, a glob or an s3:// URL" } },
  flags: {
    number: { short: "n", kind: wholeNumber(1), value: "N", default: "500", description: "Messages to look at" },
    match: { short: "m", kind: text, value: "EXPR", description: "Only messages that match, as in derive cat --match" },
    below: { kind: text, value: "PATH", description: "Only paths below this one, as in payload.info" },
    "min-fill": { kind: share, value: "N%", default: "1%", description: "Leave out paths that fewer messages have" },
    dataset: {
      kind: text,
      value: "NAME",
      default: "telemetry",
      description: "The raw dataset that the stream is to read",
    },
    "show-values": { description: "With some values of each path: they come from pings" },
    ...settingFlags(...S3_SETTINGS),
    json: { description: "One JSON object: messages, and for each column its path, fill, expression and looks" },
  },
  examples: [
    {
      does: "a stream of all that main pings hold",
      run: "derive infer raw/ -m 'Fields[docType] == \"main\"' > streams/Main.ts",
    },
    {
      does: "one section, also what few pings have",
      run: "derive infer raw/ --below environment.system --min-fill 0.1%",
    },
  ],
  exitCodes: { [EXIT.input]: "the place is missing, cannot be read or holds no message" },
  async run({ args, flags, output, signal }) {
    const match = flags.match === undefined ? undefined : compileMatch(flags.match);
    const inputs = await rawInputs(args.place, s3OptionsOf(resolveSettings(flags), "input"), signal);
    const survey = await surveyOf(inputs, flags.number, match, signal);
    if (survey.messages === 0)
      throw new InputError(`Cannot infer from ${args.place}: no message in it ${match ? "matches" : "can be read"}`);
    const below = flags.below?.split(".") ?? [];
    const { columns, rare } = propose(survey.root, flags["min-fill"], below);
    if (flags.json) {
      const shown = columns.map(({ examples, ...column }) => (flags["show-values"] ? { ...column, examples } : column));
      await output.write(`${JSON.stringify({ messages: survey.messages, rare, columns: shown }, null, 1)}\n`);
      return EXIT.done;
    }
    await output.write(streamText(columns, flags.dataset, survey.messages, flags["show-values"]));
    await output.flush();
    const left =
      rare > 0 ? `; ${plural(rare, "path")} that fewer have ${rare === 1 ? "is" : "are"} left out (--min-fill)` : "";
    output.log.info(`${plural(columns.length, "column")} from ${plural(survey.messages, "message")}${left}`);
    if (survey.unread > 0)
      output.log.warn(`of ${plural(survey.unread, "message")} only the fields were read: broken JSON`);
    return EXIT.done;
  },
});

/** Objects that are looked into, at the most: more of them say more than more of one. */
const OBJECTS = 100;

async function surveyOf(
  inputs: readonly RawInput[],
  number: number,
  match: Matcher | undefined,
  signal: AbortSignal,
): Promise<Survey> {
  const survey = new Survey();
  const step = Math.max(1, inputs.length / OBJECTS);
  const chosen = Array.from({ length: Math.min(inputs.length, OBJECTS) }, (_, i) => inputs[Math.floor(i * step)]!);
  chosen.sort((a, b) => a.size - b.size); // large ones last: they can make up for small ones
  for (const [index, input] of chosen.entries()) {
    const share = Math.ceil((number - survey.messages) / (chosen.length - index));
    await lookInto(input, survey, survey.messages + share, match, signal);
    if (survey.messages >= number || signal.aborted) break;
  }
  return survey;
}

async function lookInto(
  input: RawInput,
  survey: Survey,
  until: number,
  match: Matcher | undefined,
  signal: AbortSignal,
): Promise<void> {
  const decoder = new MessageDecoder();
  for await (const span of readSpans(input, { storedBytes: 0, bytes: 0 })) {
    if (signal.aborted || survey.messages >= until) return;
    if (span.kind !== "frame") continue;
    try {
      const message = decoder.decode(span.message);
      if (match?.(message) !== false) survey.add(message);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
}

function streamText(columns: readonly ProposedColumn[], dataset: string, messages: number, values: boolean): string {
  const lines = columns.flatMap(({ name, expression, fill, looks, examples, path }, index) => {
    const section = path.slice(0, -1).join(".");
    const isNew = section !== (columns[index - 1]?.path.slice(0, -1).join(".") ?? "");
    const shown =
      values && examples.length > 0 ? `, such as ${examples.map((one) => visible(JSON.stringify(one))).join(" ")}` : "";
    const about = [percentText(fill), looks].filter((word) => word !== "").join(", ");
    return [
      ...(isNew ? ["", `    // ${section === "" ? "the message itself" : visible(section)}`] : []),
      `    ${name}: ${expression}, // ${about}${shown}`,
    ];
  });
  const kinds = [
    ...new Set(lines.join("\n").match(/\b(string|int|long|double|boolean|bytes|json|list|map|record)(?=\()/g) ?? []),
  ];
  return `// Proposed from ${plural(messages, "message")}: keep the columns you want. The numbers tell how many messages have a value.
import { ${["defineStream", ...kinds].sort().join(", ")} } from "derive";

export default defineStream({
  streamName: ${JSON.stringify(dataset)},
  columns: {
${lines.join("\n")}
  },
});
`;
}

function percentText(fill: number): string {
  const percent = fill * 100;
  return `${percent === 100 ? 100 : percent < 0.1 ? "< 0.1" : Math.min(percent, 99.9).toFixed(1)} %`;
}
