// Keys, shared by every place: their order, and the folder form of a prefix.

/** "telemetry" and "telemetry/" both mean the folder "telemetry/"; "" is the whole place. */
export function folderPrefix(prefix: string): string {
  return prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
}

/**
 * Orders keys as S3 lists them: by the bytes of their UTF-8. That is the order of code points, not of JavaScript's UTF-16
 * units: surrogates have to sort after U+E000 to U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
