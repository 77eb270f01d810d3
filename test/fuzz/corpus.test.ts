// Every input that ever was read wrongly: corpus/*.hex, with why it is there and what it must be read as. Adding a file adds a
// test. Mutants that fail print the bytes for one.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { spansOf } from "../heka/objects.ts";

const folder = join(import.meta.dir, "corpus");

test.each(readdirSync(folder).sort())("%s", (name) => {
  const lines = readFileSync(join(folder, name), "utf8").split("\n");
  const expected = lines.filter((line) => /^(frame|damaged|blank) \d+ \d+$/.test(line));
  const hex = lines.filter((line) => /^[0-9a-f]+$/.test(line)).join("");
  const why = lines.filter((line) => line.startsWith("# "));
  expect([why.length > 0, why.length + expected.length > 1, hex.length > 0]).toEqual([true, true, true]);

  const bytes = new Uint8Array(Buffer.from(hex, "hex"));
  const spans = (cuts?: number[]) =>
    spansOf(bytes, cuts).map(({ kind, offset, length }) => `${kind} ${offset} ${length}`);
  expect(spans()).toEqual(expected);
  for (let cut = 0; cut <= bytes.length; cut += bytes.length > 2000 ? 97 : 1) expect(spans([cut])).toEqual(expected);
  expect(spans(Array.from(bytes, (_, at) => at))).toEqual(expected);
});
