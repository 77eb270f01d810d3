// The text of completion scripts. Streams are looked up when they are completed, all else stands in the script.

export interface CompletionFlag {
  readonly name: string;
  readonly short?: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** What the value may be; none where it may be anything. */
  readonly choices: readonly string[];
  /** Whether the value is a file or folder. */
  readonly isPlace: boolean;
}

export type Completions = readonly {
  readonly name: string;
  readonly summary: string;
  /** Whether its first argument is a stream. */
  readonly takesStream: boolean;
  readonly flags: readonly CompletionFlag[];
}[];

/** Prints the names of streams, one a line. `derive streams` loads each; a name needs no more than its file. */
const STREAM_NAMES = "derive completions --streams 2>/dev/null";

const spellings = ({ name, short }: CompletionFlag): string[] => [`--${name}`, ...(short ? [`-${short}`] : [])];
const words = (flags: readonly CompletionFlag[]): string => flags.map(({ name }) => `--${name}`).join(" ");

export function bashScript(commands: Completions): string {
  const values = commands.flatMap(({ name, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map((flag) => {
        const pattern = spellings(flag)
          .map((spelling) => `'${name} ${spelling}'`)
          .join("|");
        // Without a reply bash completes files, which is right for places and does no harm to numbers.
        const reply =
          flag.choices.length > 0 ? `COMPREPLY=($(compgen -W '${flag.choices.join(" ")}' -- "$word")); ` : "";
        return `    ${pattern}) ${reply}return ;;`;
      }),
  );
  const flags = commands.map(({ name, flags }) => `    ${name}) flags='${words(flags)}' ;;`);
  const streams = commands.filter(({ takesStream }) => takesStream).map(({ name }) => name);
  return `# bash completion for derive: source <(derive completions bash)
_derive() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} flags=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(" ")} help --help --version' -- "$word"))
    return
  fi
  case "$command $before" in
${values.join("\n")}
  esac
  case $command in
${flags.join("\n")}
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
    return
  fi
  if ((COMP_CWORD == 2)); then
    case $command in
    ${streams.join("|")}) COMPREPLY=($(compgen -W "$(${STREAM_NAMES})" -- "$word")) ;;
    help) COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(" ")}' -- "$word")) ;;
    esac
  fi
}
complete -o default -F _derive derive
`;
}

export function zshScript(commands: Completions): string {
  const escaped = (text: string): string => text.replace(/[[\]:\\]/g, "\\$&").replaceAll("'", "'\\''");
  const flagSpecs = (flags: readonly CompletionFlag[]): string[] =>
    flags.flatMap((flag) => {
      const action = flag.choices.length > 0 ? `(${flag.choices.join(" ")})` : flag.isPlace ? "_files" : " ";
      const value = flag.takesValue ? `:value:${action}` : "";
      return spellings(flag).map((spelling) => `'*${spelling}[${escaped(flag.description)}]${value}'`);
    });
  const cases = commands.map(
    ({ name, takesStream, flags }) => `    ${name})
      _arguments ${[...flagSpecs(flags), takesStream ? "'1:stream:_derive_streams'" : "", "'*:file:_files'"].filter((text) => text !== "").join(" \\\n        ")} ;;`,
  );
  return `#compdef derive
# zsh completion for derive: source <(derive completions zsh), after compinit
_derive_streams() {
  local -a streams=(\${(f)"$(${STREAM_NAMES})"})
  _alternative "streams:stream:($streams)" 'files:file:_files -g "*.ts"'
}
_derive() {
  local -a commands=(
${commands.map(({ name, summary }) => `    '${name}:${escaped(summary)}'`).join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join("\n")}
    help) _describe command commands ;;
  esac
}
compdef _derive derive
`;
}

export function fishScript(commands: Completions): string {
  const quoted = (text: string): string => `'${text.replace(/['\\]/g, "\\$&")}'`;
  const lines = commands.flatMap(({ name, summary, takesStream, flags }) => {
    const after = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c derive -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...(takesStream ? [`complete -c derive ${after} -a '(${STREAM_NAMES})'`] : []),
      ...flags.map(({ name: flag, short, description, takesValue, choices, isPlace }) =>
        [
          `complete -c derive ${after} -l ${flag}`,
          short ? `-s ${short}` : "",
          choices.length > 0 ? `-x -a ${quoted(choices.join(" "))}` : isPlace ? "-r -F" : takesValue ? "-x" : "",
          `-d ${quoted(description)}`,
        ]
          .filter((text) => text !== "")
          .join(" "),
      ),
    ];
  });
  return `# fish completion for derive: derive completions fish > ~/.config/fish/completions/derive.fish\n${lines.join("\n")}\n`;
}
