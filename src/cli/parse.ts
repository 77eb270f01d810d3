// From the words of a command line to the values of a command's flags and arguments, checked.
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import { type Command, commonFlags, type Flag, type Positional } from "./command.ts";

export interface Parsed {
  readonly flags: Record<string, unknown>;
  readonly args: Record<string, unknown>;
}

/**
 * Reads `argv` (without the command's name) as `command` says. With `--help` among the flags nothing is required.
 * node:util cuts the words (short clusters, `=`, `--`); what they mean is decided here, since it takes unknown flags
 * silently. Throws UsageError.
 */
export function parseCommandLine(name: string, command: Command, argv: readonly string[]): Parsed {
  const flags: Record<string, Flag> = { ...command.flags, ...commonFlags };
  const given = new Map<string, unknown>();
  const words: string[] = [];
  let wordAt = -1;
  for (const token of tokensOf(argv, flags)) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option" || token.index === wordAt) continue;
    if (/^-\d/.test(argv[token.index])) {
      wordAt = token.index; // a day such as -3d, which looks like the flags -3 and -d
      words.push(argv[wordAt]);
      continue;
    }
    const known = flagNamed(token.name, token.rawName, flags);
    if (known === undefined) throw unknownFlag(name, token.rawName, flags);
    const { flag, negated } = known;
    if (flag.kind === undefined) {
      given.set(known.name, switchValue(token.rawName, token.value, token.inlineValue) !== negated);
      continue;
    }
    const value = givenValue(flag, token.rawName, token.value, token.inlineValue === true, flags);
    given.set(known.name, flag.repeat ? [...((given.get(known.name) as unknown[]) ?? []), value] : value);
  }
  const helpWanted = given.get("help") === true;
  return {
    flags: flagValues(name, flags, given, helpWanted),
    args: helpWanted ? {} : positionalValues(name, command.positionals, words),
  };
}

function tokensOf(argv: readonly string[], flags: Record<string, Flag>) {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { kind, short }]) => [
      name,
      {
        type: kind === undefined ? ("boolean" as const) : ("string" as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function flagNamed(name: string, raw: string, flags: Record<string, Flag>) {
  if (Object.hasOwn(flags, name)) return { name, flag: flags[name], negated: false };
  const positive = raw.startsWith("--no-") ? name.slice("no-".length) : "";
  if (!Object.hasOwn(flags, positive) || flags[positive].kind !== undefined || positive === "help") return undefined;
  return { name: positive, flag: flags[positive], negated: true };
}

function switchValue(raw: string, value: string | undefined, inline: boolean | undefined): boolean {
  if (value === undefined || !inline || value === "true") return true;
  if (value === "false") return false;
  throw new UsageError(`Cannot read ${raw}=${value}: it is a switch and takes no value. Write ${raw} alone`);
}

function givenValue(flag: Flag, raw: string, value: string | undefined, inline: boolean, flags: Record<string, Flag>) {
  // `--output --strict` has forgotten the value; `--from -3d` and `-o -` have not.
  if (value === undefined || (!inline && isFlag(value, flags))) {
    throw new UsageError(`Cannot read ${raw}: its value is missing. Write ${raw} ${flag.value ?? "VALUE"}`);
  }
  return readValue(flag, raw, value);
}

function isFlag(word: string, flags: Record<string, Flag>): boolean {
  if (word === "--") return true;
  const [name] = word.replace(/^--(no-)?/, "").split("=");
  if (word.startsWith("--")) return Object.hasOwn(flags, name);
  return /^-[a-z]$/i.test(word) && Object.values(flags).some((flag) => flag.short === word[1]);
}

/** The value that `flag` makes of `written`; `origin` says where it was written. Throws UsageError. */
export function readValue<T>(flag: Flag<T>, origin: string, written: string): T {
  const value = flag.kind?.parse(written);
  if (value !== undefined) return value;
  if (written === "") throw new UsageError(`Cannot read ${origin}: it is empty. It takes ${flag.kind?.expects}`);
  const suggestion = didYouMean(written, flag.kind?.choices ?? []);
  const state = `"${written}" is not ${flag.kind?.expects}`;
  throw new UsageError(`Cannot read ${origin}: ${state}${suggestion === "" ? "" : `.${suggestion}`}`);
}

function unknownFlag(command: string, raw: string, flags: Record<string, Flag>): UsageError {
  const names = Object.entries(flags).flatMap(([name, { kind }]) =>
    kind === undefined && name !== "help" ? [name, `no-${name}`] : [name],
  );
  const suggestion = didYouMean(
    raw,
    names.map((name) => `--${name}`),
  );
  return new UsageError(`Cannot use ${raw}: derive ${command} has no such flag.${suggestion}`);
}

function flagValues(command: string, flags: Record<string, Flag>, given: Map<string, unknown>, helpWanted: boolean) {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    if (given.has(name)) values[name] = given.get(name);
    else if (flag.setting) values[name] = undefined;
    else if (flag.kind === undefined) values[name] = false;
    else if (flag.repeat) values[name] = [];
    else if (flag.default !== undefined) values[name] = readValue(flag, `--${name}`, flag.default);
    else if (flag.required && !helpWanted) {
      throw new UsageError(`Cannot run derive ${command}: --${name} is missing. Add --${name} ${flag.value}`);
    }
  }
  return values;
}

function positionalValues(command: string, positionals: Record<string, Positional>, words: string[]) {
  const values: Record<string, unknown> = {};
  const rest = [...words];
  for (const [name, { many, optional }] of Object.entries(positionals)) {
    if (rest.length === 0 && !optional) {
      throw new UsageError(`Cannot run derive ${command}: <${name}> is missing`);
    }
    values[name] = many ? rest.splice(0) : rest.shift();
  }
  if (rest.length > 0) {
    const names = Object.keys(positionals);
    const takes = names.length === 0 ? "no arguments" : `only ${names.map((name) => `<${name}>`).join(" ")}`;
    throw new UsageError(`Cannot use the argument "${rest[0]}": derive ${command} takes ${takes}`);
  }
  return values;
}
