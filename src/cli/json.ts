// Values of records as JSON that loses nothing: what JSON.stringify does not know is written by hand.

/**
 * JSON of a value as the Parquet reader gives it: bigints as exact number literals, bytes as base64, times in ISO 8601,
 * NaN and infinities as strings, Maps as objects.
 */
export function exactJson(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return numberJson(value);
  if (typeof value !== "object") return JSON.stringify(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "null" : JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${base64(value)}"`;
  if (Array.isArray(value)) return `[${value.map(exactJson).join(",")}]`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries.map(([key, member]) => `${JSON.stringify(String(key))}:${exactJson(member)}`).join(",")}}`;
}

function numberJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0" : String(value);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
