// How fast ./derive reads from S3 over loopback, against the same objects in a folder; all take turns.
// bun scripts/bench/s3-speed.ts [--mb N] [--objects N] [--rounds N]: a Markdown table on stdout
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { CREDENTIALS } from "../../test/storage/s3-places.ts";
import { builtBinary, root } from "../built.ts";
import { ensureCorpus } from "../corpus.ts";
import { median, say } from "./run.ts";

const { values } = parseArgs({
  options: {
    mb: { type: "string", default: "400" },
    objects: { type: "string", default: "16" },
    rounds: { type: "string", default: "5" },
  },
});
const [megabytes, objects] = [Number(values.mb), Number(values.objects)];
const folder = join(root, `build/bench/s3-${megabytes}-${objects}`);
const corpus = ensureCorpus(folder, { shape: "main", megabytes, objects, seed: 7 });
/** The objects and nothing else. */
const raw = join(folder, "raw");
mkdirSync(raw, { recursive: true });
for (const path of corpus.objects)
  if (!existsSync(join(raw, basename(path)))) linkSync(path, join(raw, basename(path)));
const binary = process.env.DERIVE_BINARY ?? builtBinary();
const script = join(import.meta.dir, "file-server.ts");
const server = Bun.spawn([process.execPath, script, raw], {
  stdout: "pipe",
  stderr: "inherit",
});
const port = new TextDecoder().decode((await server.stdout.getReader().read()).value).trim();
const places = {
  "a folder": raw,
  "S3, CRC-32": "s3://crc32/raw",
  "S3, CRC-64/NVME": "s3://crc64nvme/raw",
  "S3, CRC-32C": "s3://crc32c/raw",
  "S3, MD5 as ETag": "s3://md5/raw",
};
const contenders = Object.entries(places).flatMap(([name, place]) =>
  [1, 2].map((workers) => ({ name, place, workers })),
);
const runs = contenders.map((): Run[] => []);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [index, { name, place, workers }] of contenders.entries()) {
    const run = measure(place, workers);
    say(`  ${name}, ${workers}: ${run.wall.toFixed(2)} s, CPU ${run.cpu.toFixed(2)} s, ${run.rss.toFixed(0)} MB`);
    runs[index]!.push(run);
  }
}
server.kill();

const middle = (index: number, of: "wall" | "cpu") => median(runs[index]!.map((run) => run[of]));
console.log("| from | workers | wall s | CPU s | of the local rate: by the clock | in CPU s | peak RSS MB |");
console.log("|---|--:|--:|--:|--:|--:|--:|");
for (const [index, { name, workers }] of contenders.entries()) {
  const [wall, cpu] = [middle(index, "wall"), middle(index, "cpu")];
  const [localWall, localCpu] = [middle(workers - 1, "wall"), middle(workers - 1, "cpu")];
  const ratios = [localWall / wall, localCpu / cpu].map((ratio) => ratio.toFixed(2));
  const rss = Math.max(...runs[index]!.map((run) => run.rss)).toFixed(0);
  console.log(`| ${[name, workers, wall.toFixed(2), cpu.toFixed(2), ...ratios, rss].join(" | ")} |`);
}

interface Run {
  readonly wall: number;
  readonly cpu: number;
  readonly rss: number;
}

function measure(place: string, workers: number): Run {
  const [out, facts] = [join(root, "build/bench/s3-out"), join(root, "build/bench/s3-time.txt")];
  rmSync(out, { recursive: true, force: true });
  const time = ["/usr/bin/time", "-f", "%M", "-o", facts];
  const words = ["convert", "ExampleStream", place, "-o", out, "-j", `${workers}`, "-q"];
  const env = { ...process.env, ...CREDENTIALS, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` };
  const began = performance.now();
  const { exitCode, resourceUsage, stderr } = Bun.spawnSync([...time, binary, ...words], { env, stderr: "pipe" });
  const wall = (performance.now() - began) / 1000;
  if (exitCode !== 0) throw new Error(`Cannot measure ${place}: exit code ${exitCode}\n${stderr}`);
  return { wall, cpu: Number(resourceUsage.cpuTime.total) / 1e6, rss: Number(readFileSync(facts, "utf8")) * 1.024e-3 };
}
