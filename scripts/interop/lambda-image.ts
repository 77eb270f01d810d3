// Serves events from images in buildah's storage, started as Lambda starts them, with the strict Runtime API of the tests and an
// S3 server, both in this process. lambda-image.sh builds the images and runs this.
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wrapObject } from "../../src/lambda/wrap.ts";
import { type Ended, type Planned, RuntimeEmulator } from "../../test/lambda/emulator.ts";
import { type Double, startDouble } from "../../test/s3/double.ts";
import { ensureSampleDay } from "../sample-day.ts";
import { Root, type Used } from "./container.ts";

const RAW = "raw-bucket";
const day = join(tmpdir(), "derive-interop-day");
ensureSampleDay(day, { pings: 1000, seed: 3 });
const keys = readdirSync(day, { recursive: true, encoding: "utf8" }).filter((key) => key.split("/").length === 10);
const mainKeys = keys.filter((key) => key.split("/")[4] === "main");
const pings = (key: string): Uint8Array => readFileSync(join(day, key));

const s3: Double = await startDouble();
for (const file of ["sources.json", "telemetry-2/schema.json"]) s3.store.place("metadata", file, pings(file));
for (const key of keys) s3.store.place(RAW, key, pings(key));
s3.store.buckets.set("derived", new Map());

const environment = {
  AWS_ENDPOINT_URL_S3: s3.endpoint,
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "example",
  AWS_LAMBDA_FUNCTION_NAME: "derive-interop",
  LAMBDA_TASK_ROOT: "/var/task",
  DERIVE_OUTPUT: "s3://derived/all/",
  DERIVE_METADATA: "s3://metadata/",
};

interface Served {
  readonly ended: readonly Ended[];
  readonly initError?: string;
  readonly exit: number | undefined;
  readonly used: Used | undefined;
  /** Until it asked for the first event, in ms, with the making of the container. */
  readonly init: number;
  /** Of the lines of the log that carry metrics. */
  readonly metrics: readonly { readonly rows: number; readonly peakRss: number; readonly errors: number }[];
}

/** Runs the image until all events are answered. Throws for a breach of the Runtime API's rules, or an early end. */
async function serve(
  root: Root,
  plan: readonly Planned[],
  { memory = 1769, user = 993, emulator = "", env = {} as Record<string, string> } = {},
): Promise<Served> {
  const api = new RuntimeEmulator(plan);
  const started = performance.now();
  const container = root.start(
    { ...environment, AWS_LAMBDA_RUNTIME_API: api.host, AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memory), ...env },
    { memory, user },
    emulator || undefined,
  );
  const exit = await Promise.race([
    container.exited,
    api.done.then(() => (api.initError ? container.exited : undefined)),
  ]);
  const used = container.used();
  const { stdout, stderr } = await container.stop();
  await api.stop();
  if (api.breaches.length > 0 || (exit !== undefined && !api.initError)) {
    throw new Error(`Cannot go on: exit code ${exit}, ${api.breaches.join("; ")}\n${stderr}\n${stdout.slice(-2000)}`);
  }
  const lines = stdout.split("\n").flatMap((line) => (line.includes('"_aws"') ? [JSON.parse(line)] : []));
  const init = (api.firstNext ?? performance.now()) - started;
  return { ended: api.ended, initError: api.initError?.errorType, exit, used, init, metrics: lines };
}

let failures = 0;
function check(what: string, seen: unknown, expected: unknown = true): void {
  const holds = Bun.deepEquals(seen, expected);
  if (!holds) failures++;
  console.log(`${holds ? "ok    " : "FAILED"} ${what}${holds ? "" : `: ${JSON.stringify(seen)}`}`);
}

const derived = () => s3.store.bucket("derived");
const partsBelow = (prefix: string) => [...derived()].filter(([key]) => key.startsWith(prefix));
const eventOf = (key: string, shape: Parameters<typeof wrapObject>[1] = "s3") =>
  wrapObject({ bucket: RAW, key, size: s3.store.get(RAW, key).bytes.length }, shape);
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

