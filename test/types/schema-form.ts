// What must and must not compile in the schema form. `bun check` fails on an expected error that does not come.

import { type AvroRecord, defineStream, type InferRecord } from "derive";

const everyType = () =>
  ({
    type: "record",
    name: "Every",
    namespace: "org.example",
    fields: [
      { name: "yes", type: "boolean" },
      { name: "small", type: "int" },
      { name: "big", type: "long" },
      { name: "ratio", type: "double" },
      { name: "raw", type: "bytes" },
      { name: "text", type: { type: "string" } },
      { name: "channel", type: { type: "enum", name: "Channel", symbols: ["release", "beta"] } },
      { name: "before", type: ["null", "Channel"], default: null },
      { name: "after", type: ["null", "org.example.Channel"], default: null },
      { name: "hash", type: { type: "fixed", name: "Hash", size: 16 } },
      { name: "tags", type: { type: "array", items: "string" } },
      { name: "counts", type: { type: "map", values: "long" } },
      { name: "either", type: ["null", "string", "double"] },
      { name: "when", type: { type: "long", logicalType: "timestamp-micros" } },
      { name: "day", type: { type: "int", logicalType: "date" } },
      { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } },
      { name: "strange", type: { type: "string", logicalType: "unheard-of" } },
      {
        name: "addons",
        type: {
          type: "array",
          items: { type: "record", name: "Addon", fields: [{ name: "id", type: "string" }] },
        },
      },
      { name: "best", type: ["null", "Addon"], default: null },
      { name: "byName", type: { type: "map", values: "Addon" }, default: {} },
    ],
  }) as const;

type Every = InferRecord<ReturnType<typeof everyType>>;

const every: Every = {
  yes: true,
  small: 1,
  big: 1n,
  ratio: 0.5,
  raw: new Uint8Array(1),
  text: "",
  channel: "beta",
  before: "release",
  hash: new Uint8Array(16),
  tags: ["a"],
  counts: { a: 1, b: 2n },
  either: null,
  when: new Date(0),
  day: 16736,
  price: "12.34",
  strange: "",
  addons: [{ id: "a" }],
  best: { id: "a" },
};

// Each logical type takes what the Avro side takes for it.
const logicalTypes = {
  date: { type: "int", logicalType: "date" },
  time: { type: "long", logicalType: "time-micros" },
  millis: { type: "long", logicalType: "timestamp-millis" },
  nanos: { type: "long", logicalType: "timestamp-nanos" },
  local: { type: "long", logicalType: "local-timestamp-micros" },
  decimal: { type: "fixed", name: "Price", size: 8, logicalType: "decimal", precision: 9, scale: 2 },
  uuid: { type: "string", logicalType: "uuid" },
  uuidBytes: { type: "fixed", name: "Uuid", size: 16, logicalType: "uuid" },
  duration: { type: "fixed", name: "Duration", size: 12, logicalType: "duration" },
} as const;
type Taken = {
  date: Date | number;
  time: bigint | number;
  millis: Date | bigint | number;
  nanos: Date | bigint;
  local: Date | bigint | number;
  decimal: bigint | string;
  uuid: string;
  uuidBytes: Uint8Array;
  duration: Uint8Array;
};
type Logical = {
  [Name in keyof Taken]: InferRecord<{
    type: "record";
    name: "R";
    fields: [{ name: "v"; type: (typeof logicalTypes)[Name] }];
  }>["v"];
};
declare const logical: Logical;
declare const taken: Taken;
export const bothWays: [Taken, Logical] = [logical, taken];

const basics = { streamName: "telemetry", buildSchema: everyType } as const;

// Right.
defineStream({ ...basics, buildRecord: () => every });
defineStream({ ...basics, buildRecord: () => null });
defineStream({ ...basics, buildRecord: (message) => (message.has("clientId") ? every : null) });
defineStream({ ...basics, buildRecord: () => ({ ...every, channel: "release" }) });
defineStream({
  ...basics,
  buildRecord: () => ({ ...every, before: null, after: "beta", counts: new Map([["a", 1]]) }),
});
defineStream({
  ...basics,
  buildRecord: (message) => ({ ...every, text: message.json("a"), addons: message.json("b") }),
});
defineStream({ ...basics, buildRecord: () => ({ ...every, addons: ["a", "b"].map((id) => ({ id })) }) });
defineStream({
  ...basics,
  buildRecord(message) {
    if (!message.boolean("wanted", false)) return null;
    if (message.type === "") return { ...every, best: null };
    return { ...every, best: { id: message.uuid } };
  },
});

// No result, or one that comes later.
// @ts-expect-error undefined is a mistake; null leaves a message out
defineStream({ ...basics, buildRecord: () => undefined });
// @ts-expect-error nothing is returned
defineStream({ ...basics, buildRecord: () => {} });
// @ts-expect-error a promise
defineStream({ ...basics, buildRecord: async () => every });

