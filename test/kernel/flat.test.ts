// Flat records, whose fields come in nearly the same order in all of them: the kernel expects each behind the one before, and must
// see what is another one, or broken, as the plain way does.
import { afterEach, setDefaultTimeout, test } from "bun:test";
import { boolean, bytes, defineStream, double, int, long, string } from "derive";
import { compressSnappy, encodeFrame, encodeMessage, type FieldInit } from "../../src/heka/writer.ts";
import { type Dice, dice } from "../fuzz/mutant.ts";
import { expectSameOfSeeds } from "./same.ts";

setDefaultTimeout(60_000); // plain `bun test` allows five seconds

const before = process.env.DERIVE_KERNEL;
afterEach(() => {
  process.env.DERIVE_KERNEL = before ?? "";
});

const LONG_NAME = "a name that is longer than a vector of sixteen bytes";
const stream = defineStream({
  streamName: "telemetry",
  columns: {
    id: string(),
    longName: string(LONG_NAME).default("none"),
    count: int().default(-1),
    sum: long().default(-1n),
    ratio: double().default(-1),
    isDefault: boolean().default(false),
    raw: bytes().optional(),
    same: string("id").optional(),
  },
});

/** A record; now and then without some field, or with one twice, of another type, elsewhere, or that nobody asks for. */
function record(roll: Dice): Uint8Array {
  const rarely = (): boolean => roll(12) === 0;
  const text = (): string => "é0123456789 and more of it, enough".slice(roll(2), roll(35));
  const made: FieldInit[] = [
    { name: "id", type: "string", values: [text()] },
    { name: LONG_NAME, type: "string", values: rarely() ? ["x".repeat(90 + roll(200))] : [text()] },
    { name: "count", type: "integer", values: [BigInt(roll(300)) - (rarely() ? 200n : 0n)] },
    { name: "sum", type: "integer", values: [BigInt(roll(1e9)) ** 2n] },
    { name: "nobody's", type: "string", values: ["passed over"] },
    { name: "ratio", type: "double", values: rarely() ? [Number.NaN] : [roll(100) / 7, 2].slice(0, 1 + roll(2)) },
    { name: "isDefault", type: "bool", values: [roll(2) === 0] },
    { name: "raw", type: "bytes", values: [Uint8Array.of(255, roll(256))] },
  ];
  if (rarely()) made.splice(roll(made.length), 1);
  if (rarely()) made.splice(roll(made.length), 0, made[roll(made.length)]!);
  if (rarely()) made.reverse();
  if (rarely()) made[roll(made.length)] = { name: "id", type: "integer", values: [BigInt(roll(100))] };
  const packed = roll(2) === 0;
  const fields = made.map((field) => ({ ...field, packed }));
  return encodeMessage({ uuid: new Uint8Array(16), type: "flat", hostname: "host", fields });
}

/** An object of such records, compressed or not; of broken ones some bytes are others or missing before they are compressed. */
function object(roll: Dice, isBroken: boolean): Uint8Array {
  const frames = Array.from({ length: 2 + roll(60) }, () => {
    const made = record(roll);
    for (let flips = isBroken && roll(3) === 0 ? 1 + roll(2) : 0; flips > 0; flips--) {
      const at = roll(made.length);
      made[at] = [roll(256), made[at]! ^ (1 << roll(8)), made[at]! + 1, 0][roll(4)]!;
    }
    const kept = made.subarray(0, made.length - (isBroken && roll(9) === 0 ? roll(20) : 0));
    return encodeFrame(roll(2) === 0 ? kept : compressSnappy(kept));
  });
  return new Uint8Array(Buffer.concat(frames));
}

test.each([
  ["sound", false],
  ["broken", true],
])("%s records", async (_, isBroken) => {
  await expectSameOfSeeds(500, isBroken, (seed) => ({ raw: object(dice(seed), isBroken), definition: stream }));
});
