// Measures the peak memory of ./derive from S3 to S3, over a server in this process that has few bytes and many objects.
// bun scripts/bench/s3-memory.ts [MB:MB per object:workers …], by default 1000:25:1 10000:25:1: a Markdown table on stdout.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startDouble } from "../../test/s3/double.ts";
import { CREDENTIALS } from "../../test/storage/s3-places.ts";
import { builtBinary, root } from "../built.ts";
import { ensureCorpus } from "../corpus.ts";

const words = process.argv.slice(2);
const specs = words.length > 0 ? words : ["1000:25:1", "10000:25:1"];
const binary = process.env.DERIVE_BINARY ?? builtBinary();
const double = await startDouble();
const objects = double.store.bucket("bucket");

console.log("| input | objects | workers | rows | peak RSS MB | CPU s |\n|--:|--:|--:|--:|--:|--:|");
for (const spec of specs) {
  const [megabytes = 0, each = 0, workers = 0] = spec.split(":").map(Number);
  const folder = join(root, `build/bench/s3-${each}`);
  const corpus = ensureCorpus(folder, { shape: "main", megabytes: each, objects: 1, seed: 7 });
  objects.clear();
  const object = double.store.place("bucket", "raw/0", readFileSync(corpus.objects[0]!));
  const count = Math.ceil(megabytes / each);
  for (let i = 1; i < count; i++) objects.set(`raw/${i}`, object);
  const child = Bun.spawn(
    [
      binary,
      "convert",
      "ExampleStream",
      "s3://bucket/raw",
      "-o",
      "s3://bucket/out",
      "-j",
      `${workers}`,
      "--json",
      "-q",
    ],
    { env: { ...CREDENTIALS, AWS_ENDPOINT_URL_S3: double.endpoint }, stdout: "pipe", stderr: "inherit" },
  );
  const [output, exit] = [await child.stdout.text(), await child.exited];
  if (exit !== 0) throw new Error(`Cannot measure ${spec}: exit code ${exit}`);
  const { totals, peakRss } = JSON.parse(output);
  const cpu = Number(child.resourceUsage()!.cpuTime.total) / 1e6;
  const size = `${megabytes} MB`;
  console.log(
    `| ${size} | ${count} | ${workers} | ${totals.written} | ${Math.round(peakRss / 1e6)} | ${cpu.toFixed(1)} |`,
  );
  double.asked.length = 0;
}
double.stop();
