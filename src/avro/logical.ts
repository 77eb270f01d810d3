// Inside parseSchema: logical types, which Avro hangs on primitives and fixed as extra keys.

import { failSchema } from "./fail.ts";
import type { DecimalNode, LogicalType } from "./nodes.ts";

type Json = { readonly [key: string]: unknown };

const BASES: { readonly [logical: string]: readonly string[] } = {
  decimal: ["bytes", "fixed"],
  uuid: ["string", "fixed"],
  duration: ["fixed"],
  date: ["int"],
  "time-millis": ["int"],
  "time-micros": ["long"],
  "timestamp-millis": ["long"],
  "timestamp-micros": ["long"],
  "timestamp-nanos": ["long"],
  "local-timestamp-millis": ["long"],
  "local-timestamp-micros": ["long"],
  "local-timestamp-nanos": ["long"],
};

const FIXED_SIZES: { readonly [logical: string]: number } = { uuid: 16, duration: 12 };

/** The most digits that Spark, Athena and DuckDB read. */
const MOST_DIGITS = 38;

/**
 * The logical type of a primitive or fixed, or undefined; one that Avro does not know is ignored, as Avro asks. `size` is
 * that of a fixed.
 */
export function logicalTypeOf(
  base: string,
  literal: Json,
  path: string,
  warnings: string[],
  size?: number,
): LogicalType | "decimal" | "duration" | undefined {
  const logical = literal.logicalType;
  if (logical === undefined) return undefined;
  if (typeof logical !== "string") failSchema(path, "its logicalType is not a string");
  if (!Object.hasOwn(BASES, logical)) {
    warnings.push(`${path}: there is no logical type ${logical}; the column is a plain ${base}.`);
    return undefined;
  }
  const bases = BASES[logical]!;
  if (!bases.includes(base))
    failSchema(path, `logicalType ${logical} goes with ${bases.join(" or ")}, not with ${base}`);
  if (size !== undefined && Object.hasOwn(FIXED_SIZES, logical) && FIXED_SIZES[logical] !== size) {
    failSchema(path, `logicalType ${logical} takes ${FIXED_SIZES[logical]} bytes, not ${size}`);
  }
  if (logical.endsWith("-nanos")) {
    warnings.push(`${path}: ${logical} is written as a plain long, as Spark, Athena and DuckDB do not read it.`);
  }
  return logical as LogicalType | "decimal" | "duration";
}

export function resolveDecimal(literal: Json, path: string, fixed?: DecimalNode["fixed"]): DecimalNode {
  const { precision, scale = 0 } = literal;
  if (typeof precision !== "number" || !Number.isInteger(precision) || precision < 1) {
    failSchema(`${path}.precision`, "it is not a number of digits, 1 or more");
  }
  if (typeof scale !== "number" || !Number.isInteger(scale) || scale < 0 || scale > precision) {
    failSchema(`${path}.scale`, "it is not a number of digits between 0 and the precision");
  }
  if (precision > MOST_DIGITS) failSchema(`${path}.precision`, `readers stop at ${MOST_DIGITS} digits`);
  if (fixed !== undefined && 10n ** BigInt(precision) > 1n << BigInt(8 * fixed.size - 1)) {
    failSchema(`${path}.precision`, `${precision} digits do not fit ${fixed.size} bytes`);
  }
  return { kind: "decimal", precision, scale, ...(fixed === undefined ? {} : { fixed }) };
}
