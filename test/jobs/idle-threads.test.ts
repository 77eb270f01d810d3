// Threads that wait for a request: what a stream has left behind in one is ended as well, and costs the next request nothing.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkerPool } from "../../src/jobs/pool.ts";
import { describeIn, describeStream, resolveStream } from "../../src/jobs/streams.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "derive-idle-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function stream(name: string, code = "") {
  const text = `import { defineStream, string } from "derive";
${code}
export default defineStream({ streamName: "telemetry", columns: { clientId: string() } });
`;
  writeFileSync(join(folder, `${name}.ts`), text);
  return resolveStream(`./${name}.ts`, folder);
}

test("one that loops is ended for time", async () => {
  const pool = new WorkerPool(1, { streamSeconds: 1, memoryBytes: 0 });
  try {
    expect((await describeIn(pool, stream("Loops", "setTimeout(() => { for (;;); }, 50);"))).name).toBe("Loops");
    await Bun.sleep(3000);
    const began = performance.now();
    expect((await describeIn(pool, stream("Good"))).name).toBe("Good");
    expect(performance.now() - began).toBeLessThan(2000); // else it is the one that loops that was asked
  } finally {
    pool.close();
  }
});

test("P9 one that fills the memory is ended for that, whatever the other threads do", async () => {
  const limit = process.memoryUsage.rss() + (400 << 20);
  const pool = new WorkerPool(1, { streamSeconds: 60, memoryBytes: limit });
  const fills = "const kept = []; setTimeout(() => { for (;;) kept.push(new Uint8Array(1 << 20).fill(1)); }, 50);";
  try {
    expect((await describeIn(pool, stream("Fills", fills))).name).toBe("Fills");
    await Bun.sleep(3000);
    expect(process.memoryUsage.rss()).toBeLessThan(limit);
    expect((await describeIn(pool, stream("Good"))).name).toBe("Good");
  } finally {
    pool.close();
  }
});

test("one that ends its thread costs nobody anything", async () => {
  const pool = new WorkerPool(1);
  try {
    expect((await describeIn(pool, stream("Exits", "setTimeout(() => process.exit(7), 50);"))).name).toBe("Exits");
    await Bun.sleep(300);
    expect((await describeIn(pool, stream("Good"))).name).toBe("Good");
  } finally {
    pool.close();
  }
});

test("what a stream says on stdout goes to stderr, and its stdout looks like one", async () => {
  const code =
    'process.stdout.write("said\\n"); if (!("columns" in process.stdout) && process.stdout.fd !== 2) throw 1;';
  expect((await describeStream(stream("Says", code))).name).toBe("Says");
});
