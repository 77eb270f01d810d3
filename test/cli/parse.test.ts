// The words of a command line, at the edges.
import { describe, expect, test } from "bun:test";
import { command } from "../../src/cli/command.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { byteSize, errorBudget, type Kind, oneOf, text, wholeNumber, yesOrNo } from "../../src/cli/values.ts";
import { UsageError } from "../../src/errors.ts";

const sample = command({
  description: "",
  positionals: { stream: { description: "" }, path: { description: "", many: true, optional: true } },
  flags: {
    from: { kind: text, value: "DAY", description: "" },
    output: { kind: text, short: "o", value: "PLACE", description: "" },
    workers: { kind: wholeNumber(1), short: "j", value: "N", description: "" },
    only: { kind: text, repeat: true, description: "" },
    format: { kind: oneOf("json", "text"), description: "", default: "json" },
    strict: { description: "" },
    "dry-run": { description: "" },
    codec: { setting: true, kind: oneOf("zstd", "none"), description: "", default: "zstd" },
  },
  examples: [],
  run: async () => 0,
});

const parse = (words: string[]) => parseCommandLine("sample", sample, words);

const accepted: [words: string[], flags: Record<string, unknown>, args: Record<string, unknown>][] = [
  [["S"], { strict: false, only: [], format: "json", codec: undefined }, { stream: "S", path: [] }],
  [["S", "--from", "-3d"], { from: "-3d" }, { stream: "S" }],
  [["S", "--from=-3d"], { from: "-3d" }, {}],
  [["S", "-3d"], {}, { path: ["-3d"] }],
  [["-o", "-", "S"], { output: "-" }, { stream: "S" }],
  [["S", "-"], {}, { path: ["-"] }],
  [["S", "-j4"], { workers: 4 }, {}],
  [["S", "-j", "4"], { workers: 4 }, {}],
  [["S", "-vj4"], { workers: 4, verbose: true }, {}],
  [["S", "-qv"], { quiet: true, verbose: true }, {}],
  [["S", "--workers=4", "--workers", "5"], { workers: 5 }, {}],
  [["S", "--only", "a=1", "--only=b=2,3"], { only: ["a=1", "b=2,3"] }, {}],
  [["S", "--strict"], { strict: true }, {}],
  [["S", "--strict=false"], { strict: false }, {}],
  [["S", "--strict", "--no-strict"], { strict: false }, {}],
  [["S", "--no-dry-run"], { "dry-run": false }, {}],
  [["--", "--from", "-o"], { from: undefined }, { stream: "--from", path: ["-o"] }],
  [["S", "--output=--strict"], { output: "--strict", strict: false }, {}],
  [["S", "--output", "a=b=c"], { output: "a=b=c" }, {}],
  [["S", "--output", "ü 💥"], { output: "ü 💥" }, {}],
  [["--help"], { help: true }, {}],
];

test.each(accepted)("%j is understood", (words, flags, args) => {
  const parsed = parse(words);
  for (const [name, value] of Object.entries(flags)) expect([name, parsed.flags[name]]).toEqual([name, value]);
  for (const [name, value] of Object.entries(args)) expect([name, parsed.args[name]]).toEqual([name, value]);
});

