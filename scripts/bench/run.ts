// Whole processes side by side: they take turns, so that a slow minute hits them all.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../built.ts";

export const folder = join(root, "build/bench");
mkdirSync(folder, { recursive: true });
/** What contenders write, removed before each run. */
export const out = join(folder, "out.parquet");

/** One program on one input. Its stdout is JSON that holds the number of rows. */
export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
}

export interface Run {
  /** Wall time and CPU time (user and system, all threads) of the whole process, seconds. */
  readonly wall: number;
  readonly cpu: number;
  /** Peak resident memory, MB. */
  readonly rss: number;
  readonly rows: number;
}

export const say = (text: string): void => console.error(text);

export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

const hasGnuTime = existsSync("/usr/bin/time");

/** Runs a contender once. GNU time tells the memory, for what a child inherits from us counts in resourceUsage. */
export function measure({ name, command }: Contender): Run {
  rmSync(out, { force: true });
  const facts = join(folder, "time.txt");
  const gnuTime = hasGnuTime ? ["/usr/bin/time", "-f", "%M", "-o", facts] : [];
  const started = performance.now();
  const child = Bun.spawnSync([...gnuTime, ...command], { cwd: root, stdout: "pipe", stderr: "pipe" });
  const wall = (performance.now() - started) / 1000;
  if (child.exitCode !== 0) throw new Error(`Cannot measure ${name}: exit code ${child.exitCode}\n${child.stderr}`);
  const told = JSON.parse(child.stdout.toString()) as { rows?: number; totals: { written: number } };
  const { cpuTime, maxRSS } = child.resourceUsage;
  const rss = hasGnuTime ? Number(readFileSync(facts, "utf8").trim().split("\n").at(-1)) / 1e3 : maxRSS / 1e6;
  return { wall, cpu: Number(cpuTime.total) / 1e6, rss, rows: told.rows ?? told.totals.written };
}

/** All runs of each contender, `rounds` of them. They must have made the same number of rows. */
export function takeTurns(contenders: readonly Contender[], rounds: number): Run[][] {
  const runs: Run[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      const run = measure(contender);
      say(`  ${contender.name}: ${run.wall.toFixed(2)} s, CPU ${run.cpu.toFixed(2)} s, ${run.rss.toFixed(0)} MB`);
      runs[index]!.push(run);
    }
  }
  const rows = new Set(runs.flat().map((run) => run.rows));
  if (rows.size !== 1) throw new Error(`Cannot compare: the programs made ${[...rows].join(" and ")} rows`);
  return runs;
}

/** The medians of times, the highest memory. */
export function summary(runs: readonly Run[]): Run {
  return {
    wall: median(runs.map((run) => run.wall)),
    cpu: median(runs.map((run) => run.cpu)),
    rss: Math.max(...runs.map((run) => run.rss)),
    rows: runs[0]!.rows,
  };
}

/** What a program takes at the least: other work on the machine can only add to it. */
export function leastCpu(runs: readonly Run[]): number {
  return Math.min(...runs.map((run) => run.cpu));
}
