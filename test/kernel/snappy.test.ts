// Blocks of every form that Snappy allows, which no one encoder writes, and broken ones: the kernel reads them as the plain way does.
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { bytes, defineStream, string } from "derive";
import { encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { type Dice, dice } from "../fuzz/mutant.ts";
import { expectSame, expectSameOfSeeds } from "./same.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

const before = process.env.DERIVE_KERNEL;
afterEach(() => {
  process.env.DERIVE_KERNEL = before ?? "";
});

const streams = [
  defineStream({ streamName: "telemetry", columns: { first: string("first"), last: string("last") } }),
  defineStream({ streamName: "telemetry", columns: { first: string("first"), filler: bytes("filler") } }),
  defineStream({ streamName: "telemetry", columns: { first: bytes("first") } }),
];

/** A message of repeated words and of noise, from some bytes to 200 KB. */
function message(roll: Dice): Uint8Array {
  const words = Array.from({ length: 1 + roll(30) }, () => Buffer.alloc(1 + roll(70), `${roll(1e9)} `));
  const count = [0, 3, 40, 400, 9_000][roll(5)]!;
  const filler = Buffer.concat(
    Array.from({ length: count }, () => (roll(9) === 0 ? Buffer.from([roll(256)]) : words[roll(words.length)]!)),
  ).subarray(0, 200_000);
  return encodeMessage({
    uuid: new Uint8Array(16),
    fields: [
      { name: "first", type: "string", values: [`first ${roll(100)}`.repeat(1 + roll(20))] },
      { name: "filler", type: "bytes", values: [filler] },
      { name: "last", type: "string", values: ["last ".repeat(1 + roll(30))] },
    ],
  });
}

/** A block of elements taken by chance: copies of all three kinds, near and far, overlapping or not; literals of all five. */
function block(content: Uint8Array, roll: Dice): Uint8Array {
  const out: number[] = [];
  let length = content.length;
  for (; length >= 128; length >>>= 7) out.push((length & 127) | 128);
  out.push(length);
  const seen = new Map<number, number[]>();
  const fourAt = (at: number): number => Buffer.from(content.buffer, content.byteOffset).readUInt32LE(at);
  const style = roll(3);
  let literal = 0;
  const putLiteral = (end: number): void => {
    while (literal < end) {
      const size = Math.min(end - literal, [1 + roll(60), 61 + roll(300), 70_000][roll(20) === 0 ? 1 + roll(2) : 0]!);
      const last = size - 1;
      const least = last < 60 ? 0 : last < 256 ? 1 : last < 65_536 ? 2 : 3;
      const digits = roll(30) === 0 ? Math.min(4, least + roll(3)) : least;
      out.push(digits === 0 ? last << 2 : (59 + digits) << 2);
      for (let i = 0; i < digits; i++) out.push((last >>> (8 * i)) & 255);
      out.push(...content.subarray(literal, literal + size));
      literal += size;
    }
  };
  for (let at = 0; at + 4 <= content.length; ) {
    const four = fourAt(at);
    const places = seen.get(four) ?? [];
    if (places.length < 20) seen.set(four, [...places, at]);
    const from = places[roll(3) === 0 ? roll(Math.max(1, places.length)) : places.length - 1];
    if (from === undefined || roll(20) === 0) {
      at++;
      continue;
    }
    putLiteral(at);
    let most = 4;
    while (most < 64 && at + most < content.length && content[from + most] === content[at + most]) most++;
    const size = roll(4) === 0 ? 1 + roll(most) : most;
    const offset = at - from;
    const isShort = size >= 4 && size < 12 && offset < 2048;
    if (isShort && style !== 1) out.push(((offset >> 8) << 5) | ((size - 4) << 2) | 1, offset & 255);
    else if (offset < 65_536 && (style !== 2 || roll(2) === 0))
      out.push(((size - 1) << 2) | 2, offset & 255, offset >> 8);
    else out.push(((size - 1) << 2) | 3, offset & 255, (offset >> 8) & 255, (offset >> 16) & 255, offset >>> 24);
    at += size;
    literal = at;
  }
  putLiteral(content.length);
  return Uint8Array.from(out);
}

/** An object of such messages; of broken ones some bytes are others or missing, most often near the start or the end. */
function object(roll: Dice, isBroken: boolean): Uint8Array {
  const frames = Array.from({ length: 1 + roll(12) }, () => {
    const made = block(message(roll), roll);
    for (let flips = isBroken && roll(2) === 0 ? 1 + roll(3) : 0; flips > 0; flips--) {
      const near = Math.min(made.length, 120);
      const at = [roll(made.length), roll(near), made.length - 1 - roll(near)][roll(3)]!;
      made[at] = roll(256);
    }
    if (isBroken && roll(4) === 0) return encodeFrame(made.subarray(0, 1 + roll(Math.min(made.length, 400))));
    return encodeFrame(made);
  });
  return new Uint8Array(Buffer.concat(frames));
}

test.each([
  ["whole", false],
  ["broken", true],
])("%s blocks", async (_, isBroken) => {
  await expectSameOfSeeds(400, isBroken, (seed) => ({
    raw: object(dice(seed), isBroken),
    definition: streams[seed % streams.length]!,
  }));
});

/** A message whose first field, of 12,000 bytes, is all that `settled` asks for; as a block of literals of 60 bytes. */
const settled = streams[2]!;
function literals(): { block: Uint8Array; at(offset: number): number } {
  const content = encodeMessage({
    uuid: new Uint8Array(16),
    fields: [
      { name: "first", type: "bytes", values: [Buffer.alloc(12_000, "first ")] },
      { name: "filler", type: "bytes", values: [Buffer.alloc(30_000)] },
    ],
  });
  // The mark, length and first tag of a next frame's header are an element, too: 8 bytes from 2,052 bytes back. Let these be how
  // the next field begins, so that who goes on there finds nothing wrong.
  const second = Buffer.from(content).indexOf("filler") - 6;
  content.copyWithin(second - 2_052, second, second + 8);
  const out = [(content.length & 127) | 128, ((content.length >>> 7) & 127) | 128, content.length >>> 14];
  const at = (offset: number): number => 3 + 61 * Math.floor(offset / 60) + 1 + (offset % 60);
  for (let start = 0; start < content.length; start += 60) {
    const piece = content.subarray(start, start + 60);
    out.push((piece.length - 1) << 2, ...piece);
  }
  return { block: Uint8Array.from(out), at };
}

test("a block that ends too early is not read on into the next frame, whatever that holds", async () => {
  // The next frame's header lies where the text goes on, its message is the rest of the block.
  const { block, at } = literals();
  const hole = at(6_010);
  const header = (length: number): Uint8Array => encodeFrame(block.subarray(block.length - length)).slice(0, -length);
  const { length } = header(block.length - hole);
  block.set(header(block.length - hole - length), hole);
  const object = new Uint8Array(Buffer.concat([encodeFrame(block.subarray(0, hole)), block.subarray(hole)]));
  const { books } = await expectSame(object, settled);
  expect(books![0]).toMatchObject({ frames: 2, undecodable: 2 });
});

// Which of the two lanes, or neither, has the broken one among whole ones depends on their number.
test.each([0, 1, 2])(
  "behind a broken element nothing is taken from the messages before (%d whole ones more)",
  async (more) => {
    const { block, at } = literals();
    const broken = block.slice();
    broken.set([(59 << 2) | 2, 0, 0], at(6_000) - 1); // a copy from nowhere
    const whole = 60 + more;
    const frames = Array.from({ length: whole + 31 }, (_, i) => encodeFrame(i < whole || i % 2 === 0 ? block : broken));
    const { books } = await expectSame(new Uint8Array(Buffer.concat(frames)), settled);
    const undecodable = frames.filter((_, i) => i >= whole && i % 2 === 1).length;
    expect(books![0]).toMatchObject({ written: frames.length - undecodable, undecodable });
    // An object's first message is read alone. The memory is that of the last object, unless a trap or a test took it.
    const alone = await expectSame(encodeFrame(broken), settled);
    expect(alone.books![0]).toMatchObject({ written: 0, undecodable: 1 });
  },
);

test("a block with bytes behind its last element is broken", async () => {
  const made = block(message(dice(1)), dice(1));
  for (const more of [[0], [0, 65], [0x0d, 1]]) {
    const frames = [made, Uint8Array.from([...made, ...more]), made].map(encodeFrame);
    const { books } = await expectSame(new Uint8Array(Buffer.concat(frames)), streams[0]!);
    expect(books![0]).toMatchObject({ written: 2, undecodable: 1 });
  }
});
