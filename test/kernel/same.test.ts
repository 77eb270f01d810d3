// The kernel and the plain way make the same of any bytes: the same rows, byte for byte, and the same books (P5, P7).
import { afterEach, describe, setDefaultTimeout, test } from "bun:test";
import {
  boolean,
  bytes,
  type Column,
  defineStream,
  double,
  int,
  json,
  list,
  long,
  map,
  string,
  timestamp,
} from "derive";
import fc from "fast-check";
import { compressSnappy, encodeFrame, encodeMessage } from "../../src/heka/writer.ts";
import { damagedObject, object, PATHS } from "./messages.ts";
import { expectSame } from "./same.ts";

setDefaultTimeout(60_000);

const before = process.env.DERIVE_KERNEL;
afterEach(() => {
  process.env.DERIVE_KERNEL = before ?? "";
});

const KINDS = { string, int, long, double, boolean, bytes, timestamp, json } as const;
const DEFAULTS = {
  string: "é",
  int: -7,
  long: 2n ** 40n,
  double: -0,
  boolean: true,
  bytes: new Uint8Array([9]),
  timestamp: 5n,
  json: [1],
};

/** A column of a random type and path, and what a missing value means there. */
const column = fc
  .tuple(
    fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])),
    fc.constantFrom(...PATHS),
    fc.nat(3),
    fc.nat(5),
  )
  .map(([kind, path, missing, change]): Column => {
    // biome-ignore lint/suspicious/noExplicitAny: each kind has its own types.
    let made = KINDS[kind](path) as any;
    if (change === 0) made = made.map((value: unknown) => value);
    return [made, made.default(DEFAULTS[kind]), made.optional(), made.orSkip()][missing];
  });

const stream = fc
  .tuple(
    fc.array(column, { minLength: 1, maxLength: 5 }),
    fc.array(fc.constantFrom(...PATHS), { maxLength: 2 }),
    fc.nat(9),
  )
  .map(([columns, requires, dice]) =>
    defineStream({
      streamName: "telemetry",
      requires,
      where:
        dice < 4
          ? (message) =>
              message.timestamp % 4n > BigInt(dice) && message.string("docType", "x") !== "" && message.hostname === ""
          : undefined,
      columns: Object.fromEntries(columns.map((one, i) => [`c${i}`, one])),
    }),
  );

const nested = defineStream({
  streamName: "telemetry",
  columns: {
    all: map(string().optional(), "a").optional(),
    items: list(int().default(0), "b").default([]),
    sum: double()
      .from({ x: double("a").default(1), y: long("a.b").default(2n) }, ({ x, y }) => x + Number(y))
      .default(0),
  },
});

const byFunctions = defineStream({
  streamName: "telemetry",
  buildSchema: () => ({
    type: "record",
    name: "R",
    fields: [
      { name: "a", type: ["null", "string"] },
      { name: "n", type: "long" },
    ],
  }),
  buildRecord: (message) =>
    message.has("b") ? { a: message.string(["b", "key"], null), n: message.timestamp + message.long("a", 0n) } : null,
});

describe("kernel and plain way make the same", () => {
  const cases = fc.record({ raw: object, definition: stream, chunk: fc.constantFrom(1 << 20, 100, 7) });

  test("of random messages, for random columns", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ raw, definition, chunk }) => {
        await expectSame(raw, definition, chunk);
      }),
      { numRuns: 400, interruptAfterTimeLimit: 2_500 },
    );
  });

  test("of damaged objects, strictly or not", async () => {
    await fc.assert(
      fc.asyncProperty(damagedObject, stream, fc.boolean(), async (raw, definition, strict) => {
        await expectSame(raw, definition, 333, strict);
      }),
      { numRuns: 300, interruptAfterTimeLimit: 3_000 },
    );
  });

  test("for nested and computed columns, and for streams of functions", async () => {
    await fc.assert(
      fc.asyncProperty(object, fc.constantFrom(nested, byFunctions), async (raw, definition) => {
        await expectSame(raw, definition);
      }),
      { numRuns: 150, interruptAfterTimeLimit: 4_000 },
    );
  });
});

describe("the kernel takes over again", () => {
  const message = (id: string, size = 0): Uint8Array =>
    encodeMessage({
      fields: [
        { name: "a", type: "string", values: [id] },
        { name: "b", type: "bytes", values: [new Uint8Array(size)] },
      ],
    });
  const frame = (id: string, size?: number): Uint8Array => encodeFrame(compressSnappy(message(id, size)));
  const definition = defineStream({ streamName: "telemetry", columns: { a: string() } });

  test.each<[string, Uint8Array]>([
    ["damage", new Uint8Array([1, 2, 3, 0x1e, 4])],
    ["blanks", new Uint8Array([0x20, 0x0a, 0x0d])],
    ["a message longer than the arena", frame("long", 5 << 20)],
    ["a frame longer than the window", encodeFrame(message("longer", 3 << 20))],
  ])("behind %s", async (_name, between) => {
    const some = (from: number) => Array.from({ length: 3000 }, (_, i) => frame(`${from + i}`, 400));
    const raw = new Uint8Array(Buffer.concat([...some(0), between, ...some(3000), between]));
    await expectSame(raw, definition, 1 << 16);
  });
});
