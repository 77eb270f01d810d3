// The loop in this process: what it leaves in the environment, and how a signal ends it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { resolveSettings } from "../../src/cli/config.ts";
import { prepareFunction } from "../../src/cli/event-function.ts";
import type { EventFunction } from "../../src/lambda/invocation.ts";
import { serveInvocations } from "../../src/lambda/loop.ts";
import { RuntimeApi } from "../../src/lambda/runtime-api.ts";
import { type Planned, RuntimeEmulator } from "./emulator.ts";
import { LambdaFolder, s3Event } from "./function.ts";

let folder: LambdaFolder;
let func: EventFunction;
beforeAll(async () => {
  folder = new LambdaFolder();
  const environment = folder.environment();
  const settings = resolveSettings({}, environment, null);
  func = await prepareFunction("MyStream.ts", join(folder.path, "task"), settings, environment);
});
afterAll(async () => {
  await func.pool.close();
  folder.remove();
});

/** Serves `plan`, and calls `ended` after each invocation; aborts the loop when all are answered, or when `ended` says so. */
async function serve(plan: readonly Planned[], ended: (index: number) => void, stop?: AbortController) {
  const emulator = new RuntimeEmulator(plan);
  const finished = stop ?? new AbortController();
  emulator.done.then(() => finished.abort());
  const lines: string[] = [];
  let index = 0;
  await serveInvocations(new RuntimeApi(emulator.host), func, {
    write: (line) => void lines.push(line),
    flush: async () => {},
    ended: () => ended(index++),
    signal: finished.signal,
  });
  await emulator.stop();
  expect(emulator.breaches).toEqual([]);
  return { emulator, lines };
}

test("X-Ray's header is in the environment while its invocation lasts, and gone when the next one has none", async () => {
  const event = { Event: "s3:TestEvent" };
  const seen: (string | undefined)[] = [];
  const plan = [{ event }, { event, traceId: "Root=1-a" }, { event, traceId: "Root=1-b" }, { event }];
  await serve(plan, () => seen.push(process.env._X_AMZN_TRACE_ID));
  expect(seen).toEqual([undefined, "Root=1-a", "Root=1-b", undefined]);
});

test("a signal ends the loop: the invocation under way is answered as failed, and nothing is half-written", async () => {
  const stop = new AbortController();
  const event = s3Event([folder.lay("slow", 5000)]);
  setTimeout(() => stop.abort(), 300);
  const { emulator } = await serve([{ event }, { event }], () => {}, stop);
  expect(emulator.ended).toMatchObject([{ kind: "error", errorType: "Function.InterruptedError" }]);
  expect(folder.leftovers()).toEqual([]);
});
