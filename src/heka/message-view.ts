// What a stream's functions see of one message: types only, and so all of heka/ that its author meets.

/** A place in a message: a dotted string, or an array where a key itself has dots. */
export type Path = string | readonly string[];

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * What a stream sees of one message. Lazy: nothing is decoded that nobody asks for. Valid only during `buildRecord`.
 *
 * A path means the longest prefix that names a field of the message; the rest walks into that field's JSON. Where no
 * field matches, it walks into the ping's own JSON. Getters throw MissingField where the value is absent or null and no
 * second argument was given, ValueError where it is of another type.
 */
export interface Message {
  /** Text; a number gives its shortest decimal. */
  string(path: Path): string;
  string<Otherwise>(path: Path, otherwise: Otherwise): string | Otherwise;
  /** An integral number of 32 bits, or a decimal string of one. */
  int(path: Path): number;
  int<Otherwise>(path: Path, otherwise: Otherwise): number | Otherwise;
  /** An integral number of 64 bits, or a decimal string of one: exactly, or with a point or an exponent as a double. */
  long(path: Path): bigint;
  long<Otherwise>(path: Path, otherwise: Otherwise): bigint | Otherwise;
  /** A number, or a decimal string of one. */
  double(path: Path): number;
  double<Otherwise>(path: Path, otherwise: Otherwise): number | Otherwise;
  boolean(path: Path): boolean;
  boolean<Otherwise>(path: Path, otherwise: Otherwise): boolean | Otherwise;
  /** A copy of the bytes of a field; of JSON, the UTF-8 of a string. */
  bytes(path: Path): Uint8Array;
  bytes<Otherwise>(path: Path, otherwise: Otherwise): Uint8Array | Otherwise;
  /** The value as JSON.parse gives it, sections split off into fields put back; `[]` is the path of the whole ping. */
  // biome-ignore lint/suspicious/noExplicitAny: what the JSON holds is checked when the record is.
  json(path: Path, otherwise?: any): any;
  /** Whether there is a value other than null. */
  has(path: Path): boolean;
  /** 36 characters, lower case; "" when absent. */
  readonly uuid: string;
  /** Nanoseconds since the epoch; 0n when absent. */
  readonly timestamp: bigint;
  readonly type: string;
  readonly logger: string;
  readonly hostname: string;
  readonly payload: string;
  readonly severity: number;
  readonly envVersion: string;
  readonly pid: number;
}
