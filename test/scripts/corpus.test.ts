// The bench's corpus: blocks that any Snappy decoder reads, the shape of real pings, the same bytes each time.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { snappyUncompressor } from "hysnappy";
import { compressAsGo } from "../../scripts/bench/snappy.ts";
import { ensureCorpus, ensureNdjson } from "../../scripts/corpus.ts";
import { Random } from "../../scripts/sample/random.ts";

const uncompress = snappyUncompressor();

/** The copies of a block, as the places in its content where they begin and how far back they reach. */
function copiesOf(block: Uint8Array): { at: number; offset: number }[] {
  const copies: { at: number; offset: number }[] = [];
  let next = 0;
  while (block[next++]! >= 128);
  for (let at = 0; next < block.length; ) {
    const tag = block[next++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >> 2;
      const bytes = Math.max(0, length - 59);
      if (bytes > 0) length = Buffer.from(block).readUIntLE(next, bytes);
      next += bytes + length + 1;
      at += length + 1;
    } else if (kind === 1) {
      copies.push({ at, offset: ((tag >> 5) << 8) | block[next++]! });
      at += ((tag >> 2) & 7) + 4;
    } else {
      copies.push({ at, offset: block[next]! | (block[next + 1]! << 8) });
      next += 2;
      at += (tag >> 2) + 1;
    }
  }
  return copies;
}

test("a block decompresses to what it was made of, whatever that is", () => {
  const random = new Random(1, "snappy");
  for (const length of [0, 1, 3, 4, 5, 59, 60, 61, 255, 256, 257, 2047, 2049, 65_535, 65_537, 200_000]) {
    for (const symbols of [1, 2, 40, 256]) {
      const bytes = Uint8Array.from({ length }, () => random.int(0, symbols - 1));
      expect(uncompress(compressAsGo(bytes), length)).toEqual(bytes);
    }
  }
});

test("copies reach back across 64 KiB, as in blocks that Go's first encoder made", () => {
  const line = "a line that comes again and again, with a number: ";
  const bytes = new TextEncoder().encode(Array.from({ length: 4000 }, (_, i) => line + i).join("\n"));
  const across = copiesOf(compressAsGo(bytes)).filter(({ at, offset }) => at >> 16 !== (at - offset) >> 16);
  expect(across.length).toBeGreaterThan(2);
});

test("pings have the size of real ones, compressed and not; the bytes are the same each time", () => {
  const folder = mkdtempSync(join(tmpdir(), "derive-corpus-"));
  try {
    const corpus = { shape: "main", megabytes: 2, objects: 2, seed: 7 } as const;
    const [one, two] = ["one", "two"].map((name) => ensureCorpus(join(folder, name), corpus));
    expect(one!.objects.map((path) => Bun.hash(readFileSync(path)))).toEqual(
      two!.objects.map((path) => Bun.hash(readFileSync(path))),
    );
    const raw = ensureNdjson(join(folder, "one"), corpus, one!).map((path) => readFileSync(path));
    expect(raw.flatMap((text) => text.toString().trimEnd().split("\n")).length).toBe(one!.messages);
    expect(one!.bytes / one!.messages / 1000).toBeWithin(36, 46);
    expect(raw.reduce((sum, text) => sum + text.length, 0) / one!.messages / 1000).toBeWithin(110, 134);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