// ---- the program's own image, with a built-in stream
const program = new Root("localhost/derive:amd64");
check("the entry point", program.config.Entrypoint, ["/usr/local/bin/derive", "lambda"]);
const env = { DERIVE_STREAM: "ExampleStream" };
{
  const { ended, metrics, init } = await serve(
    program,
    mainKeys.map((key) => ({ event: eventOf(key) })),
    { env },
  );
  const parts = partsBelow("all/example_stream/");
  check(
    `${mainKeys.length} events, each answered`,
    ended.map(({ kind }) => kind),
    mainKeys.map(() => "response"),
  );
  check(`a part for each of them: ${parts.length}`, parts.length, mainKeys.length);
  check(`rows in them: ${sum(metrics.map(({ rows }) => rows))}`, sum(metrics.map(({ rows }) => rows)) > 0);
  console.log(`       asked for its first event ${init.toFixed(0)} ms after runc was called; peak ${peak(metrics)} MB`);
}
{
  s3.asked.length = 0;
  for (const [key] of partsBelow("all/")) derived().delete(key);
  await serve(program, [{ event: eventOf(mainKeys[0]!) }], { env });
  const counts = Map.groupBy(
    s3.asked.filter(({ bucket }) => bucket !== "metadata"),
    ({ operation }) => operation,
  );
  console.log(
    `       requests for one new object: ${[...counts].map(([name, all]) => `${all.length} ${name}`).join(", ")}`,
  );
}
{
  const before = new Map(derived());
  const { ended } = await serve(program, [{ event: eventOf(mainKeys[0]!) }], { env, user: 65534 });
  check("as another user, the same event again: the same part", [ended[0]?.kind, derived()], ["response", before]);
}
{
  s3.store.place(RAW, "elsewhere/poison", "no frames");
  const event = {
    Records: ["elsewhere/poison", mainKeys[1]!].map((key, index) => ({
      messageId: `m${index}`,
      eventSource: "aws:sqs",
      body: JSON.stringify(eventOf(key, "eventbridge")),
    })),
  };
  const { ended, metrics } = await serve(program, [{ event }], { env });
  check("poison in a batch fails alone", ended[0]?.body, { batchItemFailures: [{ itemIdentifier: "m0" }] });
  check("and is counted", metrics[0]?.errors, 1);
}
{
  const [raw] = mainKeys;
  const below = { ...env, DERIVE_OUTPUT: `s3://${RAW}/telemetry-2/derived/` };
  const objects = s3.store.bucket(RAW).size;
  const { ended } = await serve(program, [{ event: eventOf(raw!) }], { env: below });
  check(
    "output that would wake the function again is refused",
    [ended[0]?.errorType, s3.store.bucket(RAW).size],
    ["Function.UsageError", objects],
  );
}
{
  const { initError, exit } = await serve(program, [], { env: { DERIVE_STREAM: "NoSuch.ts" } });
  check(`a stream that is not there ends the init: ${initError}`, initError?.startsWith("Runtime."));
  check("with an exit code", exit !== 0);
}
{
  // Plain frames only: a gzip member within them would be damage.
  const all = mainKeys.map(pings).filter((bytes) => bytes[0] === 0x1e);
  const times = Math.ceil(500e6 / sum(all.map((one) => one.length)));
  const bytes = Buffer.concat(Array.from({ length: times }, () => all).flat());
  const key = mainKeys[0]!.replace(/[^/]+$/, "huge");
  s3.store.place(RAW, key, bytes);
  for (const memory of [1769, 512]) {
    for (const part of partsBelow("all/")) derived().delete(part[0]);
    const { ended, metrics, used } = await serve(program, [{ event: eventOf(key) }], { env, memory });
    const megabytes = bytes.length / 1e6;
    const what = `an object of ${megabytes.toFixed(0)} MB in ${memory} MB`;
    check(what, [ended[0]?.kind, partsBelow("all/").length], ["response", 1]);
    const { cpuSeconds } = used!;
    console.log(
      `       ${metrics[0]?.rows} rows; ${((ended[0]?.ms ?? 0) / 1000).toFixed(1)} s, of a processor ${cpuSeconds.toFixed(2)} s: ` +
        `${(megabytes / cpuSeconds).toFixed(0)} MB a second of it; peak ${peak(metrics)} MB, with all that is cached ${(used!.memory / 1e6).toFixed(0)} MB`,
    );
  }
  s3.store.bucket(RAW).delete(key);
}
program.remove();

// ---- a user's image, on both architectures
const bytesOf = new Map<string, [string, unknown][]>();
for (const [architecture, emulator] of [
  ["amd64", ""],
  ["arm64", "/usr/bin/qemu-aarch64-static"],
] as const) {
  const mine = new Root(`localhost/mine:${architecture}`);
  const options = { env: { DERIVE_OUTPUT: `s3://derived/${architecture}/` }, emulator };
  const { ended, metrics, init } = await serve(mine, [{ event: eventOf(mainKeys[0]!), timeoutMs: 300_000 }], options);
  const parts = partsBelow(`${architecture}/my_stream/`);
  check(
    `${architecture}: a stream of one's own`,
    [mine.config.Cmd, ended[0]?.kind, parts.length],
    [["MyStream.ts"], "response", 1],
  );
  console.log(
    `       ${metrics[0]?.rows} rows; first event asked for after ${init.toFixed(0)} ms${emulator ? ", emulated" : ""}`,
  );
  bytesOf.set(
    architecture,
    parts.map(([key, { bytes }]) => [key.slice(architecture.length), bytes]),
  );
  mine.remove();
}
check("both architectures: the same bytes", bytesOf.get("amd64"), bytesOf.get("arm64"));
s3.stop();
console.log(failures === 0 ? "All holds." : `${failures} failed.`);
process.exit(failures === 0 ? 0 : 1);

function peak(metrics: Served["metrics"]): string {
  return (Math.max(...metrics.map(({ peakRss }) => peakRss)) / 1e6).toFixed(0);
}
