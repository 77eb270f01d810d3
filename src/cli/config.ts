// What is in force: defaults, then derive.toml, then DERIVE_* variables, then flags; each knows where it is from.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import type { OnChange } from "../jobs/change.ts";
import { type Dataset, datasetFromTable } from "../jobs/metadata.ts";
import { didYouMean } from "../nearest.ts";
import type { Codec } from "../parquet/rowgroup.ts";
import type { ErrorBudget } from "../pipeline/books.ts";
import type { Flag } from "./command.ts";
import { readValue } from "./parse.ts";
import { type PlaceTables, placeIn, readPlaceTables } from "./places.ts";
import { type SettingName, settings } from "./settings.ts";
import { yesOrNo } from "./values.ts";

export interface Settings {
  readonly metadata?: string;
  readonly input?: string;
  readonly output?: string;
  readonly quarantine?: string;
  readonly endpointUrl?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly pathStyle?: boolean;
  readonly noSignRequest?: boolean;
  readonly requestPayer?: boolean;
  readonly requireChecksum?: boolean;
  /** S3 settings that derive.toml has for one place. */
  readonly placeTables: PlaceTables;
  /** As written, `dim=a,b` each; joined by AND. */
  readonly only: readonly string[];
  readonly workers: number;
  readonly codec: Codec;
  /** Bytes. */
  readonly maxPartBytes: number;
  readonly maxErrors: ErrorBudget;
  readonly onChange: OnChange;
  readonly forceUnlock: boolean;
  readonly allowEmpty: boolean;
  readonly strict: boolean;
  readonly streamTimeout: number;
  /** Bytes; 0 for "auto". */
  readonly maxMemory: number;
  readonly dryRun: boolean;
  readonly reportFile?: string;
  readonly json: boolean;
  /** Datasets described in derive.toml, for those who have no metadata place. */
  readonly sources: ReadonlyMap<string, Dataset>;
  /** The file that was read, if any. */
  readonly configFile?: string;
  readonly origins: { readonly [Name in SettingName]: Origin };
}

export interface Origin {
  /** `--codec`, `DERIVE_CODEC`, `derive.toml`, `default` or `not set`. */
  readonly from: string;
  /** As it is written there. */
  readonly text: string;
  readonly value: unknown;
}

export interface Environment {
  readonly [name: string]: string | undefined;
}

interface Written {
  readonly from: string;
  readonly texts: readonly string[];
  readonly value: unknown;
}

/**
 * Puts the settings together. `flags` are a command's parsed flags: those that are settings count, and `config`.
 * @param folder of derive.toml; null: none is read but one that is named.
 * Throws UsageError for a file that cannot be read, an unknown key or a value that is none.
 */
export function resolveSettings(
  flags: { readonly [name: string]: unknown },
  environment: Environment = process.env,
  folder: string | null = process.cwd(),
): Settings {
  const file = readConfigFile(flags.config as string | undefined, environment, folder);
  const written = Object.fromEntries(
    Object.entries<Flag>(settings).map(([name, flag]) => [
      name,
      fromFlag(name, flags[name]) ??
        fromEnvironment(name, flag, environment) ??
        fromFile(name, flag, file) ??
        fromDefault(name, flag),
    ]),
  ) as Record<SettingName, Written>;
  const values = Object.fromEntries(
    Object.entries(written).map(([name, { value }]) => [camelCase(name), value]),
  ) as unknown as Omit<Settings, "sources" | "placeTables" | "configFile" | "origins">;
  const origins = Object.fromEntries(
    Object.entries(written).map(([name, { from, texts, value }]) => [name, { from, text: texts.join(" "), value }]),
  ) as Settings["origins"];
  const placeTables = readPlaceTables(file?.table ?? {}, file?.name ?? "");
  return { ...values, sources: readSources(file), placeTables, configFile: file?.name, origins };
}

/**
 * The value of a setting that this command cannot do without; `use` says what for. Throws UsageError with the three
 * ways to give it.
 */
export function required(settings: Settings, name: "metadata" | "input" | "output", use: string): string {
  const value = settings[name];
  if (value !== undefined) return value;
  throw new UsageError(
    `Cannot find ${use}: no ${name} place is set. ` +
      `Give it as --${name} PLACE, as ${name} = "PLACE" in derive.toml, or as ${variableOf(name)}=PLACE`,
  );
}

