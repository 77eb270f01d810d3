// How one scalar becomes what a getter or a column asks for. Both eras must agree, so numbers and their decimals do too.

const decimal = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const integer = /^-?\d+$/;
const minLong = -(2n ** 63n);
const maxLong = 2n ** 63n - 1n;

/** A number, or the number a decimal string says; undefined for other strings. */
export function toDouble(value: number | bigint | string): number | undefined {
  if (typeof value !== "string") return Number(value);
  return decimal.test(value) ? Number(value) : undefined;
}

/** An integral number of 32 bits, or a decimal string of one ("3" and "3.0" are 3). */
export function toInt(value: number | bigint | string): number | undefined {
  const number = toDouble(value);
  // `| 0` makes -0 a 0 too.
  return number !== undefined && (number | 0) === number ? number | 0 : undefined;
}

/** An integral number of 64 bits, or a decimal string of one; exact for integers however they are given. */
export function toLong(value: number | bigint | string): bigint | undefined {
  let long: bigint;
  if (typeof value === "bigint") long = value;
  else if (typeof value === "string" && integer.test(value)) {
    // Longer ones are out of range, and huge ones would take long to convert.
    if (value.length > 64) return undefined;
    long = BigInt(value);
  } else {
    const number = toDouble(value);
    if (number === undefined || !Number.isInteger(number)) return undefined;
    long = BigInt(number);
  }
  return long >= minLong && long <= maxLong ? long : undefined;
}

/** The shortest decimal of a number; integers beyond 2^53 that are given as digits or bigint stay as they are. */
export function toText(value: number | bigint | string): string {
  if (typeof value !== "string") return String(value);
  const number = Number(value);
  return Number.isSafeInteger(number) || !integer.test(value) ? String(number) : value;
}
