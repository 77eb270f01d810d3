// The function under AWS's own emulator: events go in over HTTP, as `docker run` of an image would have it, answers come back.
import { strict as assert } from "node:assert";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LambdaFolder, s3Event, sqsEvent } from "../../test/lambda/function.ts";
import { builtBinary } from "../built.ts";

const emulator = process.argv[2] ?? "aws-lambda-rie";
const [invokePort, apiPort] = [freePort(), freePort()];

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  listener.stop(true);
  return listener.port;
}

const POISON = Array.from({ length: 11 }, (_, i) => -1 - i);

const folder = new LambdaFolder();
const logs = mkdtempSync(join(tmpdir(), "derive-rie-"));
const keys = {
  a: folder.lay("a b+c%2Bé", 1, 2),
  poison: folder.lay("poison", ...POISON),
  slow: folder.lay("slow", 5000),
};
const child = Bun.spawn(
  [
    emulator,
    "--runtime-interface-emulator-address",
    `127.0.0.1:${invokePort}`,
    "--runtime-api-address",
    `127.0.0.1:${apiPort}`,
    builtBinary(),
  ],
  {
    cwd: join(folder.path, "task"),
    env: { ...folder.environment(), AWS_LAMBDA_FUNCTION_TIMEOUT: "3", PATH: process.env.PATH ?? "" },
    stdin: "ignore",
    stdout: openSync(join(logs, "out"), "w"),
    stderr: openSync(join(logs, "err"), "w"),
  },
);

async function invoke(event: unknown): Promise<{ body: Record<string, unknown>; seconds: number }> {
  const started = performance.now();
  const url = `http://127.0.0.1:${invokePort}/2015-03-31/functions/function/invocations`;
  const signal = AbortSignal.timeout(30_000);
  const response = await fetch(url, { method: "POST", body: JSON.stringify(event), signal, proxy: false });
  return { body: (await response.json()) as Record<string, unknown>, seconds: (performance.now() - started) / 1000 };
}

async function untilListening(): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await Bun.connect({ hostname: "127.0.0.1", port: invokePort, socket: { data() {} } }).catch(() => {});
    if (open) return void open.end();
    await Bun.sleep(100);
  }
  throw new Error("the emulator does not listen");
}

try {
  await untilListening();
  const results = async (event: unknown) => (await invoke(event)).body.results as { state: string; rows: number }[];
  assert.deepEqual(
    (await results(s3Event([keys.a]))).map(({ state, rows }) => [state, rows]),
    [["written", 2]],
  );
  assert.equal((await results(s3Event([keys.a])))[0]?.state, "unchanged");
  const batch = sqsEvent([s3Event([keys.a]), s3Event([keys.poison]), { Event: "s3:TestEvent" }]);
  assert.deepEqual((await invoke(batch)).body, { batchItemFailures: [{ itemIdentifier: "message-1" }] });
  assert.equal((await invoke({ ping: 1 })).body.errorType, "Function.UsageError");
  const slow = await invoke(s3Event([keys.slow]));
  assert.equal(slow.body.errorType, "Function.DeadlineError");
  assert(slow.seconds < 3, `answered after ${slow.seconds} s of a time-out of 3`);
  assert.equal((await results(s3Event([keys.a])))[0]?.state, "unchanged");
  assert.equal(folder.parts().length, 1);
  console.log("ok: events under AWS's Runtime Interface Emulator");
} catch (error) {
  for (const name of ["out", "err"]) console.error(readFileSync(join(logs, name), "utf8").slice(-4000));
  throw error;
} finally {
  child.kill();
  await child.exited;
  folder.remove();
  rmSync(logs, { recursive: true, force: true });
}
