// What a command is: one definition from which parsing, the check for unknown flags and the help are made.
import type { Output } from "./output.ts";
import type { Kind } from "./values.ts";

/** A flag. One without a `kind` is a switch, and has a `--no-` form. */
export interface Flag<T = unknown> {
  readonly description: string;
  readonly kind?: Kind<T>;
  /** What stands for the value in the help, such as PLACE. */
  readonly value?: string;
  /** One letter. */
  readonly short?: string;
  /** May be given several times; its value is a list. */
  readonly repeat?: boolean;
  readonly required?: boolean;
  /** The text that is read when the flag is absent. */
  readonly default?: string;
  /** Also in derive.toml and DERIVE_*: resolveSettings, not the parser, fills in what is absent. */
  readonly setting?: boolean;
  /** The heading in the help; without one "Flags". */
  readonly group?: string;
}

/** An argument by position. All are required unless `optional`; the last may be `many`. */
export interface Positional {
  readonly description: string;
  readonly optional?: boolean;
  readonly many?: boolean;
}

export interface Example {
  readonly does: string;
  readonly run: string;
}

type Flags = { readonly [name: string]: Flag };
type Positionals = { readonly [name: string]: Positional };

type FlagValue<F extends Flag> = F extends { kind: Kind<infer T> } ? (F extends { repeat: true } ? T[] : T) : boolean;
type MayBeAbsent<F extends Flag> = F extends { setting: true }
  ? true
  : F extends { kind: Kind<unknown> }
    ? F extends { required: true } | { default: string } | { repeat: true }
      ? false
      : true
    : false;
type Given<F extends Flag> = MayBeAbsent<F> extends true ? FlagValue<F> | undefined : FlagValue<F>;

/**
 * What was given for each flag. Absent switches are false, absent repeatable flags empty lists, others undefined; absent
 * settings are undefined always, since they may be given elsewhere.
 */
export type FlagValues<F extends Flags> = { readonly [Name in keyof F]: Given<F[Name]> };
export type PositionalValues<P extends Positionals> = {
  readonly [Name in keyof P]: P[Name] extends { many: true }
    ? string[]
    : P[Name] extends { optional: true }
      ? string | undefined
      : string;
};

export interface Invocation<F extends Flags = Flags, P extends Positionals = Positionals> {
  readonly args: PositionalValues<P>;
  readonly flags: FlagValues<F>;
  readonly output: Output;
  /** All commands there are. */
  readonly commands: Commands;
  /** Aborted by Ctrl-C and SIGTERM: stop, tidy up and return within five seconds. */
  readonly signal: AbortSignal;
}

interface Definition<F extends Flags, P extends Positionals> {
  /** What it does, for its help: some sentences, paragraphs separated by an empty line. */
  readonly description: string;
  /** In the order in which they are given. */
  readonly positionals: P;
  readonly flags: F;
  readonly examples: readonly Example[];
  /** Exit codes worth telling in the help, beyond 0 and 2. */
  readonly exitCodes?: { readonly [code: number]: string };
  /** Gives the exit code. */
  run(invocation: Invocation<F, P>): Promise<number>;
}

/** A command whose flags and arguments are known only at run time, as the frame sees it. */
// biome-ignore lint/suspicious/noExplicitAny: each command's run takes its own flags; the parser makes them from the same definition.
export type Command = Definition<any, any>;

/** A command as the list of all of them knows it. */
export interface CommandEntry {
  /** One line for `derive --help`. */
  readonly summary: string;
  load(): Promise<{ default: Command }>;
}

export interface Commands {
  readonly [name: string]: CommandEntry;
}

/** Checks the types of a command's definition. The name and the one-line summary stand in commands.ts. */
export function command<const F extends Flags, const P extends Positionals>(definition: Definition<F, P>): Command {
  return definition;
}

/** The flags of every command. */
export const commonFlags = {
  verbose: { short: "v", description: "Say more about what is done", group: "Common flags" },
  quiet: { short: "q", description: "Say nothing but errors", group: "Common flags" },
  help: { short: "h", description: "Print this help", group: "Common flags" },
} as const satisfies Flags;
