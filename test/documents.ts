// Reads the runnable examples out of a Markdown text: for readme.test.ts, which runs them. The convention is told there.

/** One step of a document: a file that the reader is shown, or a command with what it prints. `line` counts from 1. */
export type Step =
  | { readonly kind: "file"; readonly line: number; readonly path: string; readonly text: string }
  | {
      readonly kind: "command";
      readonly line: number;
      readonly command: string;
      readonly exit: number;
      readonly output: string[];
    };

/** One fenced block; `line` is that of its first content. */
export interface Block {
  readonly line: number;
  /** What follows the opening fence: "sh", "ts", "ts fragment". */
  readonly info: string;
  readonly lines: readonly string[];
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; lines: string[]; fence: string } | undefined;
  markdown.split("\n").forEach((text, index) => {
    if (open === undefined) {
      const fence = /^(`{3,})(.*)$/.exec(text);
      if (fence) open = { line: index + 2, info: fence[2]!.trim(), lines: [], fence: fence[1]! };
    } else if (text.trimEnd() === open.fence) {
      blocks.push(open);
      open = undefined;
    } else open.lines.push(text);
  });
  if (open !== undefined) throw new Error(`Cannot read the block at line ${open.line}: it has no end`);
  return blocks;
}

/** The name in a block's first line, `// streams/Name.ts` or `# derive.toml`, if that is how it begins. */
export function fileNameOf({ info, lines }: Block): string | undefined {
  const pattern = { ts: /^\/\/ (\S+\.ts)$/, toml: /^# (\S+\.toml)$/ }[info];
  return pattern?.exec(lines[0] ?? "")?.[1];
}

/** Files and commands of a document, in its order. */
export function stepsOf(markdown: string): Step[] {
  return blocksOf(markdown).flatMap((block): Step[] => {
    const path = fileNameOf(block);
    if (path !== undefined) return [{ kind: "file", line: block.line, path, text: block.lines.join("\n") + "\n" }];
    return block.info === "sh" ? commandsOf(block) : [];
  });
}

function commandsOf({ line, lines }: Block): Step[] {
  const commands: (Step & { kind: "command" })[] = [];
  for (let index = 0; index < lines.length; index++) {
    if (!lines[index]!.startsWith("$ ")) {
      commands.at(-1)?.output.push(lines[index]!.trimEnd());
      continue;
    }
    const start = index;
    let command = lines[index]!.slice(2);
    while (command.endsWith("\\") && index + 1 < lines.length) command = command.slice(0, -1) + lines[++index]!.trim();
    const exit = /\s+# exit (\d+)$/.exec(command);
    commands.push({
      kind: "command",
      line: line + start,
      command: exit ? command.slice(0, exit.index) : command,
      exit: Number(exit?.[1] ?? 0),
      output: [],
    });
  }
  return commands;
}

/** Whether `actual` is what a document shows: "…" alone in a line stands for any lines, within one for any text. */
export function isShown(shown: readonly string[], actual: readonly string[]): boolean {
  const expected = withoutBlankEnd(shown);
  if (expected.length === 0) return true;
  const pattern = expected.map((line) =>
    line.trim() === "…" ? "(?:[^\\n]*\\n)*?" : line.split("…").map(RegExp.escape).join("[^\\n]*") + "\\n",
  );
  const text = withoutBlankEnd(actual.map((line) => line.trimEnd())).map((line) => line + "\n");
  return new RegExp(`^${pattern.join("")}$`).test(text.join(""));
}

function withoutBlankEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line.trim() !== "") + 1);
}
