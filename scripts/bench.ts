// Measures the built ./derive beside other programs on a corpus made for it, whole processes taking turns; says what each
// stage takes. bun scripts/bench.ts [--mb 400] [--rounds 5]: Markdown on stdout, the chart to docs/speed.svg.
// --quick: a short run for CI, which fails where we lost ground (bench/quick.ts).
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type Bar, chart } from "./bench/chart.ts";
import { derive, duckdb, naive, native } from "./bench/programs.ts";
import { quick } from "./bench/quick.ts";
import { type Contender, folder, median, out, type Run, say, summary, takeTurns } from "./bench/run.ts";
import type { Stages } from "./bench/stages.ts";
import { builtBinary, root } from "./built.ts";
import { type Corpus, ensureCorpus, ensureNdjson, type WrittenCorpus } from "./corpus.ts";

const { values } = parseArgs({
  options: {
    mb: { type: "string", default: "400" },
    rounds: { type: "string", default: "5" },
    quick: { type: "boolean", default: false },
  },
});
const binary = builtBinary();
if (values.quick) process.exit(quick(binary) ? 0 : 1);

const rounds = Number(values.rounds);
/** Objects that are written; under several names they are read again and again. */
const OBJECT_MB = 50;
const copies = Math.max(1, Math.round(Number(values.mb) / OBJECT_MB));

interface Input {
  readonly bytes: number;
  readonly messages: number;
  readonly objects: readonly string[];
  readonly ndjson: readonly string[];
}

function input(shape: Corpus["shape"], megabytes: number, times: number, withNdjson: boolean): Input {
  const corpus = { shape, megabytes, objects: 1, seed: 1 };
  const home = join(folder, `${shape}-${megabytes}`);
  const written: WrittenCorpus = ensureCorpus(home, corpus);
  const ndjson = withNdjson ? ensureNdjson(home, corpus, written) : [];
  return {
    bytes: written.bytes * times,
    messages: written.messages * times,
    objects: linked(home, written.objects, times),
    ndjson: linked(home, ndjson, times),
  };
}

/** The same files under several names, for no object is given twice. */
function linked(home: string, paths: readonly string[], times: number): string[] {
  return paths.flatMap((path) =>
    Array.from({ length: times }, (_, copy) => {
      const link = join(home, `copies/${String(copy).padStart(3, "0")}-${basename(path)}`);
      mkdirSync(join(home, "copies"), { recursive: true });
      rmSync(link, { force: true });
      linkSync(path, link);
      return link;
    }),
  );
}

const table = [
  "| input | program | MB/s | MB per CPU s | rows/s | wall s | CPU s | peak RSS MB |",
  "|---|---|--:|--:|--:|--:|--:|--:|",
];

function bench(
  title: string,
  { bytes, messages, objects, ndjson }: Input,
  contenders: readonly Contender[],
  times = rounds,
): Run[] {
  const size = `${(bytes / 1e6).toFixed(0)} MB, ${messages.toLocaleString("en")} messages`;
  say(`${title}: ${size}`);
  for (const path of [...objects.slice(0, 1), ...ndjson.slice(0, 1)]) readFileSync(path); // into the page cache
  const runs = takeTurns(contenders, times).map(summary);
  for (const [index, { wall, cpu, rss, rows }] of runs.entries()) {
    const rates = [bytes / 1e6 / wall, bytes / 1e6 / cpu].map((rate) => rate.toFixed(0));
    const rest = [Math.round(rows / wall).toLocaleString("en"), wall.toFixed(2), cpu.toFixed(2), rss.toFixed(0)];
    table.push(`| ${[`${title}, ${size}`, contenders[index]!.name, ...rates, ...rest].join(" | ")} |`);
  }
  return runs;
}

function bars(contenders: readonly Contender[], runs: readonly Run[], bytes: number): Bar[] {
  return runs.map(({ cpu }, index) => ({
    name: contenders[index]!.name,
    value: bytes / 1e6 / cpu,
    isOurs: contenders[index]!.name.startsWith("derive"),
  }));
}

const load = (): number => Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
const loadBefore = process.platform === "linux" ? load() : undefined;

