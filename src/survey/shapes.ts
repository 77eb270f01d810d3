// What a text looks like, in words that tell nothing of it.

const SHAPES: readonly [string, RegExp][] = [
  ["empty", /^$/],
  ["uuid", /^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$/i],
  ["ISO 8601 time", /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/],
  ["date", /^\d{4}-\d\d-\d\d$/],
  ["decimal integer", /^-?\d+$/],
  ["decimal number", /^-?\d*\.\d+(e[+-]?\d+)?$/i],
  ["version", /^\d+(\.\d+){1,3}([ab]\d+|esr|pre)?$/],
  ["locale", /^[a-z]{2,3}(-[A-Z]{2}|-[A-Z][a-z]{3})$/],
  ["hexadecimal", /^(0x)?[0-9a-f]{8,}$/i],
  ["URL", /^[a-z][a-z0-9+.-]*:\/\//i],
  ["JSON", /^\s*[[{]/],
];

/** The shape of a text; "text" where it is none of those that have a name. */
export function textShape(text: string): string {
  return SHAPES.find(([, pattern]) => pattern.test(text))?.[0] ?? "text";
}

/** Whether a key looks like a value: then the object that it is of is a map, not a record. */
export function isDataKey(key: string): boolean {
  return /^[{\d]|@|:\/\/|[^\w.-]/.test(key);
}
