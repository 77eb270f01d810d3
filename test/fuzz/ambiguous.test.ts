// P6: what nobody can tell. Each time two objects are damaged into the same bytes, and what must be kept of the one may not be read
// in the other (docs/formats.md says which way it is read).
import { expect, test } from "bun:test";
import { encodeMessage } from "../../src/heka/writer.ts";
import { spansOf } from "../heka/objects.ts";
import { frame, type Part } from "./objects.ts";
import { brokenPromises, type Change, changed, known } from "./truth.ts";

const uuid = (id: number): Uint8Array => new Uint8Array(16).fill(id);
const held = (id: number, payload: string | Uint8Array): Part =>
  frame(encodeMessage({ uuid: uuid(id), payload: Buffer.from(payload).toString("latin1") }));
const over = (at: number, bytes: readonly number[]): Change => ({
  at,
  removed: bytes.length,
  inserted: Uint8Array.from(bytes),
});

test("a frame behind one hit in header and length, before one without mark and header, or what the first one's payload holds", () => {
  const [second, third, fourth] = [held(2, "two"), held(3, "three"), held(4, "four")];
  const three = known([held(1, "one"), second, third, fourth]);
  const payload = new Uint8Array(
    Buffer.concat([Buffer.from("one"), second.bytes, Buffer.alloc(2), third.bytes.subarray(2)]),
  );
  const nested = known([held(1, payload), fourth]);

  const hit = [over(2, [0x18])];
  const whole = changed(nested, hit);
  // Behind mark, header, separator and uuid lies the payload's length.
  const lengthAt = 3 + three.bytes[1]! + 18 + 1;
  const more = [
    over(2, [0x18, nested.bytes[3]!]),
    over(lengthAt, [payload.length]),
    over(three.frames[2]!.start, [0, 0]),
  ];
  expect(changed(three, more)).toEqual(whole);
  const spans = spansOf(whole);
  expect(spans.map(({ kind, offset }) => [kind, offset])).toEqual([
    ["damaged", 0],
    ["frame", nested.frames[1]!.start],
  ]);
  expect(brokenPromises(three, more, whole, spans)).toEqual([`frames at ${three.frames[1]!.start} were lost`]);
});

test("a length to a later frame, or a frame that holds what is between", () => {
  const [second, third] = [held(2, "two"), held(3, "three")];
  const three = known([held(1, "one"), second, third]);
  const nested = known([held(1, Buffer.concat([Buffer.from("one"), second.bytes])), third]);
  const hit = [over(3, [nested.bytes[3]!]), over(nested.bytes[1]! + 22, [3 + second.bytes.length])];
  const whole = nested.bytes;
  expect(changed(three, hit)).toEqual(whole);
  const spans = spansOf(whole);
  expect(spans.map(({ kind, offset }) => [kind, offset])).toEqual(nested.frames.map(({ start }) => ["frame", start]));
  expect(brokenPromises(three, hit, whole, spans)).toEqual([]);
});
