// `derive batch A B …` in the built binary: each raw object is read once for all streams, and each stream has its own books,
// budget and commit, and the bytes that it has alone.
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { writeSampleDay } from "../../scripts/sample-day.ts";
import { openSource } from "../../src/storage/place.ts";
import { type Double, startDouble } from "../s3/double.ts";
import { derive } from "./derive.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

builtBinary();
const folder = mkdtempSync(join(tmpdir(), "derive-several-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let double: Double;
let rawKeys: string[] = [];

const stream = (name: string, text: string) =>
  writeFileSync(
    join(folder, `${name}.ts`),
    `import { defineStream, double, string } from "derive";\nexport default defineStream({ streamName: "telemetry", ${text} });\n`,
  );

beforeAll(async () => {
  writeSampleDay(join(folder, "raw"), { pings: 200, seed: 5 });
  double = await startDouble({ pageSize: 100 });
  for await (const { key } of openSource(join(folder, "raw")).list("")) {
    double.store.place("bucket", key, readFileSync(join(folder, "raw", key)));
    if (key.includes("/20151028/")) rawKeys.push(key);
  }
  rawKeys = rawKeys.sort();
  // Columns, functions, another selection of objects, another partition; one that fails often.
  stream("Crashes", 'dimensions: { docType: ["crash"] }, columns: { clientId: string().optional() }');
  stream("Late", 'columns: { hours: double("payload.info.subsessionLength").optional(), os: string().default("") }');
  stream(
    "Built",
    'buildSchema: () => ({ type: "record", name: "B", fields: [{ name: "v", type: "string" }] }), buildRecord: (message) => ({ v: message.string("environment.build.version", "") })',
  );
  stream("ByApp", 'partitionBy: ["submissionDate", "appName"], columns: { id: string("documentId").orSkip() }');
  stream("Fails", "columns: { nothing: string() }");
  stream("Loops", "where: () => { for (;;); }, columns: { clientId: string() }");
});
afterAll(() => double.stop());
beforeEach(() => {
  double.asked.length = 0;
});

const batch = (streams: readonly string[], output: string, ...more: string[]) =>
  derive(
    ["batch", ...streams, "--from", "20151028", "--metadata", "raw", "--input", "raw", "-o", output, ...more],
    folder,
  );
const filesOf = (output: string) =>
  new Map(
    readdirSync(join(folder, output), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .map((path) => [path.slice(join(folder, output).length), Bun.hash(readFileSync(path))]),
  );

const STREAMS = ["ExampleStream", "./Crashes.ts", "./Late.ts", "./Built.ts", "./ByApp.ts"];

test("P4 each stream has the bytes, manifests too, that it has alone; with one worker or several", async () => {
  for (const name of STREAMS) expect((await batch([name], "alone")).exit).toBe(0);
  const alone = filesOf("alone");
  for (const workers of ["1", "3"]) {
    const { exit, stderr } = await batch(STREAMS, `together-${workers}`, "-j", workers);
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    expect(filesOf(`together-${workers}`)).toEqual(alone);
  }
  expect((await batch(STREAMS, "alone")).stderr).not.toContain("written"); // P2
});

test("each raw object is asked for once", async () => {
  const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  const places = ["--metadata", "raw", "--input", "s3://bucket", "--endpoint-url", double.endpoint, "-o", "from-s3"];
  const { exit } = await derive(["batch", ...STREAMS.slice(0, 4), "--from", "20151028", ...places], folder, { env });
  expect(exit).toBe(0);
  const gets = double.asked.filter(({ operation }) => operation === "GetObject").map(({ key }) => key);
  expect(gets.sort()).toEqual(rawKeys);
});

test("P8 one stream's failures are its own: budget, books and exit code", async () => {
  const { exit, stdout } = await batch(["./Fails.ts", "ExampleStream"], "budget", "--json");
  expect(exit).toBe(3);
  const [fails, example] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect([fails.partitions[0].state, example.partitions[0].state]).toEqual(["failed", "written"]);
  expect(example.totals.failed).toBeLessThan(fails.totals.failed);
});

test("a stream that loops fails alone: the others begin anew and finish, with their bytes", async () => {
  const { exit, stderr } = await batch(["./Late.ts", "./Loops.ts"], "loops", "--stream-timeout", "2");
  expect(exit).toBe(2);
  expect(stderr).toContain("Loops.ts");
  const late = [...filesOf("loops")].filter(([path]) => path.startsWith("/late/"));
  expect(late).toEqual([...filesOf("alone")].filter(([path]) => path.startsWith("/late/")));
}, 60_000);

test("--strict and --quarantine: each stream reads for itself, with the same result", async () => {
  const { exit, stdout } = await batch(["./Fails.ts", "./Built.ts"], "strict", "--strict", "--json");
  const states = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).partitions[0].state);
  expect({ exit, states }).toEqual({ exit: 4, states: ["failed", "written"] });
  expect((await batch(["./Late.ts", "./Built.ts"], "kept", "--quarantine", "quarantine")).exit).toBe(0);
});