say("corpus in build/bench");
const pings = input("main", OBJECT_MB, copies, true);
const later = input("hindsight", 2 * OBJECT_MB, Math.ceil(copies / 2), false);
const records = input("executive", OBJECT_MB, Math.ceil(copies / 4), true);

const onPings = [
  derive(binary, "ExampleStream", 1, pings.objects),
  ...native("main", pings.objects),
  duckdb("main", pings.ndjson),
  naive("main", pings.objects),
];
const onRecords = [
  derive(binary, "ExecutiveStream", 1, records.objects),
  ...native("executive", records.objects),
  duckdb("executive", records.ndjson),
  naive("executive", records.objects),
];
const pingRuns = bench("ExampleStream", pings, onPings);
const recordRuns = bench("ExecutiveStream", records, onRecords);
const inGzip = [derive(binary, "ExampleStream", 1, later.objects), naive("main", later.objects)];
bench("ExampleStream, gzip era", later, inGzip);

/** Ours alone, other streams: what decides the rate is how much of a message has to be read. */
const others = [
  ["metadata and environment only", "EnvironmentStream"],
  ["absent fields", "AbsentStream"],
  ["3 columns", "NarrowStream"],
  ["60 columns", "WideStream"],
  ["schema form, paths", "PathsStream"],
].map(([title, name]) => ({ title: title!, stream: join("scripts/bench/streams", `${name}.ts`) }));
others.push({ title: "nested (AddonsStream)", stream: "AddonsStream" });
for (const { title, stream } of others) bench(title, pings, [derive(binary, stream, 1, pings.objects)]);

// Only an input of many tasks shows what a second worker brings.
const large = input("main", OBJECT_MB, copies * 6, false);
const workers = [1, 2].map((count) => derive(binary, "ExampleStream", count, large.objects));
bench("ExampleStream", large, workers, Math.min(2, rounds));
rmSync(out, { force: true });

function stagesOf(stream: string, { objects }: Input): Stages {
  // One object alone is too little for the compilers.
  const command = [process.execPath, join(root, "scripts/bench/stages.ts"), stream, ...objects.slice(0, 4)];
  const child = Bun.spawnSync(command, { cwd: root, stdout: "pipe", stderr: "inherit" });
  if (child.exitCode !== 0) throw new Error(`Cannot measure the stages of ${stream}: exit code ${child.exitCode}`);
  return JSON.parse(child.stdout.toString());
}
say("stages");
const staged = [
  { name: "ExampleStream", ...stagesOf("ExampleStream", pings) },
  { name: "EnvironmentStream", ...stagesOf("scripts/bench/streams/EnvironmentStream.ts", pings) },
  { name: "ExecutiveStream", ...stagesOf("ExecutiveStream", records) },
];
const stageTable = [
  `| µs of CPU per message | ${staged.map(({ name }) => name).join(" | ")} |`,
  `|---|${staged.map(() => "--:|").join("")}`,
  ...staged[0]!.stages.map(
    ({ name }, row) => `| ${name} | ${staged.map(({ stages }) => stages[row]!.micros.toFixed(1)).join(" | ")} |`,
  ),
];

const starts = Array.from({ length: 21 }, () => {
  const started = performance.now();
  Bun.spawnSync([binary, "--version"]);
  return performance.now() - started;
});

writeFileSync(
  join(root, "docs/speed.svg"),
  chart("MB of compressed input per CPU second", [
    { title: "ExampleStream: 21 columns of main pings", bars: bars(onPings, pingRuns, pings.bytes) },
    { title: "ExecutiveStream: 22 columns of flat records", bars: bars(onRecords, recordRuns, records.bytes) },
  ]),
);
const loads =
  loadBefore === undefined ? "" : ` Load average ${loadBefore.toFixed(0)} before, ${load().toFixed(0)} after.`;
console.log(table.join("\n"));
console.log(`\n${stageTable.join("\n")}`);
console.log(
  `\n\`./derive --version\`: ${Math.min(...starts).toFixed(1)} ms at the least, ${median(starts).toFixed(1)} ms in the median.` +
    ` Medians of ${rounds} runs, peak RSS the highest.${loads}`,
);
