// A first look (npm start): makes a raw day, derives it with the real command, shows the rows and what they weigh.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { builtBinary, root } from "./built.ts";
import { defaultDay, ensureSampleDay } from "./sample-day.ts";

const say = (text: string): void => console.error(text);
const bold = (text: string): string => (process.stderr.isTTY && !process.env.NO_COLOR ? `\x1b[1m${text}\x1b[0m` : text);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 1)} MB`;

/** Files below a folder with their sizes, in the order of their paths; hidden ones and manifests left out. */
function filesIn(folder: string): { path: string; bytes: number }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^[._]/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, bytes: statSync(path).size }));
}

/** Runs ./derive as a user would, in the repository. Returns its exit code. */
function derive(...args: string[]): number {
  say(bold(`\n$ ./derive ${args.join(" ")}`));
  return Bun.spawnSync([binary, ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).exitCode;
}

function stop(code: number): never {
  say(`\n./derive ended with exit code ${code}.`);
  process.exit(code);
}

const binary = builtBinary();
const raw = join(root, "sample/raw");

say(bold(`A sample day in sample/raw: ${defaultDay.pings.toLocaleString("en")} pings of both eras`));
say(ensureSampleDay(raw) ? "made by scripts/sample-day.ts" : "there already");
const rawFiles = filesIn(join(raw, "telemetry-2/20151028"));

const batch =
  "batch ExampleStream --from 20151028 --metadata sample/raw --input sample/raw --output sample/derived".split(" ");
let code = derive(...batch);
if (code === 5) {
  say(
    "\nThe rows in sample/derived come from another sample day or another version of the stream, so derive left them",
  );
  say("alone. They are only a sample: replacing them.");
  code = derive(...batch, "--on-change", "replace");
}
if (code !== 0) stop(code);

const parts = filesIn(join(root, "sample/derived")).filter((file) => file.path.endsWith(".parquet"));
const part = parts[0];
if (part === undefined) throw new Error("Cannot show rows: sample/derived holds no part. Remove it and start again.");
const shown = derive("show", part.path.slice(root.length + 1), "-n", "10");
if (shown !== 0) stop(shown);

const rawBytes = rawFiles.reduce((sum, file) => sum + file.bytes, 0);
const derivedBytes = parts.reduce((sum, file) => sum + file.bytes, 0);
say(`\nraw      ${megabytes(rawBytes)} in ${rawFiles.length} objects`);
say(`derived  ${megabytes(derivedBytes)} in ${parts.length === 1 ? "1 part" : `${parts.length} parts`}`);
say(`         ${Math.round(rawBytes / derivedBytes)} times smaller`);
say(`\nNext: ./derive --help, ./derive streams, or your own stream: docs/writing-a-stream.md`);
