// Frames are found whatever the chunks, and every byte is accounted for (P7).
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InternalError } from "../../src/errors.ts";
import { Framer, MAX_MESSAGE_BYTES, type MessageCheck } from "../../src/heka/frames.ts";
import { encodeFrame } from "../../src/heka/writer.ts";
import { spansOf, utf8 } from "./objects.ts";

/** What the framer is told of messages here: those of letters are whole. */
const texts: MessageCheck = {
  examine: (message) => (/^[A-Za-z]+$/.test(Buffer.from(message).toString("latin1")) ? "plain" : message.length),
  endOfMembers: (_bytes, start) => start,
};
const textSpans = (bytes: Uint8Array, cuts?: number[]) => spansOf(bytes, cuts, texts);

/** A header whose bytes are given, a separator and a message. */
function frame(header: number[], message: number[], separator = 0x1f): Uint8Array {
  return new Uint8Array([0x1e, header.length, ...header, separator, ...message]);
}

const hello = encodeFrame(utf8("hello"));
const signed = frame([0x08, 2, 0x18, 1, 0x22, 2, 0x6d, 0x65, 0x28, 7, 0x32, 3, 1, 2, 3], [0x41, 0x42]);
const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Spans without messages: kind, offset, length. */
function layout(bytes: Uint8Array, cuts?: number[]): unknown[] {
  return textSpans(bytes, cuts).map(({ kind, offset, length }) => [kind, offset, length]);
}

