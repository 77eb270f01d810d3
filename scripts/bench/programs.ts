// The programs that the bench runs beside ours, as far as this machine has what they need.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../built.ts";
import { type Contender, folder, out, say } from "./run.ts";

/** "main" pings, or "executive" records. */
export type Rows = "main" | "executive";

const here = join(root, "scripts/bench");

export function derive(binary: string, stream: string, workers: number, inputs: readonly string[]): Contender {
  const name = workers === 1 ? "derive, 1 worker" : `derive, ${workers} workers`;
  return { name, command: [binary, "convert", stream, ...inputs, "-o", out, "-j", String(workers), "--json", "-q"] };
}

/** The naive program in Bun, which is always there. */
export function naiveInBun(rows: Rows, inputs: readonly string[]): Contender {
  return { name: "naive, Bun", command: [process.execPath, join(here, "naive.ts"), rows, out, ...inputs] };
}

/** The naive program in Node where there is one. */
export function naive(rows: Rows, inputs: readonly string[]): Contender {
  const node = Bun.which("node");
  if (node === null) return naiveInBun(rows, inputs);
  const bundle = join(folder, "naive.mjs");
  must([process.execPath, "build", join(here, "naive.ts"), "--target=node", `--outfile=${bundle}`]);
  return { name: "naive, Node", command: [node, bundle, rows, out, ...inputs] };
}

export function duckdb(rows: Rows, inputs: readonly string[]): Contender {
  return {
    name: "DuckDB on NDJSON, 1 thread",
    command: [process.execPath, join(here, "duckdb.ts"), rows, "1", out, ...inputs],
  };
}

/** The native program; none where it cannot be compiled, which is said. */
export function native(rows: Rows, inputs: readonly string[]): Contender[] {
  const source = join(here, "native.cpp");
  const binary = join(folder, "native");
  if (!existsSync(binary) || statSync(binary).mtimeMs < statSync(source).mtimeMs) {
    const command = ["g++", "-O3", "-march=native", "-std=c++17", source, "-o", binary, "-lsnappy", "-lsimdjson"];
    try {
      must(command);
    } catch {
      say("  without the native program: it needs g++ and Debian's libsnappy-dev and libsimdjson-dev");
      return [];
    }
  }
  return [{ name: "C++, libsnappy and simdjson, to CSV", command: [binary, rows, out, ...inputs] }];
}

function must(command: string[]): void {
  const child = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
  if (child.exitCode !== 0) throw new Error(`Cannot run ${command.join(" ")}: ${child.stderr}`);
}
