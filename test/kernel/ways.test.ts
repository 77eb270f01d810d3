// Paths that begin with the same keys share their way into JSON: what they come to is what each comes to alone.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Column, defineStream, int, json } from "derive";
import fc from "fast-check";
import { encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { BatchReader } from "../../src/kernel/batch.ts";
import { createKernel } from "../../src/kernel/instance.ts";
import { kernelModule } from "../../src/kernel/module.ts";
import { kernelScan } from "../../src/pipeline/scan.ts";
import { expectSame } from "./same.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

const before = process.env.DERIVE_KERNEL;
afterEach(() => {
  process.env.DERIVE_KERNEL = before ?? "";
});

const utf8 = new TextEncoder();
/** A message that does not look like a block of Snappy, as the shortest do. */
const frameOf = (field: string): Uint8Array =>
  encodeFrame(
    encodeMessage({
      uuid: new Uint8Array(16),
      type: "t".repeat(40),
      fields: [{ name: "a", type: "bytes", values: [utf8.encode(field)] }],
    }),
  );

test("random trees, and paths that agree for a while, miss, and end within each other", async () => {
  const keys = fc.constantFrom("a", "b", "c");
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      { weight: 1, arbitrary: fc.constantFrom("1", "2", "null", "[{}]", '{"\\u0061":3,"a":4}', '{"a":5', '"a"') },
      {
        weight: 4,
        arbitrary: fc
          .array(fc.tuple(keys, tie("tree")), { maxLength: 4 })
          .map((members) => `{${members.map(([key, value]) => `"${key}":${value}`).join(",")}}`),
      },
    ),
  }));
  const way = fc.array(keys, { minLength: 7, maxLength: 12 });
  const deep = fc
    .tuple(way, tree)
    .map(([way, end]) => ({ way, text: way.reduceRight((inner, key) => `{"${key}":${inner},"b":0}`, end) }));
  const shallow = fc.record({ way, text: tree });
  const cases = fc.tuple(fc.array(fc.oneof(shallow, deep), { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(11));
  const short = fc.array(fc.array(keys, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(cases, short, fc.array(keys, { maxLength: 3 }), async ([trees, which, cut], short, more) => {
      const { way } = trees[which % trees.length]!;
      const long = [
        way.slice(0, 1),
        way.slice(0, 2),
        way.slice(0, 3),
        way,
        [...way, ...more],
        [...way.slice(0, cut), ...more],
        way.slice(0, cut),
        way,
      ];
      const ways = cut % 2 === 0 ? [...short, ...long] : [...long, ...short];
      const columns: Record<string, Column> = {};
      for (const [i, way] of ways.entries()) {
        columns[`c${i}`] = (i % 3 === 0 ? int(["a", ...way]) : json(["a", ...way])).optional();
      }
      const raw = new Uint8Array(Buffer.concat(trees.map(({ text }) => frameOf(text))));
      await expectSame(raw, defineStream({ streamName: "t", columns }));
    }),
    { numRuns: 1500, interruptAfterTimeLimit: 8_000 },
  );
});

test("a message that lies where another lay is another", async () => {
  const kernel = createKernel((await kernelModule())!);
  const frames = Array.from({ length: 12 }, (_, i) =>
    frameOf(`{"k":{${[`"b":${i % 10},"c":8`, `"d":9,"c":${i % 10}`, `"c":9,"b":${i % 10}`][i % 3]}}}`),
  );
  const batches = new BatchReader(kernel, "lazily", { window: 2 * frames[0]!.length, arena: 60_000 });
  const found: unknown[] = [];
  let most = 0;
  const scan = kernelScan(
    [
      {
        span: (span) => expect(span.kind).toBe("frame"),
        message(message) {
          found.push(message.has(["a", "k"]), message.int(["a", "k", "b"], null));
          most = Math.max(most, batches.count);
        },
        batch: () => false,
        endBatch() {},
      },
    ],
    batches,
  );
  for (const frame of frames) scan.push(frame);
  scan.end();
  batches.close();
  expect(most).toBe(1); // so that each lies where the one before lay
  expect(found).toEqual(frames.flatMap((_, i) => [true, i % 3 === 1 ? null : i % 10]));
});

test("a way as deep as JSON may be, and deeper", async () => {
  const way = Array.from({ length: 510 }, (_, i) => "abc"[i % 3]!);
  const nested = (depth: number): string =>
    way.slice(0, depth).reduceRight((inner, key) => `{"x":[],"${key}":${inner}}`, "7");
  const columns: Record<string, Column> = {};
  for (const depth of [1, 250, 498, 499, 500, 501, 510])
    columns[`d${depth}`] = int(["a", ...way.slice(0, depth)]).optional();
  for (const depth of [250, 498, 499, 500, 501, 510]) {
    await expectSame(frameOf(nested(depth)), defineStream({ streamName: "t", columns }));
  }
});