const refused: [words: string[], error: string][] = [
  [[], "Cannot run derive sample: <stream> is missing"],
  [["S", "--outptu", "x"], "--outptu: derive sample has no such flag. Did you mean --output?"],
  [["S", "--dryrun"], "Did you mean --dry-run?"],
  [["S", "--no-stirct"], "Did you mean --no-strict?"],
  [["S", "--no-output"], "Cannot use --no-output"],
  [["S", "--no-help"], "Cannot use --no-help"],
  [["S", "--xyzzyx"], "Cannot use --xyzzyx: derive sample has no such flag"],
  [["S", "--__proto__"], "Cannot use --__proto__"],
  [["S", "--constructor", "x"], "Cannot use --constructor"],
  [["S", "-x"], "Cannot use -x"],
  [["S", "-vx"], "Cannot use -x"],
  [["S", "--output"], "Cannot read --output: its value is missing. Write --output PLACE"],
  [["S", "-o"], "Cannot read -o: its value is missing"],
  [["S", "--output", "--strict"], "Cannot read --output: its value is missing"],
  [["S", "--output", "-j"], "Cannot read --output: its value is missing"],
  [["S", "--output", "--", "x"], "Cannot read --output: its value is missing"],
  [["S", "--output="], "Cannot read --output: it is empty"],
  [["S", "--workers", "0"], '"0" is not a whole number from 1 on'],
  [["S", "--workers", "1e3"], '"1e3" is not a whole number'],
  [["S", "--workers=-1"], '"-1" is not a whole number'],
  [["S", "-j=4"], '"=4" is not a whole number'],
  [["S", "--workers", "99999999999999999999"], "is not a whole number"],
  [["S", "--format", "jsno"], '"jsno" is not one of json, text. Did you mean json?'],
  [["S", "--strict=yes"], "Cannot read --strict=yes: it is a switch"],
];

test.each(refused)("%j is refused", (words, error) => {
  expect(() => parse(words)).toThrow(error);
  expect(() => parse(words)).toThrow(UsageError);
});

test("an argument too many is named", () => {
  const none = command({ description: "", positionals: {}, flags: {}, examples: [], run: async () => 0 });
  expect(() => parseCommandLine("none", none, ["extra"])).toThrow('"extra": derive none takes no arguments');
});

test("a required flag is asked for, but not with --help", () => {
  const day = { kind: text, value: "DAY", description: "", required: true } as const;
  const asks = command({ description: "", positionals: {}, flags: { from: day }, examples: [], run: async () => 0 });
  expect(() => parseCommandLine("asks", asks, [])).toThrow("--from is missing. Add --from DAY");
  expect(parseCommandLine("asks", asks, ["-h"]).flags.help).toBe(true);
});

describe("kinds of value", () => {
  const kinds: Record<string, Kind<unknown>> = { byteSize, errorBudget, yesOrNo, wholeNumber: wholeNumber() };
  const MiB = 1024 * 1024;
  const none = undefined;
  test.each([
    ["byteSize", "1", 1],
    ["byteSize", "1000000", 1_000_000],
    ["byteSize", "64M", 64 * MiB],
    ["byteSize", "64m", 64 * MiB],
    ["byteSize", "256MiB", 256 * MiB],
    ["byteSize", "256 MiB", 256 * MiB],
    ["byteSize", "1MB", 1_000_000],
    ["byteSize", "1.5K", 1536],
    ["byteSize", "2GiB", 2048 * MiB],
    ["byteSize", "7B", 7],
    ["byteSize", "0", none],
    ["byteSize", "-1", none],
    ["byteSize", "1iB", none],
    ["byteSize", "M", none],
    ["byteSize", "1PB", none],
    ["byteSize", "99999999T", none],
    ["errorBudget", "10,1%", { count: 10, fraction: 0.01 }],
    ["errorBudget", "0", { count: 0, fraction: 0 }],
    ["errorBudget", "25", { count: 25, fraction: 0 }],
    ["errorBudget", "0.5%", { count: 0, fraction: 0.005 }],
    ["errorBudget", "100%", { count: 0, fraction: 1 }],
    ["errorBudget", "101%", none],
    ["errorBudget", "%", none],
    ["errorBudget", "1.5", none],
    ["errorBudget", "", none],
    ["yesOrNo", "TRUE", true],
    ["yesOrNo", "1", true],
    ["yesOrNo", "0", false],
    ["yesOrNo", "constructor", none],
    ["yesOrNo", "yes!", none],
    ["wholeNumber", "0", 0],
    ["wholeNumber", "", none],
    ["wholeNumber", " 1", none],
  ] as const)("%s reads %j", (kind, written, value) => {
    expect(kinds[kind].parse(written)).toEqual(value);
  });
});
