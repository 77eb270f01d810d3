// Text to microseconds, at the edges.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { microsOfIso, microsOfNumber, type TimestampUnit } from "../../src/columns/time.ts";

const iso: [text: string, micros: bigint | undefined][] = [
  ["1970-01-01T00:00:00Z", 0n],
  ["1970-01-01", 0n],
  ["1970-01-01T00:00", 0n],
  ["1970-01-01 00:00:01", 1_000_000n],
  ["1970-01-01T00:00:00.000001Z", 1n],
  ["1970-01-01T00:00:00.0000019Z", 1n],
  ["1969-12-31T23:59:59.999999Z", -1n],
  ["1970-01-01T01:00:00+01:00", 0n],
  ["1970-01-01T01:00:00+0100", 0n],
  ["1970-01-01T01:00:00+01", 0n],
  ["1969-12-31T18:30:00-05:30", 0n],
  ["2015-10-28T09:30:00.0+02:00", 1_446_017_400_000_000n],
  ["2016-02-29", 1_456_704_000_000_000n],
  ["0001-01-01", -62_135_596_800_000_000n],
  ["9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999n],
  ["2015-02-29", undefined],
  ["2015-04-31", undefined],
  ["2015-13-01", undefined],
  ["2015-00-01", undefined],
  ["2015-01-00", undefined],
  ["2015-10-28T24:00:00Z", undefined],
  ["2015-10-28T09:60:00Z", undefined],
  ["2015-10-28T09:30:00+24:00", undefined],
  ["2015-10-28T09:30:00 UTC", undefined],
  ["2015-10-28Z", undefined],
  ["20151028", undefined],
  ["1446024600", undefined],
  ["", undefined],
  [" 2015-10-28", undefined],
];

test.each(iso)("ISO 8601: %p", (text, micros) => {
  expect(microsOfIso(text)).toBe(micros);
});

test("what a Date prints is read back, in the years 0 to 9999", () => {
  const range = { min: -62_167_219_200_000, max: 253_402_300_799_999 };
  fc.assert(fc.property(fc.integer(range), (ms) => microsOfIso(new Date(ms).toISOString()) === BigInt(ms) * 1000n));
});

const numbers: [text: string, unit: TimestampUnit, micros: bigint | undefined][] = [
  ["0", "s", 0n],
  ["1", "s", 1_000_000n],
  ["1", "ms", 1000n],
  ["1", "us", 1n],
  ["1999", "ns", 1n],
  ["-1999", "ns", -1n],
  ["999", "ns", 0n],
  ["1.5", "s", 1_500_000n],
  ["1.0000019", "s", 1_000_001n],
  ["1.4461e+21", "ns", 1_446_100_000_000_000_000n],
  ["15e-1", "s", 1_500_000n],
  ["1e-999", "s", 0n],
  ["1446024600123456789", "ns", 1_446_024_600_123_456n],
  ["", "s", undefined],
  [".5", "s", undefined],
  ["1.", "s", undefined],
  ["0x10", "s", undefined],
  ["NaN", "s", undefined],
  ["Infinity", "s", undefined],
  ["1e9999", "s", undefined],
];

test.each(numbers)("number: %p %s", (text, unit, micros) => {
  expect(microsOfNumber(text, unit)).toBe(micros);
});
