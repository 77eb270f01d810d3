// Keys as events carry them. S3's own notifications and Batch Operations encode them like forms; EventBridge does not.

/**
 * "a+b%2Bc" is "a b+c"; undefined where the escapes are no UTF-8. Batch Operations' manual decodes "%20" only, its service
 * sends "+" for a space; a plus sign of a key is "%2B" in both.
 */
export function decodeFormKey(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** As S3 writes a key into a notification. */
export function encodeFormKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%2F", "/").replaceAll("%20", "+");
}

/**
 * Orders the events of one key by their sequencers, hexadecimal numbers of different lengths whose shorter is to be padded
 * at its right with zeros. An event without one counts as the oldest.
 */
export function compareSequencers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const length = Math.max(a.length, b.length);
  const [left, right] = [a, b].map((one) => one.toUpperCase().padEnd(length, "0")) as [string, string];
  return left < right ? -1 : left > right ? 1 : 0;
}
