// What the search for frames may spend (P9), and that it does not run out where damage is what it is (P6).
import { expect, test } from "bun:test";
import { compressSnappy, encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { dice } from "../fuzz/mutant.ts";
import { brokenPromises, changed, known } from "../fuzz/truth.ts";
import { spansOf } from "./objects.ts";

const frameOf = (message: Uint8Array) => ({ bytes: encodeFrame(message), isFrame: true });

test.each([3, 10, 100])(
  "P6: %d frames in a row whose lengths were hit do not keep the one behind them from being found",
  (hits) => {
    const roll = dice(hits);
    const value = () => Uint8Array.from({ length: 16_450 }, () => roll(256));
    const message = (values: Uint8Array[]): Uint8Array =>
      encodeMessage({ uuid: new Uint8Array(16), timestamp: 1n, fields: [{ name: "a", type: "bytes", values }] });
    // Each claims 64 KiB more than it has, as the large one behind them needs.
    const object = known([
      ...Array.from({ length: hits }, () => frameOf(compressSnappy(message([value()])))),
      frameOf(message(Array.from({ length: 5 }, value))),
      ...Array.from({ length: 10 }, () => frameOf(message([value()]))),
    ]);
    const changes = object.frames.slice(0, hits).map(({ start }) => {
      const at = start + 5;
      return { at, removed: 1, inserted: Uint8Array.of(object.bytes[at]! ^ 4) };
    });
    const after = changed(object, changes);
    const spans = spansOf(after);
    expect(brokenPromises(object, changes, after, spans)).toEqual([]);
    expect(spans.filter(({ kind }) => kind === "frame").length).toBe(11);
  },
);
