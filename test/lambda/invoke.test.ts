// `derive invoke`: the loop of the function, on a developer's machine.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { derive } from "../binary/derive.ts";
import { keyOf, LambdaFolder, s3Event, sqsEvent } from "./function.ts";

let folder: LambdaFolder;
beforeAll(() => {
  folder = new LambdaFolder();
  folder.write(
    "derive.toml",
    'input = "raw"\noutput = "derived"\n[sources.telemetry]\nprefix = "telemetry-2"\ndimensions = ["submissionDate", "docType"]\n',
  );
  folder.lay("a+b c", 1, 2, 0);
  folder.lay("poison", -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11);
  folder.lay("slow", 5000);
});
beforeEach(() => rmSync(join(folder.path, "derived"), { recursive: true, force: true }));
afterAll(() => folder.remove());

async function invoke(words: string[], stdin?: unknown) {
  const options = stdin === undefined ? {} : { stdin: new TextEncoder().encode(JSON.stringify(stdin)) };
  const { exit, stdout, stderr } = await derive(["invoke", "task/MyStream.ts", ...words], folder.path, options);
  const replies = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  return { exit, replies, stderr };
}

const object = join("raw", keyOf("a+b c"));

describe("a raw object, wrapped", () => {
  test.each([
    ["s3", { objects: 1, results: [{ state: "written", rows: 2 }] }],
    ["sns", { objects: 1, results: [{ state: "written", rows: 2 }] }],
    ["sqs", { batchItemFailures: [] }],
    ["eventbridge", { objects: 1, results: [{ state: "written", rows: 2 }] }],
    ["batchops", { invocationSchemaVersion: "2.0", results: [{ resultCode: "Succeeded" }] }],
    ["direct", { objects: 1, results: [{ state: "written", rows: 2 }] }],
  ])("--shape %s", async (shape, reply) => {
    const { exit, replies, stderr } = await invoke([object, "--shape", shape]);
    expect(replies).toMatchObject([reply]);
    expect(exit).toBe(0);
    const log = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(log).toMatchObject([
      { state: "written", written: 2, filtered: 1 },
      { objects: 1, rows: 2, _aws: {} },
    ]);
    expect(folder.parts()).toHaveLength(1);
  });
});

describe("events as they are", () => {
  test("from files and stdin, one reply a line in their order; the exit code is the highest", async () => {
    folder.write("one.json", JSON.stringify(s3Event([keyOf("a+b c")])));
    folder.write("two.json", JSON.stringify(sqsEvent([s3Event([keyOf("poison")]), s3Event([keyOf("a+b c")])])));
    const { exit, replies } = await invoke(["one.json", "two.json", "-"], { Event: "s3:TestEvent" });
    expect(replies).toMatchObject([
      { objects: 1 },
      { batchItemFailures: [{ itemIdentifier: "message-0" }] },
      { objects: 0 },
    ]);
    expect(exit).toBe(3);
  });

  test("an error is printed as Lambda would show it", async () => {
    const { exit, replies } = await invoke(["-"], s3Event(["elsewhere/x"]));
    expect(replies).toMatchObject([{ errorType: "Function.UsageError", stackTrace: expect.any(Array) }]);
    expect(exit).toBe(2);
  });

  test("--timeout", async () => {
    const { exit, replies } = await invoke([join("raw", keyOf("slow")), "--timeout", "500ms"]);
    expect(replies).toMatchObject([{ errorType: "Function.DeadlineError" }]);
    expect(exit).toBe(6);
    expect(folder.parts()).toEqual([]);
  });

  test("-q leaves the reply alone", async () => {
    expect((await invoke([object, "-q"])).stderr).toBe("");
  });
});

test.each([
  [["nothing.json"], 4, "there is no such file"],
  [["raw/telemetry-2/nothing"], 4, "there is no such object"],
  [["/etc/hostname"], 2, "--input raw"],
  [[object, "--shape", "kafka"], 2, "--shape"],
  [[object, "--timeout", "soon"], 2, "--timeout"],
  [[object, "-o", "raw/telemetry-2/out"], 2, "wake the function again"],
])("%j: exit %i", async (words, exit, told) => {
  const ended = await invoke(words);
  expect(ended).toMatchObject({ exit, replies: [] });
  expect(ended.stderr).toContain(told);
});
