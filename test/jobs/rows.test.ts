// From a part's row to its raw object and back: for `derive why`.
import { expect, test } from "bun:test";
import type { Generation, Manifest } from "../../src/jobs/manifest.ts";
import { inputOfRow, partOfRow } from "../../src/jobs/rows.ts";

function generation(number: number, inputs: readonly number[], parts: readonly number[]): Generation {
  return {
    generation: number,
    fingerprint: "",
    inputs: inputs.map((rows, index) => ({ key: `raw-${number}-${index}`, size: 1, etag: "", rows })),
    parts: parts.map((rows, index) => ({ key: `part-${number}-${index}`, rows, bytes: 1, crc32: "", sha256: "" })),
    counts: {},
  };
}

const manifest: Manifest = {
  format: 1,
  stream: "S",
  streamVersion: 1,
  fingerprint: "",
  // Objects and parts end in the same and in other places; some have no rows, at the ends too.
  generations: [generation(0, [0, 3, 0, 0, 5, 2, 0], [3, 4, 3]), generation(1, [1], [1]), generation(2, [0], [0])],
};

test("every row of every part leads to one row of an object, in their order, and back", () => {
  const found: string[] = [];
  for (const { parts } of manifest.generations) {
    for (const { key, rows } of parts) {
      for (let row = 0; row < rows; row++) {
        const at = inputOfRow(manifest, key, row)!;
        found.push(`${at.input.key}:${at.row}`);
        expect(partOfRow(manifest, at.input.key, at.row)).toEqual({ part: expect.objectContaining({ key }), row });
      }
      expect(inputOfRow(manifest, key, rows)).toBeUndefined();
    }
  }
  const expected = manifest.generations.flatMap(({ inputs }) =>
    inputs.flatMap(({ key, rows }) => Array.from({ length: rows }, (_, row) => `${key}:${row}`)),
  );
  expect(found).toEqual(expected);
});

test("what the manifest does not list leads nowhere", () => {
  expect(inputOfRow(manifest, "part-9-0", 0)).toBeUndefined();
  expect(partOfRow(manifest, "raw-9-0", 0)).toBeUndefined();
});
