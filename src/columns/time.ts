// Text to instants: ISO 8601, and decimal numbers of a unit, both to microseconds since the epoch.

/** The units of timestamps given as numbers, and how many digits finer than a second each is. */
export const timestampUnits = { s: 0, ms: 3, us: 6, ns: 9 } as const;

export type TimestampUnit = keyof typeof timestampUnits;

const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;
const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Microseconds of an ISO 8601 date or date and time, UTC where it names no zone; undefined where it is neither. */
export function microsOfIso(text: string): bigint | undefined {
  const match = iso.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "", zone = "Z"] = match;
  const offset = offsetMinutes(zone);
  if (offset === undefined || +month! < 1 || +month! > 12 || +day! < 1 || +day! > monthDays[+month! - 1]!)
    return undefined;
  if (+hour > 23 || +minute > 59 || +second > 59) return undefined;
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(+year!, +month! - 1, +day!);
  if (date.getUTCDate() !== +day!) return undefined;
  const seconds = date.getTime() / 1000 + +hour * 3600 + (+minute - offset) * 60 + +second;
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = +zone.slice(1, 3);
  const minutes = +zone.slice(3).replace(":", "");
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Microseconds of a decimal number of `unit` since the epoch, exactly, what is finer cut off; undefined for other text. */
export function microsOfNumber(text: string, unit: TimestampUnit): bigint | undefined {
  const match = decimal.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = "", exponent = "0"] = match;
  // The point moves right by what the exponent says and by what microseconds are finer than the unit.
  const places = 6 - timestampUnits[unit] + Number(exponent) - fraction.length;
  const digits = whole! + fraction;
  const cut = places >= 0 ? digits + "0".repeat(places) : digits.slice(0, places);
  const micros = BigInt(cut === "" ? 0 : cut);
  return sign === "-" ? -micros : micros;
}
