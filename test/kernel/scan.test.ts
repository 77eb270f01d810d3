// The kernel's scan and the plain one find the same, wherever the window ends: frames, damage, blanks, and what messages hold.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { MessageDecoder } from "../../src/heka/message.ts";
import { BatchReader } from "../../src/kernel/batch.ts";
import { createKernel } from "../../src/kernel/instance.ts";
import { kernelModule } from "../../src/kernel/module.ts";
import type { Decoded } from "../../src/pipeline/records.ts";
import { type Found, kernelScan, plainScan, type Scan } from "../../src/pipeline/scan.ts";
import { damagedObject } from "./messages.ts";

const kernel = createKernel((await kernelModule())!);

/** What a message says of some paths, or why not. */
function answers(message: Decoded): unknown[] {
  const tries: (() => unknown)[] = [
    () => message.string("a", null),
    () => message.double(["a", "b"], null),
    () => message.json("environment.system.os", null),
    () => message.has("b.key"),
    () => message.timestamp,
    () => message.long("b", null),
    () => message.uuid,
  ];
  return tries.map((ask) => {
    try {
      return ask();
    } catch (error) {
      return String(error);
    }
  });
}

function find(raw: Uint8Array, chunk: number, scanWith: (found: Found) => Scan): unknown[] {
  const all: unknown[] = [];
  const decoder = new MessageDecoder();
  const tell: Found["message"] = (message, { offset, length, signed }) => {
    const said = answers(message);
    all.push({ offset, length, signed, said, invalid: message.invalidUtf8, fault: message.fault?.message });
  };
  const scan = scanWith({
    span(span) {
      if (span.kind !== "frame") return void all.push(span);
      try {
        tell(decoder.decode(span.message, "lazily"), span);
      } catch (error) {
        all.push({ offset: span.offset, length: span.length, undecodable: String(error) });
      }
    },
    message: tell,
    batch: () => false,
    endBatch() {},
  });
  for (let at = 0; at < raw.length; at += chunk) scan.push(raw.slice(at, at + chunk));
  scan.end();
  return all;
}

test("P6, P7: the same spans and the same answers, with windows and arenas of any size", () => {
  const sizes = fc.record({ window: fc.constantFrom(300, 2000, 60_000), arena: fc.constantFrom(500, 5000, 60_000) });
  fc.assert(
    fc.property(
      fc.array(damagedObject, { minLength: 1, maxLength: 3 }),
      sizes,
      fc.integer({ min: 1, max: 5000 }),
      (objects, room, chunk) => {
        const raw = new Uint8Array(Buffer.concat(objects));
        const batches = new BatchReader(kernel, "lazily", room);
        try {
          expect(find(raw, chunk, (found) => kernelScan([found], batches))).toEqual(
            find(raw, chunk, (found) => plainScan([found])),
          );
        } finally {
          batches.close();
        }
      },
    ),
    { numRuns: 300, interruptAfterTimeLimit: 3_000 },
  );
});

test("P9: a trap in the kernel costs nothing but time", () => {
  const objects = fc.sample(damagedObject, { numRuns: 40, seed: 7 });
  const raw = new Uint8Array(Buffer.concat(objects));
  for (const fatal of [0, 1, 5]) {
    let calls = 0;
    const readBatch = (...given: [number, number, number, number]): void => {
      if (calls++ >= fatal) throw new WebAssembly.RuntimeError("Unreachable code should not be executed");
      kernel.exports.readBatch(...given);
    };
    const broken = { ...kernel, exports: { ...kernel.exports, readBatch } };
    const batches = new BatchReader(broken, "lazily", { window: 5000, arena: 20_000 });
    expect(find(raw, 1000, (found) => kernelScan([found], batches))).toEqual(
      find(raw, 1000, (found) => plainScan([found])),
    );
    expect([batches.isBroken, calls]).toEqual([true, fatal + 1]);
    batches.close();
  }
});
