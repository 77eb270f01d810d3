// The settings: flags that derive.toml and DERIVE_* variables may give as well, under the same names.
import { availableParallelism } from "node:os";
import type { Flag } from "./command.ts";
import { byteSize, errorBudget, type Kind, oneOf, serverUrl, text, wholeNumber } from "./values.ts";

const number = wholeNumber(1);
const workers: Kind<number> = {
  expects: `${number.expects}, or "cores"`,
  parse: (text) => (text === "cores" ? availableParallelism() : number.parse(text)),
};

/** 0 for "auto". */
const memory: Kind<number> = {
  expects: `${byteSize.expects}, or "auto"`,
  parse: (text) => (text === "auto" ? 0 : byteSize.parse(text)),
};

const PLACES = "Places (folders, file:// or s3:// URLs)";
const S3 = "S3 (besides the standard AWS_* variables and files; derive.toml may have them for one place)";

/** Every setting by its name, in the order of `derive config`. */
export const settings = {
  metadata: {
    setting: true,
    kind: text,
    value: "PLACE",
    description: "The metadata place: holds sources.json, which names the datasets",
    group: PLACES,
  },
  input: {
    setting: true,
    kind: text,
    value: "PLACE",
    description: "Where keys are looked up, in place of the bucket that sources.json names",
    group: PLACES,
  },
  output: {
    setting: true,
    kind: text,
    short: "o",
    value: "PLACE",
    description: "Where derived Parquet goes",
    group: PLACES,
  },
  quarantine: {
    setting: true,
    kind: text,
    value: "PLACE",
    description: "Where faulty frames and damaged bytes are kept, with an index; they hold raw pings",
    group: PLACES,
  },
  "endpoint-url": {
    setting: true,
    kind: serverUrl,
    value: "URL",
    description: "Another server than AWS: http://127.0.0.1:9000",
    group: S3,
  },
  region: { setting: true, kind: text, value: "REGION", description: "The region of the buckets", group: S3 },
  profile: { setting: true, kind: text, value: "NAME", description: "The profile of ~/.aws to use", group: S3 },
  "path-style": {
    setting: true,
    description: "The bucket in the path, not in the host name; so by default where an endpoint is given",
    group: S3,
  },
  "no-sign-request": { setting: true, description: "Use no credentials, for public buckets", group: S3 },
  "request-payer": { setting: true, description: "Pay for the requests to buckets whose reader pays", group: S3 },
  "require-checksum": {
    setting: true,
    description: "An input on S3 whose bytes cannot be checked, for want of a checksum, is an error",
    group: S3,
  },
  only: {
    setting: true,
    kind: text,
    repeat: true,
    value: "DIM=A,B",
    description: "Read only objects with these values of a dimension; globs work: --only appVersion=44.*",
  },
  workers: {
    setting: true,
    kind: workers,
    short: "j",
    value: "N",
    description: "Worker threads; the output does not depend on their number",
    default: "cores",
  },
  codec: {
    setting: true,
    kind: oneOf("zstd", "snappy", "gzip", "none"),
    description: "Compression inside the Parquet files",
    default: "zstd",
  },
  "max-part-bytes": {
    setting: true,
    kind: byteSize,
    value: "SIZE",
    description: "End a part, between row groups, when it holds this much",
    default: "256MiB",
  },
  "max-errors": {
    setting: true,
    kind: errorBudget,
    value: "N|N%",
    description: "Errors that a partition may have and still be committed, as a number or a share; the larger counts",
    default: "10,1%",
  },
  "on-change": {
    setting: true,
    kind: oneOf("fail", "append", "replace"),
    description:
      "What to do with output that other inputs or options made; append: new raw objects become further parts beside it",
    default: "fail",
  },
  "force-unlock": {
    setting: true,
    description: "Set aside the claim of a run that has ended without finishing; never while it is at work",
    default: "false",
  },
  "allow-empty": { setting: true, description: "No raw object on any day is no error", default: "false" },
  strict: { setting: true, description: "The first fault in the input fails its partition", default: "false" },
  "stream-timeout": {
    setting: true,
    kind: wholeNumber(1),
    value: "SECONDS",
    description: "Stop a worker whose stream has not come to an end with one message for so long",
    default: "60",
  },
  "max-memory": {
    setting: true,
    kind: memory,
    value: "SIZE",
    description:
      "End the run when it takes more memory; auto: 1 GiB and 128 MiB a worker, at most 80 % of the machine's",
    default: "auto",
  },
  "dry-run": { setting: true, description: "Say what would be read and written; write nothing", default: "false" },
  "report-file": { setting: true, kind: text, value: "FILE", description: "Write the report there, as JSON" },
  json: { setting: true, description: "Print the result as JSON on stdout", default: "false" },
} as const satisfies { readonly [name: string]: Flag };

export type SettingName = keyof typeof settings;

/** How S3 is reached: for every command that reads or writes places. */
export const S3_SETTINGS = [
  "endpoint-url",
  "region",
  "profile",
  "path-style",
  "no-sign-request",
  "request-payer",
  "require-checksum",
] as const satisfies SettingName[];

/** Where the configuration file is, for every command with settings. */
const configFlag = {
  config: {
    kind: text,
    value: "FILE",
    description: "Configuration in place of ./derive.toml",
    group: "Common flags",
  },
} as const satisfies { readonly [name: string]: Flag };

type SettingFlags<Name extends SettingName> = { readonly [N in Name]: (typeof settings)[N] } & typeof configFlag;

/** The flags for these settings, and `--config`: for a command's `flags`. */
export function settingFlags<Name extends SettingName>(...names: Name[]): SettingFlags<Name> {
  const chosen = Object.fromEntries(names.map((name) => [name, settings[name]]));
  return { ...chosen, ...configFlag } as unknown as SettingFlags<Name>;
}
