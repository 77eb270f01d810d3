// Inside the conversions: one function for each scalar type, from what a stream may give to what its column stores.

import { MissingField, ValueError } from "../errors.ts";
import type { DecimalNode, EnumNode, FixedNode, ScalarNode } from "./nodes.ts";

/** Returns what is stored, or throws ValueError with `path`. Null and undefined are "missing". */
export type Conversion = (value: unknown) => unknown;

const MILLIS_PER_DAY = 86_400_000;
const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function refuse(value: unknown, path: string, state: string): never {
  throw value === undefined || value === null ? new MissingField(path) : new ValueError(path, state);
}

/** boolean; number for int, float, double; bigint for long; string; Uint8Array for bytes. */
export function scalarConversion(node: ScalarNode, path: string): Conversion {
  switch (node.logical) {
    case "date":
      return (value) => toDays(value, path);
    case "time-millis":
      return (value) => {
        const millis = toInt(value, path, "is not a time of day");
        return millis >= 0 && millis < MILLIS_PER_DAY ? millis : refuse(value, path, "is not a time of day");
      };
    case "time-micros":
      return (value) => {
        const micros = toLong(value, path, "is not a time of day");
        return micros >= 0n && micros < BigInt(MILLIS_PER_DAY) * 1000n
          ? micros
          : refuse(value, path, "is not a time of day");
      };
    case "timestamp-millis":
    case "local-timestamp-millis":
      return (value) => toTimestamp(value, path, 1n);
    case "timestamp-micros":
    case "local-timestamp-micros":
      return (value) => toTimestamp(value, path, 1000n);
    case "timestamp-nanos":
    case "local-timestamp-nanos":
      return (value) => toTimestamp(value, path, 1_000_000n);
    case "uuid":
      return (value) => (typeof value === "string" && UUID.test(value) ? value : refuse(value, path, "is not a UUID"));
  }
  switch (node.kind) {
    case "boolean":
      return (value) => (typeof value === "boolean" ? value : refuse(value, path, "is not a boolean"));
    case "int":
      return (value) => toInt(value, path, "is not an int");
    case "long":
      return (value) => toLong(value, path, "is not a long");
    case "float":
      return (value) => toFloat(value, path);
    case "double":
      // The hardware's NaN differs between machines; the constant does not.
      return (value) =>
        typeof value === "number" ? (Number.isNaN(value) ? NaN : value) : refuse(value, path, "is not a double");
    case "bytes":
      return (value) => (value instanceof Uint8Array ? notLong(value, path) : refuse(value, path, "is not bytes"));
    case "string":
      // Lone surrogates have no UTF-8; whoever encodes the text makes them U+FFFD.
      return (value) => (typeof value === "string" ? notLong(value, path) : refuse(value, path, "is not a string"));
  }
}

/** No message is longer: what a stream makes of one is not either. */
const LONGEST = 64 << 20;

function notLong<T extends string | Uint8Array>(value: T, path: string): T {
  return value.length <= LONGEST ? value : refuse(value, path, "is longer than 64 MiB");
}

export function fixedConversion(node: FixedNode, path: string): Conversion {
  const state = `is not ${node.size} bytes`;
  return (value) => (value instanceof Uint8Array && value.length === node.size ? value : refuse(value, path, state));
}

export function enumConversion(node: EnumNode, path: string): Conversion {
  const symbols = new Set<unknown>(node.symbols);
  return (value) => (symbols.has(value) ? value : refuse(value, path, "is not a known symbol"));
}

/** Accepts the unscaled integer as a bigint, or decimal text with no more digits after the point than the scale. */
export function decimalConversion({ precision, scale }: DecimalNode, path: string): Conversion {
  const limit = 10n ** BigInt(precision);
  const state = `is not a decimal of ${precision} digits, ${scale} of them after the point`;
  return (value) => {
    const unscaled = typeof value === "string" ? unscale(value, scale) : value;
    return typeof unscaled === "bigint" && unscaled < limit && unscaled > -limit
      ? unscaled
      : refuse(value, path, state);
  };
}

/** "-12.5" at scale 2 is -1250n; undefined when it is no such number. */
function unscale(text: string, scale: number): bigint | undefined {
  const [, sign, whole, fraction = ""] = /^([-+]?)(\d{1,40})(?:\.(\d{1,40}))?$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > scale) return undefined;
  const digits = BigInt(whole + fraction.padEnd(scale, "0"));
  return sign === "-" ? -digits : digits;
}

/** The decimal text of an unscaled integer: -1250n at scale 2 is "-12.50". */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function toInt(value: unknown, path: string, state: string): number {
  // `| 0` keeps exactly the integers of 32 bits, and turns -0, which equals 0, into 0.
  return typeof value === "number" && (value | 0) === value ? value | 0 : refuse(value, path, state);
}

function toLong(value: unknown, path: string, state: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "bigint" && value >= LONG_MIN && value <= LONG_MAX) return value;
  return refuse(value, path, state);
}

function toFloat(value: unknown, path: string): number {
  if (typeof value !== "number") return refuse(value, path, "is not a float");
  if (Number.isNaN(value)) return NaN;
  const single = Math.fround(value);
  return Number.isFinite(single) || !Number.isFinite(value) ? single : refuse(value, path, "is not a float");
}

/** Days since 1970-01-01, from such a number or from the UTC day of a Date. */
function toDays(value: unknown, path: string): number {
  const days = value instanceof Date ? Math.floor(value.getTime() / MILLIS_PER_DAY) : value;
  return typeof days === "number" && (days | 0) === days ? days | 0 : refuse(value, path, "is not a date");
}

function toTimestamp(value: unknown, path: string, unitsPerMilli: bigint): bigint {
  if (!(value instanceof Date)) return toLong(value, path, "is not a timestamp");
  const millis = value.getTime();
  const units = Number.isNaN(millis) ? LONG_MAX + 1n : BigInt(millis) * unitsPerMilli;
  return units >= LONG_MIN && units <= LONG_MAX ? units : refuse(value, path, "is not a timestamp");
}
