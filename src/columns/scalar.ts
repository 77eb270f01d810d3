// Columns of one value: how each type is read from a message or from JSON, and what functions may give for it.

import type { AvroSchema } from "../avro/literal.ts";
import { UsageError, ValueError } from "../errors.ts";
import { toInt, toLong } from "../heka/convert.ts";
import type { Json, Message, Path } from "../heka/message-view.ts";
import type { Getter, Kind } from "./column.ts";
import { booleanOf, bytesOf, copyJson, doubleOf, intOf, longOf, stringOf } from "./json.ts";
import { reader } from "./place.ts";
import { microsOfIso, microsOfNumber, type TimestampUnit, timestampUnits } from "./time.ts";

interface Scalar<Seen> {
  name: string;
  getter?: Getter;
  avro: AvroSchema;
  fromMessage: (message: Message, path: Path, text: string) => Seen | undefined;
  fromJson: (value: Json, text: string) => Seen;
  /** The value as seen; undefined where the type is wrong. */
  take: (given: unknown) => Seen | undefined;
  copy?: (seen: unknown) => unknown;
  store?: (seen: unknown) => unknown;
  avroDefault?: (stored: unknown) => unknown;
}

function scalar<Seen>({ name, avro, fromMessage, fromJson, take, ...rest }: Scalar<Seen>): Kind {
  return {
    name,
    avro: () => avro,
    bind: (place) => reader(place, fromMessage, fromJson),
    accept(given, text) {
      const value = take(given);
      if (value === undefined) throw new ValueError(text, `is not ${name}`);
      return value;
    },
    avroDefault: (stored) => stored,
    ...rest,
  };
}

export const stringKind = scalar({
  name: "a string",
  getter: "string",
  avro: "string",
  fromMessage: (message, path) => message.string(path, undefined),
  fromJson: stringOf,
  take: (given) => (typeof given === "string" ? given : undefined),
});

export const intKind = scalar({
  name: "an int",
  getter: "int",
  avro: "int",
  fromMessage: (message, path) => message.int(path, undefined),
  fromJson: intOf,
  take: (given) => (typeof given === "number" ? toInt(given) : undefined),
});

export const longKind = scalar({
  name: "a long",
  getter: "long",
  avro: "long",
  fromMessage: (message, path) => message.long(path, undefined),
  fromJson: longOf,
  take(given) {
    if (typeof given === "number") return Number.isSafeInteger(given) ? BigInt(given) : undefined;
    return typeof given === "bigint" ? toLong(given) : undefined;
  },
  avroDefault: safeNumber,
});

export const doubleKind = scalar({
  name: "a double",
  getter: "double",
  avro: "double",
  fromMessage: (message, path) => message.double(path, undefined),
  fromJson: doubleOf,
  take: (given) => (typeof given === "number" ? given : undefined),
  avroDefault: (stored) => (Number.isFinite(stored) ? stored : undefined),
});

export const booleanKind = scalar({
  name: "a boolean",
  getter: "boolean",
  avro: "boolean",
  fromMessage: (message, path) => message.boolean(path, undefined),
  fromJson: booleanOf,
  take: (given) => (typeof given === "boolean" ? given : undefined),
});

export const bytesKind = scalar({
  name: "bytes",
  getter: "bytes",
  avro: "bytes",
  fromMessage: (message, path) => message.bytes(path, undefined),
  fromJson: bytesOf,
  take: (given) => (given instanceof Uint8Array ? given : undefined),
  copy: (seen) => new Uint8Array(seen as Uint8Array),
  // Avro writes bytes in JSON as the characters of the same codes.
  avroDefault: (stored) => Buffer.from(stored as Uint8Array).toString("latin1"),
});

export function timestampKind(unit: TimestampUnit | undefined): Kind {
  if (unit !== undefined && !Object.hasOwn(timestampUnits, unit)) {
    throw new UsageError(`Cannot use the unit ${unit}: it is none of ${Object.keys(timestampUnits).join(", ")}`);
  }
  const parse = (written: string, text: string): bigint => {
    const micros = unit === undefined ? microsOfIso(written) : microsOfNumber(written, unit);
    if (micros === undefined || toLong(micros) === undefined) throw new ValueError(text, "is not a timestamp");
    return micros;
  };
  return scalar({
    name: "a timestamp",
    avro: { type: "long", logicalType: "timestamp-micros" },
    fromMessage(message, path, text) {
      const written = message.string(path, undefined);
      return written === undefined ? undefined : parse(written, text);
    },
    fromJson: (value, text) => parse(stringOf(value, text), text),
    take(given) {
      if (typeof given === "bigint") return toLong(given);
      if (!(given instanceof Date) || Number.isNaN(given.getTime())) return undefined;
      return BigInt(given.getTime()) * 1000n;
    },
    avroDefault: safeNumber,
  });
}

export const jsonKind: Kind = {
  ...scalar<Json>({
    name: "JSON",
    avro: "string",
    fromMessage: (message, path) => message.json(path, undefined),
    fromJson: copyJson, // what entries are read from is shared: parses.ts
    take: (given) => (isJson(given) ? given : undefined),
  }),
  isParsed: true,
  copy: (seen) => copyJson(seen as Json),
  store: (seen) => JSON.stringify(seen),
};

// JSON.stringify throws on circles and bigints, gives undefined for functions and "{}" for promises.
function isJson(given: unknown): given is Json {
  if (given instanceof Promise) return false;
  try {
    return JSON.stringify(given) !== undefined;
  } catch {
    return false;
  }
}

function safeNumber(stored: unknown): number | undefined {
  const number = Number(stored);
  return Number.isSafeInteger(number) ? number : undefined;
}
