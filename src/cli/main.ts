// The frame around every command: finds it, reads its words, runs it, turns what happened into an exit code.
import { type CommandDef, defineCommand, runCommand } from "citty";
import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { errorText } from "../told.ts";
import { version } from "../version.ts";
import type { Command, CommandEntry, Invocation } from "./command.ts";
import { commands } from "./commands.ts";
import { EXIT, exitCodeOf } from "./exit.ts";
import { commandHelp, overview } from "./help.ts";
import { createOutput, type Output, type OutputOptions, PipeClosed, type Stream } from "./output.ts";
import { parseCommandLine } from "./parse.ts";
import { standardStreams } from "./standard.ts";

/** Where the words of the program go; tests replace them. */
export interface Streams {
  readonly stdout: Stream;
  readonly stderr: Stream;
}

/**
 * Runs the command line `argv` (without the program's own name) to its end, with all output written, and gives the
 * exit code. Never throws, never ends the process; only a second Ctrl-C, or five seconds without an answer to the
 * first, does.
 */
export async function runCli(argv: readonly string[], streams: Streams = standardStreams()): Promise<number> {
  const [name = "", ...words] = argv;
  let output = createOutput(streams.stdout, streams.stderr, { quiet: false, verbose: false });
  const withOptions = (options: OutputOptions): Output => {
    output = createOutput(streams.stdout, streams.stderr, options);
    return output;
  };
  try {
    let exitCode: number = EXIT.done;
    if (Object.hasOwn(commands, name)) {
      const program = programOf(async (entry, rawArgs) => {
        exitCode = await runWords(name, entry, rawArgs, withOptions);
      });
      await runCommand(program, { rawArgs: [...argv] });
    } else exitCode = await runWithoutCommand(name, words, output);
    await output.flush();
    return exitCode;
  } catch (error) {
    if (error instanceof PipeClosed) return EXIT.done;
    output.status("");
    await output.flush().catch(() => {}); // data first, then what went wrong; the error at hand is the one to tell
    const prefix = Object.hasOwn(commands, name) ? `derive ${name}` : "derive";
    streams.stderr.write(`${output.paintError("red", `${prefix}:`)} ${errorText(error)}\n`);
    return exitCodeOf(error);
  }
}

/**
 * The program as a tree for citty, which finds the command and loads only that one. What its words mean is read by
 * parse.ts: citty takes unknown flags silently and keeps one value of a repeated flag.
 */
function programOf(run: (entry: CommandEntry, rawArgs: string[]) => Promise<void>): CommandDef {
  const subCommands = Object.entries(commands).map(([name, entry]) => [
    name,
    defineCommand({ meta: { name, description: entry.summary }, run: ({ rawArgs }) => run(entry, rawArgs) }),
  ]);
  return defineCommand({ meta: { name: "derive", version }, subCommands: Object.fromEntries(subCommands) });
}

/** `derive`, `derive --help`, `derive help cat`, `derive --version`, and commands there are not. */
async function runWithoutCommand(name: string, words: readonly string[], output: Output): Promise<number> {
  const [topic] = words;
  if (name === "--version" || name === "-V") await output.write(`${version}\n`);
  else if (name === "help" && topic !== undefined) await output.write(await helpOf(topic, output));
  else if (["help", "--help", "-h"].includes(name)) await output.write(overview(commands, output));
  else if (name === "") {
    output.log.error(
      `no command was given\n\n${overview(commands, { paint: output.paintError, width: output.width })}`,
    );
    return EXIT.usage;
  } else if (name.startsWith("-")) {
    throw new UsageError(
      `Cannot use ${name}: flags come after the command, as in derive cat ${name}. See \`derive --help\``,
    );
  } else throw unknownCommand(name);
  return EXIT.done;
}

async function helpOf(name: string, output: Output): Promise<string> {
  if (!Object.hasOwn(commands, name)) throw unknownCommand(name);
  const { default: command } = await commands[name].load();
  return commandHelp(name, commands[name], command, output);
}

function unknownCommand(name: string): UsageError {
  const suggestion = didYouMean(name, Object.keys(commands));
  return new UsageError(`Cannot run "${name}": there is no such command.${suggestion} See \`derive --help\``);
}

async function runWords(
  name: string,
  entry: CommandEntry,
  words: readonly string[],
  withOptions: (options: OutputOptions) => Output,
): Promise<number> {
  const { default: command } = await entry.load();
  const { flags, args } = parseCommandLine(name, command, words);
  const output = withOptions({ quiet: flags.quiet === true, verbose: flags.verbose === true });
  if (flags.help) {
    await output.write(commandHelp(name, entry, command, output));
    return EXIT.done;
  }
  return runInterruptibly(command, { args, flags, output, commands } as Omit<Invocation, "signal">);
}

/** How long an interrupted command may tidy up before the process ends anyway. */
const GRACE_MS = 4_500;

async function runInterruptibly(command: Command, invocation: Omit<Invocation, "signal">): Promise<number> {
  const abort = new AbortController();
  let interruptedBy: "SIGINT" | "SIGTERM" | undefined;
  const interrupt = (signal: "SIGINT" | "SIGTERM"): void => {
    if (interruptedBy !== undefined) process.exit(EXIT[signal]);
    interruptedBy = signal;
    abort.abort(new Error(signal));
    invocation.output.status("");
    invocation.output.log.warn("interrupted, tidying up (once more ends at once)");
    setTimeout(() => process.exit(EXIT[signal]), GRACE_MS).unref();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const exitCode = await command.run({ ...invocation, signal: abort.signal });
    await invocation.output.flush();
    return interruptedBy === undefined ? exitCode : EXIT[interruptedBy];
  } catch (error) {
    if (interruptedBy === undefined) throw error;
    return EXIT[interruptedBy]; // whatever the interruption broke on its way
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}
