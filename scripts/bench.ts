// Measures the built ./derive against a naive program of our own, whole processes, taking turns, medians.
// bun scripts/bench.ts [--mb 400] [--rounds 5] [--quick]: a Markdown table on stdout, with --quick also checks (CI).
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { builtBinary, root } from "./built.ts";
import { ensureCorpus, type WrittenCorpus } from "./corpus.ts";

const memoryBound = 250;
const folder = join(root, "build/bench");
const out = join(folder, "out.parquet");
const naive = join(root, "scripts/bench/naive.ts");

/** One program on one input. The command's stdout is JSON that holds the number of rows. */
interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly rowsOf: (json: { rows: number; totals: { written: number } }) => number;
}

interface Run {
  /** Wall and CPU (user and system) time of the whole process, seconds. */
  readonly wall: number;
  readonly cpu: number;
  /** Peak resident memory, MB. */
  readonly rss: number;
  readonly rows: number;
}

const { values } = parseArgs({
  options: {
    mb: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const quick = values.quick;
const megabytes = Number(values.mb ?? (quick ? 150 : 400));
const rounds = Number(values.rounds ?? (quick ? 3 : 5));

const say = (text: string): void => console.error(text);
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;

/** Runs a contender once. GNU time tells the memory, for what a child inherits from us counts in resourceUsage. */
function measure({ name, command, rowsOf }: Contender): Run {
  rmSync(out, { force: true });
  const facts = join(folder, "time.txt");
  const gnuTime = existsSync("/usr/bin/time") ? ["/usr/bin/time", "-f", "%U %S %M", "-o", facts] : [];
  const started = performance.now();
  const child = Bun.spawnSync([...gnuTime, ...command], { cwd: root, stdout: "pipe", stderr: "pipe" });
  const wall = (performance.now() - started) / 1000;
  if (child.exitCode !== 0) throw new Error(`Cannot measure ${name}: exit code ${child.exitCode}\n${child.stderr}`);
  const rows = rowsOf(JSON.parse(child.stdout.toString()));
  if (gnuTime.length === 0) {
    const { cpuTime, maxRSS } = child.resourceUsage;
    return { wall, cpu: Number(cpuTime.total) / 1e6, rss: maxRSS / 1e6, rows };
  }
  const [user, system, kilobytes] = readFileSync(facts, "utf8").trim().split("\n").at(-1)!.split(" ").map(Number);
  return { wall, cpu: user! + system!, rss: kilobytes! / 1e3, rows };
}

/** Medians of all contenders on one input; they take turns, so that a slow minute hits them all. */
function compare(contenders: readonly Contender[], times = rounds): Run[] {
  const runs: Run[][] = contenders.map(() => []);
  for (let round = 0; round < times; round++) {
    for (const [index, contender] of contenders.entries()) {
      const run = measure(contender);
      say(`  ${contender.name}: ${run.wall.toFixed(2)} s, ${run.rss.toFixed(0)} MB`);
      runs[index]!.push(run);
    }
  }
  const rows = new Set(runs.flat().map((run) => run.rows));
  if (rows.size !== 1) throw new Error(`Cannot compare: the programs made ${[...rows].join(" and ")} rows`);
  return runs.map((own) => ({
    wall: median(own.map((run) => run.wall)),
    cpu: median(own.map((run) => run.cpu)),
    rss: Math.max(...own.map((run) => run.rss)),
    rows: own[0]!.rows,
  }));
}

const derive = (stream: string, workers: number, inputs: readonly string[]): Contender => ({
  name: workers === 1 ? "derive, 1 worker" : `derive, ${workers} workers`,
  command: [binary, "convert", stream, ...inputs, "-o", out, "-j", String(workers), "--json", "-q"],
  rowsOf: (json) => json.totals.written,
});
const naiveOn = (shape: string, inputs: readonly string[]): Contender => ({
  name: "naive, Bun",
  command: [process.execPath, naive, shape, out, ...inputs],
  rowsOf: (json) => json.rows,
});

/** The same objects under several names: enough input to be cut into several tasks. */
function multiply(corpus: WrittenCorpus, times: number): WrittenCorpus {
  const large = join(folder, "large");
  rmSync(large, { recursive: true, force: true });
  mkdirSync(large);
  const objects = Array.from({ length: times }, (_, copy) =>
    corpus.objects.map((path) => {
      const link = join(large, `${copy}-${basename(path)}`);
      linkSync(path, link);
      return link;
    }),
  ).flat();
  return { objects, messages: corpus.messages * times, bytes: corpus.bytes * times };
}

const table = ["| input | program | MB/s | rows/s | wall s | CPU s | peak RSS MB |", "|---|---|--:|--:|--:|--:|--:|"];

function bench(title: string, corpus: WrittenCorpus, contenders: readonly Contender[], times = rounds): Run[] {
  const size = `${(corpus.bytes / 1e6).toFixed(0)} MB, ${corpus.messages.toLocaleString("en")} messages`;
  say(`${title}: ${size}`);
  for (const path of corpus.objects) readFileSync(path); // into the page cache
  const runs = compare(contenders, times);
  for (const [index, { wall, cpu, rss, rows }] of runs.entries()) {
    const rates = [(corpus.bytes / 1e6 / wall).toFixed(0), Math.round(rows / wall).toLocaleString("en")];
    const cells = [
      `${title}, ${size}`,
      contenders[index]!.name,
      ...rates,
      wall.toFixed(2),
      cpu.toFixed(2),
      rss.toFixed(0),
    ];
    table.push(`| ${cells.join(" | ")} |`);
  }
  return runs;
}

/** By the clock and by CPU time: what else runs on the machine may move one of them. */
function isSlower(run: Run, than: Run): boolean {
  return run.wall > than.wall && run.cpu > than.cpu;
}

const binary = builtBinary();
mkdirSync(folder, { recursive: true });
say(`corpus in build/bench, ${megabytes} MB`);
const pings = ensureCorpus(join(folder, `main-${megabytes}`), { shape: "main", megabytes, objects: 4, seed: 1 });
const records = ensureCorpus(join(folder, `executive-${megabytes}`), {
  shape: "executive",
  megabytes: Math.ceil(megabytes / 4),
  objects: 1,
  seed: 1,
});

const [ours, , plain] = bench("ExampleStream", pings, [
  derive("ExampleStream", 1, pings.objects),
  derive("ExampleStream", 2, pings.objects),
  naiveOn("main", pings.objects),
]);
const [flat, plainFlat] = bench("ExecutiveStream", records, [
  derive("ExecutiveStream", 1, records.objects),
  naiveOn("executive", records.objects),
]);
const checked = [ours!, flat!];
if (!quick) {
  // Tasks are cut at 512 MiB: only a larger input shows what a second worker brings.
  const large = multiply(pings, 6);
  const workers = [1, 2].map((count) => derive("ExampleStream", count, large.objects));
  checked.push(bench("ExampleStream", large, workers, Math.min(3, rounds))[0]!);
}
rmSync(out, { force: true });

const starts = Array.from({ length: 21 }, () => {
  const started = performance.now();
  Bun.spawnSync([binary, "--version"]);
  return performance.now() - started;
});

console.log(table.join("\n"));
console.log(
  `\n\`./derive --version\`: ${median(starts).toFixed(1)} ms. Medians of ${rounds} runs, peak RSS the highest.`,
);
console.log(
  `Against naive: ExampleStream ${(plain!.wall / ours!.wall).toFixed(1)} times as fast, ExecutiveStream ${(plainFlat!.wall / flat!.wall).toFixed(1)} times.`,
);

if (quick) {
  const faults = [
    ...checked
      .filter((run) => run.rss > memoryBound)
      .map((run) => `${run.rss.toFixed(0)} MB, more than ${memoryBound}`),
    ...(isSlower(ours!, plain!) ? ["ExampleStream is slower than the naive program"] : []),
    ...(isSlower(flat!, plainFlat!) ? ["ExecutiveStream is slower than the naive program"] : []),
  ];
  for (const fault of faults) say(`Not ok: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
