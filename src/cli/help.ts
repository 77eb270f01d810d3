// The help texts, made from the same definitions as the parser.
import { type Command, type CommandEntry, type Commands, commonFlags, type Flag, type Positional } from "./command.ts";
import type { Output } from "./output.ts";

type Page = Pick<Output, "paint" | "width">;

/** Longer lines are hard to read, on wide terminals too. */
const PAGE_WIDTH = 100;
const FLAGS = "Flags";
/** A space at which no line is broken. */
const UNBROKEN = "\u00a0";
/** Explanations begin here at the latest; longer terms have theirs below. */
const COLUMN = 34;

export function overview(commands: Commands, page: Page): string {
  const names = Object.entries(commands).map(([name, { summary }]): [string, string] => [name, summary]);
  return paragraphs(
    "Raw telemetry in, small trustworthy Parquet datasets out.",
    `${heading("Usage", page)} derive <command> [arguments] [flags]`,
    section("Commands", names, page),
    section(
      FLAGS,
      [
        ["-h, --help", "Print help, also after a command: derive cat --help"],
        ["-V, --version", "Print the version"],
      ],
      page,
    ),
    examples(
      [
        { does: "what do these files hold?", run: "derive cat -n 1 raw/" },
        { does: "what would a stream make of them?", run: "derive try ExampleStream raw/" },
        { does: "one Parquet file from them", run: "derive convert ExampleStream raw/ -o example.parquet" },
        { does: "a day of a dataset into its partition", run: "derive batch ExampleStream --from 20151028" },
      ],
      page,
    ),
  );
}

export function commandHelp(name: string, { summary }: CommandEntry, command: Command, page: Page): string {
  const flags: Record<string, Flag> = { ...command.flags, ...commonFlags };
  const required = Object.entries(flags).filter(([, flag]) => flag.required);
  const usage = [
    "derive",
    name,
    ...positionalsOf(command).map(([positional, definition]) => positionalText(positional, definition)),
    ...required.map(([flag, { value }]) => `--${flag} ${value}`),
    "[flags]",
  ];
  return paragraphs(
    `${summary}.`,
    `${heading("Usage", page)} ${usage.join(" ")}`,
    wrap(command.description, widthOf(page), ""),
    section(
      "Arguments",
      positionalsOf(command).map(([positional, definition]) => [
        positionalText(positional, definition),
        definition.description,
      ]),
      page,
    ),
    ...flagSections(flags, page),
    examples(command.examples, page),
    exitCodes(command, page),
  );
}

function positionalsOf(command: Command): [string, Positional][] {
  return Object.entries(command.positionals);
}

function positionalText(name: string, { many, optional }: Positional): string {
  const text = many ? `${name}…` : name;
  return optional ? `[${text}]` : `<${text}>`;
}

function flagSections(flags: Record<string, Flag>, page: Page): string[] {
  const groups = Map.groupBy(Object.entries(flags), ([, { group }]) => group ?? FLAGS);
  const last = Object.values(commonFlags)[0].group;
  const order = [...new Set([FLAGS, ...groups.keys()])].filter((group) => group !== last && groups.has(group));
  const column = columnOf(Object.entries(flags).map(([name, flag]) => flagText(name, flag)));
  return [...order, last].map((group) => {
    const entries = groups.get(group)?.map(([name, flag]) => [flagText(name, flag), flagNote(flag)] as const);
    return section(group, entries ?? [], page, column);
  });
}

function flagText(name: string, { short, value, kind }: Flag): string {
  const long = kind === undefined ? `--${name}` : `--${name} ${value ?? kind.choices?.join("|") ?? "VALUE"}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}

function flagNote({ description, kind, repeat, default: otherwise }: Flag): string {
  if (repeat) return `${description} [repeatable]`;
  return kind === undefined || otherwise === undefined
    ? description
    : `${description} [default:${UNBROKEN}${otherwise}]`;
}

function exitCodes({ exitCodes }: Command, page: Page): string {
  const codes = { 0: "done", 2: "a wrong command line, configuration or stream", ...exitCodes };
  return section("Exit codes", Object.entries(codes), page);
}

function examples(list: Command["examples"], { paint, width }: Page): string {
  const lines = list.flatMap(({ does, run }) => [`  ${paint("dim", `# ${does}`)}`, `  ${run}`]);
  return [heading("Examples", { paint, width }), ...lines].join("\n");
}

/** Terms at the left, what they mean at the right, from `column` on. */
function section(
  title: string,
  entries: readonly (readonly [string, string])[],
  page: Page,
  column = columnOf(entries.map(([term]) => term)),
): string {
  if (entries.length === 0) return "";
  const lines = entries.map(([term, meaning]) => {
    const text = wrap(meaning, widthOf(page), " ".repeat(column));
    const shown = `  ${page.paint("cyan", term)}`;
    const room = column - 2 - term.length;
    return room < 2 ? `${shown}\n${text}` : `${shown}${" ".repeat(room)}${text.trimStart()}`;
  });
  return [heading(title, page), ...lines].join("\n");
}

function columnOf(terms: readonly string[]): number {
  return Math.max(...terms.map((term) => term.length + 4).filter((column) => column <= COLUMN), 0);
}

function heading(title: string, { paint }: Page): string {
  return paint("bold", `${title}:`);
}

function paragraphs(...texts: string[]): string {
  return `${texts.filter((text) => text !== "").join("\n\n")}\n`;
}

function widthOf({ width }: Page): number {
  return Math.min(width ?? PAGE_WIDTH, PAGE_WIDTH);
}

/** Lines of at most `width` characters, each after `indent`; the text's own line breaks stay. */
function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && indent.length + Bun.stringWidth(`${line} ${word}`) > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines.map((line) => (line === "" ? "" : indent + line.replaceAll(UNBROKEN, " "))).join("\n");
}
