// How each place is reached: the S3 settings for all places, and those that derive.toml has for one.
import { UsageError } from "../errors.ts";
import { didYouMean } from "../nearest.ts";
import type { Place, S3Options } from "../storage/ports.ts";
import type { Flag } from "./command.ts";
import type { Settings } from "./config.ts";
import { readValue } from "./parse.ts";
import { settings as known, S3_SETTINGS } from "./settings.ts";
import { yesOrNo } from "./values.ts";

const ROLES = ["metadata", "input", "output", "quarantine"] as const;
export type Role = (typeof ROLES)[number];

export type PlaceTables = Readonly<Partial<Record<Role, S3Options>>>;

const OPTIONS = {
  "endpoint-url": "endpointUrl",
  region: "region",
  profile: "profile",
  "path-style": "pathStyle",
  "no-sign-request": "noSignRequest",
  "request-payer": "requestPayer",
  "require-checksum": "requireChecksum",
} as const satisfies { readonly [Name in (typeof S3_SETTINGS)[number]]: keyof S3Options };

type Table = { readonly [key: string]: unknown };

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What stands for a setting in derive.toml: of a table such as `[input]`, its `place`. */
export function placeIn(value: unknown): unknown {
  return isTable(value) ? value.place : value;
}

/**
 * The tables `[metadata]`, `[input]`, `[output]`, `[quarantine]` of derive.toml.
 * @param name of the file, for errors
 * @throws {UsageError} for a key or a value that is none.
 */
export function readPlaceTables(file: Table, name: string): PlaceTables {
  const tables = ROLES.filter((role) => isTable(file[role])).map((role) => [
    role,
    readTable(role, file[role] as Table, name),
  ]);
  return Object.fromEntries(tables);
}

function readTable(role: Role, table: Table, name: string): S3Options {
  const options: Record<string, unknown> = {};
  const keys = ["place", ...S3_SETTINGS];
  for (const [key, value] of Object.entries(table)) {
    if (!keys.includes(key)) {
      throw new UsageError(`Cannot use ${name}: [${role}] has no setting "${key}".${didYouMean(key, keys)}`);
    }
    if (key === "place") continue; // the setting of that name, which resolveSettings reads
    const flag: Flag = known[key as keyof typeof OPTIONS];
    const at = `${key} of [${role}] in ${name}`;
    options[OPTIONS[key as keyof typeof OPTIONS]] = readValue(
      { ...flag, kind: flag.kind ?? yesOrNo },
      at,
      String(value),
    );
  }
  return options;
}

/** What the tables say, as "input.endpoint-url" and the like. */
export function entriesOf(tables: PlaceTables): [name: string, value: string | boolean][] {
  return ROLES.flatMap((role) =>
    Object.entries(OPTIONS).flatMap(([name, option]): [string, string | boolean][] => {
      const value = tables[role]?.[option];
      return value === undefined ? [] : [[`${role}.${name}`, value]];
    }),
  );
}

/** Flags and variables come before derive.toml, and there the table of the place before what holds for all. */
export function s3OptionsOf(settings: Settings, role: Role): S3Options {
  const options: Record<string, unknown> = { ...settings.placeTables[role] };
  for (const [name, option] of Object.entries(OPTIONS)) {
    const { value, from } = settings.origins[name as keyof typeof OPTIONS];
    const overrides = from.startsWith("--") || from.startsWith("DERIVE_");
    if (value !== undefined && (overrides || options[option] === undefined)) options[option] = value;
  }
  return options;
}

/** A place with what it takes to reach it. */
export function placeOf(settings: Settings, role: Role, url: string): Place {
  return { url, s3: s3OptionsOf(settings, role) };
}
