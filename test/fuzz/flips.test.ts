// P6, P7: every bit of small objects flipped, and each of them cut off at every byte.
import { describe, expect, test } from "bun:test";
import { spansOf } from "../heka/objects.ts";
import { SMALL_OBJECTS } from "./objects.ts";
import { brokenPromises, changed } from "./truth.ts";

describe.each(Object.entries(SMALL_OBJECTS))("%s", (_name, object) => {
  test("as it is, all frames are read and nothing else", () => {
    const frames = spansOf(object.bytes).filter(({ kind }) => kind === "frame");
    expect(frames.map(({ offset, length }) => ({ start: offset, end: offset + length }))).toEqual([...object.frames]);
  });

  test("a bit flipped costs no other frame, and makes none of what a field holds", () => {
    const wrong: string[] = [];
    const starts = new Set(object.frames.map(({ start }) => start));
    for (let at = 0; at < object.bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const change = { at, removed: 1, inserted: Uint8Array.of(object.bytes[at]! ^ (1 << bit)) };
        const after = changed(object, [change]);
        const spans = spansOf(after);
        const broken = brokenPromises(object, [change], after, spans);
        const inside = spans.filter(({ kind, offset }) => kind === "frame" && offset !== at && !starts.has(offset));
        if (inside.length > 0) broken.push("frames inside a field were taken for records");
        if (broken.length > 0) wrong.push(`bit ${bit} of byte ${at}: ${broken}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("cut off anywhere, all frames before are read", () => {
    const wrong: string[] = [];
    for (let at = 0; at < object.bytes.length; at++) {
      const change = { at, removed: object.bytes.length - at, inserted: new Uint8Array(0) };
      const after = changed(object, [change]);
      const broken = brokenPromises(object, [change], after, spansOf(after));
      if (broken.length > 0) wrong.push(`byte ${at}: ${broken}`);
    }
    expect(wrong).toEqual([]);
  });
});
