// P4, P7: one object of more than a task is read by several workers, by the built binary: the same files as by one.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { derive } from "./derive.ts";
import { pingFrame, writeStreams } from "./faulty-days.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

let folder = "";
beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-huge-"));
  writeStreams(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A frame whose message holds frames, large enough for any cut to fall into one. */
function holding(inner: Uint8Array, bytes: number): Uint8Array {
  const message = encodeMessage({
    uuid: new Uint8Array(16),
    timestamp: 1n,
    fields: [
      { name: "clientId", type: "string", values: ["holder"] },
      { name: "hours", type: "double", values: [2] },
      { name: "held", type: "bytes", values: [Buffer.alloc(bytes, inner)] },
    ],
  });
  return encodeFrame(message);
}

test("the same part, the same books, and each message once", async () => {
  const block = Buffer.concat([
    ...Array.from({ length: 40 }, (_, n) => pingFrame(`c${n}`, n, n % 2 === 0)),
    Buffer.from("\x1enoise"),
    holding(pingFrame("held", 1), 3_000_000),
    Buffer.alloc(3000, " \n"),
  ]);
  const blocks = Math.ceil((540 * 2 ** 20) / block.length);
  const file = openSync(join(folder, "huge.heka"), "w");
  for (let n = 0; n < blocks; n++) writeSync(file, block);
  closeSync(file);

  const outputs: string[] = [];
  for (const workers of ["1", "2"]) {
    const flags = ["--json", "-j", workers, "--max-errors", "100%"];
    const { exit, stdout } = await derive(["convert", "Hours", "huge.heka", "-o", `by-${workers}`, ...flags], folder);
    expect(exit).toBe(0);
    const [partition] = JSON.parse(stdout).partitions;
    expect(partition).toMatchObject({
      objects: 1,
      storedBytes: blocks * block.length,
      bytes: blocks * block.length,
      frames: 41 * blocks,
      written: 41 * blocks,
      damagedRanges: blocks,
      bytesDamaged: 6 * blocks,
      bytesBlank: 3000 * blocks,
    });
    outputs.push(join(folder, `by-${workers}`, "hours/v1"));
  }
  const [one, two] = outputs as [string, string];
  expect(readdirSync(two).sort()).toEqual(readdirSync(one).sort());
  for (const name of readdirSync(one)) expect(readFileSync(join(two, name))).toEqual(readFileSync(join(one, name)));
}, 60_000);