/** The DERIVE_ variable of a setting. */
export function variableOf(name: string): string {
  return `DERIVE_${name.toUpperCase().replaceAll("-", "_")}`;
}

interface ConfigFile {
  readonly name: string;
  readonly table: { readonly [key: string]: unknown };
}

const DEFAULT_FILE = "derive.toml";

function readConfigFile(
  flag: string | undefined,
  environment: Environment,
  folder: string | null,
): ConfigFile | undefined {
  const named = flag ?? (environment.DERIVE_CONFIG || undefined);
  const name = named ?? DEFAULT_FILE;
  const path = named ?? (folder === null ? undefined : join(folder, DEFAULT_FILE));
  if (path === undefined || (named === undefined && !existsSync(path))) return undefined;
  const table = parseToml(name, readText(path, name));
  const known = [...Object.keys(settings), "sources"];
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue;
    throw new UsageError(`Cannot use ${name}: there is no setting "${key}".${didYouMean(key, known)}`);
  }
  return { name, table };
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`Cannot read configuration ${name}: ${code === "ENOENT" ? "there is no such file" : code}`);
  }
}

function parseToml(name: string, text: string): ConfigFile["table"] {
  try {
    return Bun.TOML.parse(text) as ConfigFile["table"];
  } catch (error) {
    throw new UsageError(`Cannot read configuration ${name}: ${(error as Error).message}`);
  }
}

/** The `[sources.NAME]` tables. */
function readSources(file: ConfigFile | undefined): Map<string, Dataset> {
  if (file?.table.sources === undefined) return new Map();
  const { name, table } = file;
  const { sources } = table;
  if (typeof sources !== "object" || sources === null || Array.isArray(sources)) {
    throw new UsageError(`Cannot use ${name}: sources is not a table. Write [sources.NAME]`);
  }
  return new Map(
    Object.entries(sources).map(([source, facts]) => [
      source,
      datasetFromTable(source, facts, `${name}: sources.${source}`),
    ]),
  );
}

function fromFlag(name: string, value: unknown): Written | undefined {
  if (value === undefined) return undefined;
  const from = value === false ? `--no-${name}` : `--${name}`;
  return { from, value, texts: [value].flat().map(textOf) };
}

function fromEnvironment(name: string, flag: Flag, environment: Environment): Written | undefined {
  const from = variableOf(name);
  const text = environment[from];
  // An empty variable is what Dockerfiles and shells have for one that is not set.
  if (text === undefined || text === "") return undefined;
  return read(flag, from, from, flag.repeat ? text.trim().split(/\s+/) : [text]);
}

function fromFile(name: string, flag: Flag, file: ConfigFile | undefined): Written | undefined {
  if (file === undefined || !Object.hasOwn(file.table, name)) return undefined;
  const value = placeIn(file.table[name]);
  if (value === undefined) return undefined;
  const values = flag.repeat ? [value].flat() : [value];
  if (!values.every((one) => ["string", "number", "boolean"].includes(typeof one))) {
    const list = flag.repeat ? " or a list of texts" : "";
    throw new UsageError(`Cannot read ${name} in ${file.name}: it is not a text, a number or true or false${list}`);
  }
  return read(flag, file.name, `${name} in ${file.name}`, values.map(String));
}

function fromDefault(name: string, flag: Flag): Written {
  if (flag.default !== undefined) return read(flag, "default", name, [flag.default]);
  return { from: "not set", texts: [], value: flag.repeat ? [] : undefined };
}

function read(flag: Flag, from: string, place: string, texts: readonly string[]): Written {
  const kind = flag.kind ?? yesOrNo;
  const values = texts.map((text) => readValue({ ...flag, kind }, place, text));
  return { from, texts, value: flag.repeat ? values : values[0] };
}

/** How a parsed flag is told: close to how it was written. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const { count, fraction } = value as ErrorBudget;
  return fraction > 0 ? `${count > 0 ? `${count},` : ""}${fraction * 100}%` : String(count);
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