// Wrong types.
// @ts-expect-error a string, not a boolean
defineStream({ ...basics, buildRecord: () => ({ ...every, yes: "true" }) });
// @ts-expect-error an int is no bigint
defineStream({ ...basics, buildRecord: () => ({ ...every, small: 1n }) });
// @ts-expect-error null without null in the union
defineStream({ ...basics, buildRecord: () => ({ ...every, text: null }) });
// @ts-expect-error a getter whose fallback does not fit
defineStream({ ...basics, buildRecord: (message) => ({ ...every, text: message.string("a", null) }) });
// @ts-expect-error an unknown enum symbol
defineStream({ ...basics, buildRecord: () => ({ ...every, channel: "nightly" }) });
// @ts-expect-error an unknown symbol of an enum that is named again
defineStream({ ...basics, buildRecord: () => ({ ...every, before: "nightly" }) });
// @ts-expect-error any text for an enum
defineStream({ ...basics, buildRecord: (message) => ({ ...every, channel: message.string("a") }) });
// @ts-expect-error numbers in a list of strings
defineStream({ ...basics, buildRecord: () => ({ ...every, tags: [1] }) });
// @ts-expect-error strings in a map of numbers
defineStream({ ...basics, buildRecord: () => ({ ...every, counts: { a: "1" } }) });
// @ts-expect-error no branch of the union
defineStream({ ...basics, buildRecord: () => ({ ...every, either: true }) });
// @ts-expect-error a wrong type in a list of records
defineStream({ ...basics, buildRecord: () => ({ ...every, addons: [{ id: 1 }] }) });

// Missing fields.
// @ts-expect-error nearly all are missing
defineStream({ ...basics, buildRecord: () => ({ yes: true }) });
// @ts-expect-error missing in a list of records
defineStream({ ...basics, buildRecord: () => ({ ...every, addons: [{}] }) });
// @ts-expect-error missing in a union
defineStream({ ...basics, buildRecord: () => ({ ...every, best: {} }) });

// Surplus fields.
// @ts-expect-error at the top
defineStream({ ...basics, buildRecord: () => ({ ...every, color: "red" }) });
// @ts-expect-error at the top, of any type
defineStream({ ...basics, buildRecord: (message) => ({ ...every, color: message.json("color") }) });
// @ts-expect-error in a list of records
defineStream({ ...basics, buildRecord: () => ({ ...every, addons: [{ id: "a", color: "red" }] }) });
// @ts-expect-error in one record of several
defineStream({ ...basics, buildRecord: () => ({ ...every, addons: [{ id: "a" }, { id: "b", color: "red" }] }) });
// @ts-expect-error in a list that is computed
defineStream({ ...basics, buildRecord: () => ({ ...every, addons: ["a"].map((id) => ({ id, color: "red" })) }) });
// @ts-expect-error in a record in a union
defineStream({ ...basics, buildRecord: () => ({ ...every, best: { id: "a", color: "red" } }) });
// @ts-expect-error in a map of records
defineStream({ ...basics, buildRecord: () => ({ ...every, byName: { a: { id: "a", color: "red" } } }) });
defineStream({
  streamName: "telemetry",
  buildSchema: () => ({ type: "record", name: "Small", fields: [{ name: "id", type: "string" }] }),
  // @ts-expect-error in one result of two
  buildRecord: (message) => (message.type === "" ? { id: "a" } : { id: "b", color: "red" }),
});

// The definition itself.
// @ts-expect-error streamName is missing
defineStream({ buildSchema: everyType, buildRecord: () => every });
// @ts-expect-error buildRecord is missing
defineStream({ streamName: "telemetry", buildSchema: everyType });
// @ts-expect-error an unknown key
defineStream({ ...basics, buildRecord: () => every, partitionedBy: ["submissionDate"] });
// @ts-expect-error where gives no boolean
defineStream({ ...basics, buildRecord: () => every, where: () => "yes" });
// @ts-expect-error the message has no such getter
defineStream({ ...basics, buildRecord: (message) => ({ ...every, text: message.text("a") }) });

// A schema that is only known when the program runs: any record compiles, and is checked then.
declare const someSchema: AvroRecord;
defineStream({ streamName: "telemetry", buildSchema: () => someSchema, buildRecord: () => ({ anything: 1 }) });
declare const someType: AvroRecord["fields"][number]["type"];
defineStream({
  streamName: "telemetry",
  buildSchema: () => ({ type: "record", name: "Open", fields: [{ name: "open", type: someType }] }),
  buildRecord: () => ({ open: { anything: 1 } }),
});
defineStream({
  streamName: "telemetry",
  buildSchema: () => ({ type: "record", name: "Open", fields: [{ name: "open", type: someType }] }),
  // @ts-expect-error the names of its fields are known all the same
  buildRecord: () => ({ opened: { anything: 1 } }),
});
