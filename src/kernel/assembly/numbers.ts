// Decimal numbers: those that can be had exactly with a few machine operations. The driver reads the others, with the
// engine's own rules.

/** What `readDecimal` found. */
let digits: u64 = 0;
let scale: i32 = 0;
let negative = false;
let integral = false;

/** More digits than this might not fit 64 bits. */
const MAX_DIGITS: u32 = 18;

function isDigit(byte: u8): bool {
  return byte >= 0x30 && byte <= 0x39;
}

/**
 * Reads `-?\d+(\.\d+)?([eE][+-]?\d+)?`, which must be the whole range; in JSON without needless zeros in front. False where
 * it is something else, or longer than can be read here.
 */
function readDecimal(start: usize, end: usize, json: bool): bool {
  let at = start;
  negative = at < end && load<u8>(at) === 0x2d;
  if (negative) at++;
  digits = 0;
  scale = 0;
  integral = true;
  const first = at;
  while (at < end && isDigit(load<u8>(at))) digits = digits * 10 + <u64>(load<u8>(at++) - 0x30);
  let count = <u32>(at - first);
  if (count === 0 || count > MAX_DIGITS) return false;
  if (json && count > 1 && load<u8>(first) === 0x30) return false;
  if (at < end && load<u8>(at) === 0x2e) {
    integral = false;
    const point = ++at;
    while (at < end && isDigit(load<u8>(at))) {
      if (++count > MAX_DIGITS) return false;
      digits = digits * 10 + <u64>(load<u8>(at++) - 0x30);
    }
    if (at === point) return false;
    scale = -(<i32>(at - point));
  }
  if (at < end && (load<u8>(at) | 0x20) === 0x65) {
    integral = false;
    at++;
    let down = false;
    if (at < end && (load<u8>(at) === 0x2b || load<u8>(at) === 0x2d)) down = load<u8>(at++) === 0x2d;
    const from = at;
    let exponent: i32 = 0;
    while (at < end && isDigit(load<u8>(at)) && at - from < 3) exponent = exponent * 10 + (load<u8>(at++) - 0x30);
    if (at === from) return false;
    scale += down ? -exponent : exponent;
  }
  return at === end;
}

/** 10 to the power of 0 to 22: all that a double holds exactly. */
const powers = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);

/** The numbers that the functions below found. */
export let double: f64 = 0;
export let long: i64 = 0;

/** Two exact doubles, multiplied or divided once, give the nearest double of the decimal (Clinger 1990). */
function toDouble(): bool {
  if (digits > 1 << 53 || scale > 22 || scale < -22) return false;
  const whole = <f64>digits;
  const value =
    scale < 0 ? whole / load<f64>(powers + ((<usize>-scale) << 3)) : whole * load<f64>(powers + ((<usize>scale) << 3));
  double = negative ? -value : value;
  return true;
}

/** A decimal as a double, to `double`; false where it is none that can be read here. */
export function doubleOfText(start: usize, end: usize, json: bool): bool {
  return readDecimal(start, end, json) && toDouble();
}

/** A decimal whose value is a whole number of 64 bits, to `long`; false where it is none that can be read here. */
export function longOfText(start: usize, end: usize, json: bool): bool {
  if (!readDecimal(start, end, json)) return false;
  if (!integral) return toDouble() && longOfDouble(double);
  long = negative ? -(<i64>digits) : <i64>digits;
  return true;
}

/** A whole number that a double holds, to `long`; false beyond 2^62, where the driver looks closer. */
export function longOfDouble(value: f64): bool {
  if (!(abs(value) < 4611686018427387904.0) || trunc(value) !== value) return false;
  long = <i64>value;
  return true;
}