describe("framing", () => {
  test.each([
    ["nothing", new Uint8Array(0), []],
    ["one frame", hello, [["frame", 0, 10]]],
    ["a frame without a message", encodeFrame(new Uint8Array(0)), [["frame", 0, 5]]],
    ["a signed header", signed, [["frame", 0, 20]]],
    ["an unknown member in the header", frame([0x08, 1, 0x78, 1], [0x41]), [["damaged", 0, 8]]],
    ["a header without a length", frame([0x28, 1], []), [["damaged", 0, 5]]],
    ["an empty header", frame([], []), [["damaged", 0, 3]]],
    ["a header that ends within a member", frame([0x08], []), [["damaged", 0, 4]]],
    ["no separator", frame([0x08, 1], [0x41], 0x20), [["damaged", 0, 6]]],
    ["only blanks", utf8(" \t\r\n"), [["blank", 0, 4]]],
    [
      "blanks between",
      concat(hello, utf8("\n\r"), hello, utf8("\n")),
      [
        ["frame", 0, 10],
        ["blank", 10, 2],
        ["frame", 12, 10],
        ["blank", 22, 1],
      ],
    ],
    [
      "garbage between",
      concat(hello, utf8("junk"), hello),
      [
        ["frame", 0, 10],
        ["damaged", 10, 4],
        ["frame", 14, 10],
      ],
    ],
    [
      "blank, then garbage",
      concat(utf8("\n"), utf8("junk \n"), hello),
      [
        ["blank", 0, 1],
        ["damaged", 1, 6],
        ["frame", 7, 10],
      ],
    ],
    ["a frame cut off", hello.subarray(0, 9), [["damaged", 0, 9]]],
    ["only a mark", hello.subarray(0, 1), [["damaged", 0, 1]]],
    // The first one claims more bytes than there are: those inside are still found.
    [
      "frames inside a truncated one",
      concat(frame([0x08, 127], []), hello, signed),
      [
        ["damaged", 0, 5],
        ["frame", 5, 10],
        ["frame", 15, 20],
      ],
    ],
  ])("%s", (_name, bytes, expected) => {
    expect(layout(bytes)).toEqual(expected);
  });

  test("a message above 64 MiB is damage, one of 64 MiB is only cut off (P9)", () => {
    const claim = (length: number): Uint8Array => {
      const header: number[] = [0x08];
      for (let rest = length; ; rest = Math.floor(rest / 128)) {
        header.push(rest > 127 ? (rest & 0x7f) | 0x80 : rest);
        if (rest <= 127) break;
      }
      return frame(header, []);
    };
    expect(spansOf(claim(MAX_MESSAGE_BYTES))).toMatchObject([{ kind: "damaged", cause: "truncated" }]);
    expect(spansOf(claim(MAX_MESSAGE_BYTES + 1))).toMatchObject([{ cause: "message longer than 64 MiB" }]);
    expect(spansOf(claim(2 ** 60))).toMatchObject([{ cause: "broken header" }]);

    // What is kept grows by what came, not by what was claimed.
    const framer = new Framer(texts);
    const before = process.memoryUsage().arrayBuffers;
    framer.push(claim(MAX_MESSAGE_BYTES));
    expect(framer.next()).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });

  test("a frame inside one chunk is not copied", () => {
    const chunk = concat(hello.subarray(3), hello, hello);
    const framer = new Framer(texts);
    framer.push(hello.slice(0, 3));
    expect(framer.next()).toBeUndefined();
    framer.push(chunk);
    const messages = [framer.next(), framer.next()].map((span) => span?.kind === "frame" && span.message);
    expect(messages.map((message) => message && message.buffer === chunk.buffer)).toEqual([false, true]);
    expect(messages.map((message) => message && Buffer.from(message).toString())).toEqual(["hello", "hello"]);
    // What follows the last one is not known yet.
    expect(framer.next()).toBeUndefined();
    framer.end();
    expect(framer.next()).toMatchObject({ kind: "frame", offset: 20, length: 10 });
  });

  test("a chunk is not taken while spans of the last one are left", () => {
    const framer = new Framer(texts);
    framer.push(concat(hello, hello));
    framer.next();
    expect(() => framer.push(hello)).toThrow(InternalError);
  });

  test("cut at every byte, and into single bytes, the spans are the same", () => {
    const bytes = concat(
      hello,
      signed,
      utf8("\n \n"),
      hello,
      utf8("xx\x1e\x04\n"),
      signed,
      hello.subarray(0, 7),
      signed,
    );
    const whole = textSpans(bytes);
    expect(whole.length).toBe(8);
    for (let cut = 0; cut <= bytes.length; cut++) expect(textSpans(bytes, [cut])).toEqual(whole);
    expect(
      textSpans(
        bytes,
        Array.from(bytes, (_, at) => at),
      ),
    ).toEqual(whole);
  });

  const part = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map(encodeFrame),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => encodeFrame(bytes).subarray(0, Math.max(1, bytes.length - 2))),
    fc.constantFrom(signed, utf8("\n"), utf8(" \t"), frame([0x08, 0xff, 0x7f], [])),
    fc.uint8Array({ maxLength: 20 }),
    fc
      .array(fc.constantFrom(0x1e, 0x1f, 0x08, 0x02, 0x0a, 0x41), { maxLength: 30 })
      .map((bytes) => new Uint8Array(bytes)),
  );

  test("random frames, blanks and garbage in random chunks (P7)", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 10 }), (parts, cutSeeds) => {
        const bytes = concat(...parts);
        const cuts = cutSeeds.map((seed) => seed % (bytes.length + 1)).sort((a, b) => a - b);
        const whole = textSpans(bytes);
        expect(textSpans(bytes, cuts)).toEqual(whole);
        let offset = 0;
        for (const [index, span] of whole.entries()) {
          expect(span.offset).toBe(offset);
          expect(span.length).toBeGreaterThan(0);
          // Ranges of one kind are as long as they can be.
          if (span.kind !== "frame") expect(whole[index - 1]?.kind).not.toBe(span.kind);
          offset += span.length;
        }
        expect(offset).toBe(bytes.length);
      }),
      { numRuns: 300 },
    );
  });

  test("undamaged frames all come out", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }), (messages) => {
        const spans = spansOf(concat(...messages.map(encodeFrame)));
        expect(spans.map((span) => span.kind === "frame" && [...span.message])).toEqual(messages.map((m) => [...m]));
      }),
    );
  });
});
