// `derive completions`: what a shell completes after `derive`, from the same definitions as the parser and the help.
import { UsageError } from "../errors.ts";
import { availableStreams } from "../jobs/streams.ts";
import { type Command, type Commands, command, commonFlags, type Flag } from "./command.ts";
import { bashScript, type CompletionFlag, type Completions, fishScript, zshScript } from "./completion-scripts.ts";
import { oneOf } from "./values.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export default command({
  description:
    "A script for the shell: commands, flags, what a flag's value may be, streams and files are completed. It is made from " +
    "the same definitions as the help, so make it again after an upgrade.",
  positionals: { shell: { optional: true, description: "bash, zsh or fish" } },
  flags: { streams: { description: "The names of streams, one a line, as the scripts ask for them" } },
  examples: [
    { does: "bash, in ~/.bashrc", run: "source <(derive completions bash)" },
    { does: "zsh, in ~/.zshrc after compinit", run: "source <(derive completions zsh)" },
    { does: "fish, once", run: "derive completions fish > ~/.config/fish/completions/derive.fish" },
  ],
  async run({ args, flags, output, commands }) {
    if (flags.streams) {
      await output.write(
        availableStreams()
          .map(({ name }) => `${name}\n`)
          .join(""),
      );
      return 0;
    }
    const shell = oneOf("bash", "zsh", "fish").parse(args.shell ?? "");
    if (shell === undefined) throw unknownShell(args.shell);
    await output.write(SCRIPTS[shell](await completions(commands)));
    return 0;
  },
});

function unknownShell(shell: string | undefined): UsageError {
  const state = shell === undefined ? "which shell?" : `there is no script for "${shell}".`;
  return new UsageError(`Cannot write completions: ${state} Name bash, zsh or fish`);
}

async function completions(commands: Commands): Promise<Completions> {
  const entries = Object.entries(commands).map(async ([name, { summary, load }]) => {
    const { default: definition } = await load();
    return { name, summary, takesStream: "stream" in definition.positionals, flags: flagsOf(definition) };
  });
  return Promise.all(entries);
}

function flagsOf({ flags }: Command): CompletionFlag[] {
  const all: Record<string, Flag> = { ...flags, ...commonFlags };
  return Object.entries(all).map(([name, { short, description, kind, value }]) => ({
    name,
    short,
    description,
    takesValue: kind !== undefined,
    choices: kind?.choices ?? [],
    isPlace: value === "PLACE" || value === "FILE",
  }));
}
