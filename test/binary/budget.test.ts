// P7 and P8 at their exact edges, in the built binary: so many errors are allowed, one more is not.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { derive } from "./derive.ts";
import { pingFrame, UNDECODABLE, writeObject, writeStreams } from "./faulty-days.ts";

let folder = "";
beforeAll(() => {
  builtBinary();
  folder = mkdtempSync(join(tmpdir(), "derive-budget-"));
  writeStreams(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GOOD = pingFrame("a", 1);
const FAILING = pingFrame("b", "no number");
const DAMAGE = Buffer.from("\x01no frame");

/** Good frames among which errors lie: failing messages, undecodable frames and damaged ranges in turn. */
function withErrors(chances: number, errors: number): Uint8Array {
  const kinds = [FAILING, UNDECODABLE, DAMAGE];
  const pieces: Uint8Array[] = [];
  for (let index = 0; index < errors; index++) pieces.push(GOOD, kinds[index % kinds.length]!);
  for (let index = 2 * errors; index < chances; index++) pieces.push(GOOD);
  return Buffer.concat(pieces);
}

let runs = 0;
async function run(errors: number, chances: number, ...flags: string[]) {
  const name = `run-${runs++}`;
  writeFileSync(join(folder, `${name}.heka`), withErrors(chances, errors));
  const words = ["convert", "Hours", `${name}.heka`, "-o", `${name}`, "--json", "-j", "1", ...flags];
  const { exit, stdout } = await derive(words, folder);
  const [partition] = JSON.parse(stdout).partitions;
  const { undecodable, failed, damagedRanges, frames, decoded, written, filtered } = partition;
  expect(undecodable + failed + damagedRanges).toBe(errors);
  expect(frames + damagedRanges).toBe(chances);
  expect([decoded + undecodable, written + filtered + failed]).toEqual([frames, decoded]);
  expect(partition.bytes).toBe(partition.bytesInFrames + partition.bytesDamaged + partition.bytesBlank);
  const committed = existsSync(join(folder, name, "hours/v1/_SUCCESS"));
  expect([exit, partition.state, committed, partition.parts.length]).toEqual(
    exit === 0 ? [0, "written", true, 1] : [3, "failed", false, 0],
  );
  if (exit !== 0) {
    // What happened is all there, though nothing is committed.
    expect(partition.error).toContain(
      `${errors} ${errors === 1 ? "error" : "errors"} in ${chances} frames and damaged ranges`,
    );
    expect(partition.damage.length + partition.failedAt.length).toBe(Math.min(errors, 200));
    if (failed > 0) expect(partition.failures).toEqual({ "hours is not a double": failed });
  }
  return exit;
}

test.each([
  ["a number: exactly so many", ["--max-errors", "4"], 4, 5, 100],
  ["none at all", ["--max-errors", "0"], 0, 1, 100],
  ["a share that comes out even", ["--max-errors", "5%"], 5, 6, 100],
  ["a share that does not: 2.5 % of 99 is 2.475", ["--max-errors", "2.5%"], 2, 3, 99],
  ["a share that binary fractions fall short of: 0.29 × 100", ["--max-errors", "29%"], 29, 30, 100],
  ["0%", ["--max-errors", "0%"], 0, 1, 50],
  ["both: the larger counts, here the number", ["--max-errors", "7,5%"], 7, 8, 100],
  ["both: the larger counts, here the share", ["--max-errors", "7,5%"], 10, 11, 200],
  ["the default on little data: ten", [], 10, 11, 40],
  ["the default where both are the same", [], 10, 11, 1000],
  ["the default on more data: 1 %", [], 11, 12, 1100],
])("P8 %s", async (_what, flags, allowed, refused, chances) => {
  expect(await run(allowed, chances, ...flags)).toBe(0);
  expect(await run(refused, chances, ...flags)).toBe(3);
});

test("P8 100% allows a file of nothing but errors", async () => {
  writeFileSync(join(folder, "all.heka"), Buffer.concat([DAMAGE, FAILING, UNDECODABLE]));
  const words = ["convert", "Hours", "all.heka", "-o", "all", "--json"];
  expect((await derive([...words, "--max-errors", "100%"], folder)).exit).toBe(0);
  expect((await derive([...words, "-o", "all-2", "--max-errors", "2"], folder)).exit).toBe(3);
});

test("P8 the budget is each partition's own: one over it does not stop the others, and the highest code wins", async () => {
  writeObject(folder, "20151027", "o", withErrors(40, 10));
  writeObject(folder, "20151028", "o", withErrors(40, 11));
  writeObject(folder, "20151029", "o", withErrors(40, 0));
  const words = ["batch", "Hours", "--from", "20151027", "--to", "20151029", "--json"];
  const { exit, stdout } = await derive(words, folder);
  const { partitions, totals } = JSON.parse(stdout);
  expect(exit).toBe(3);
  expect(partitions.map(({ state }: { state: string }) => state)).toEqual(["written", "failed", "written"]);
  expect(totals.failed + totals.undecodable + totals.damagedRanges).toBe(21);
  expect(partitions.map(({ url }: { url: string }) => existsSync(new URL("_SUCCESS", url)))).toEqual([
    true,
    false,
    true,
  ]);
});

test.each([
  ["damage", DAMAGE, { damagedRanges: 1, decoded: 3 }],
  ["an undecodable frame", UNDECODABLE, { undecodable: 1, decoded: 3 }],
  ["a failing message", FAILING, { failed: 1, decoded: 4, failures: { "hours is not a double": 1 } }],
])(
  "P8 --strict: %s fails the partition, exit 4, and the report tells what was read up to it",
  async (_what, fault, counts) => {
    const name = `strict-${runs++}`;
    writeFileSync(join(folder, `${name}.heka`), Buffer.concat([GOOD, GOOD, GOOD, fault, GOOD, fault]));
    const words = ["convert", "Hours", `${name}.heka`, "-o", name, "--strict", "--json"];
    const { exit, stdout } = await derive(words, folder);
    const [partition] = JSON.parse(stdout).partitions;
    expect([exit, partition.state, existsSync(join(folder, name))]).toEqual([4, "failed", false]);
    const offset = 3 * GOOD.length;
    expect(partition.error).toMatch(new RegExp(`${name}.heka under --strict: offset ${offset}: `));
    expect(partition).toMatchObject({ ...counts, written: 3, bytes: offset + fault.length });
    expect([...partition.damage, ...partition.failedAt]).toEqual([
      expect.objectContaining({ offset, bytes: fault.length }),
    ]);
    const clean = join(folder, `${name}-clean.heka`);
    writeFileSync(clean, Buffer.concat([GOOD, Buffer.from("\n"), GOOD]));
    expect((await derive(["convert", "Hours", clean, "-o", `${name}-clean`, "--strict"], folder)).exit).toBe(0);
  },
);

test("P8 --strict decodes messages whole: a fault behind all that a stream asks for fails the partition", async () => {
  const message = encodeMessage({
    uuid: new Uint8Array(16),
    fields: [
      { name: "clientId", type: "string", values: ["a"] },
      { name: "hours", type: "double", values: [1] },
    ],
  });
  // A member of 100 bytes, of which two are there.
  const cut = encodeFrame(Buffer.concat([message, Buffer.from([0x52, 100, 1, 2])]));
  writeFileSync(join(folder, "cut.heka"), Buffer.concat([GOOD, cut, GOOD]));
  const words = ["convert", "Hours", "cut.heka", "-o", "cut", "--json"];
  const strict = await derive([...words, "--strict"], folder);
  expect([strict.exit, strict.stderr]).toEqual([
    4,
    expect.stringContaining(`cut.heka under --strict: offset ${GOOD.length}: `),
  ]);
  const lenient = await derive(words, folder);
  const [{ frames, written, undecodable }] = JSON.parse(lenient.stdout).partitions;
  expect([lenient.exit, frames, written + undecodable]).toEqual([0, 3, 3]);
});

test("P4 --strict: the first fault in the order of the objects, whichever worker finds one first", async () => {
  // One task for each object would take 512 MiB: the order within one task, and the books of all objects before.
  writeObject(folder, "20151101", "a", Buffer.concat([GOOD, GOOD]));
  writeObject(folder, "20151101", "b", Buffer.concat([GOOD, FAILING]));
  writeObject(folder, "20151101", "c", Buffer.concat([FAILING]));
  const { stdout } = await derive(["batch", "Hours", "--from", "20151101", "--strict", "--json", "-j", "3"], folder);
  const [partition] = JSON.parse(stdout).partitions;
  expect(partition.error).toContain("raw/t/20151101/b under --strict");
  expect(partition).toMatchObject({ objects: 2, written: 3, failed: 1 });
});
