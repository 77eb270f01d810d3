// Chance for the sample day: a seeded generator, so that the same arguments give the same bytes everywhere.

/** A stream of random numbers that depends on nothing but the words it was made from. */
export class Random {
  // sfc32 (Chris Doty-Humphrey): 128 bits of state, fast in 32-bit integers, good enough to make sizes and names.
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(...words: readonly (string | number)[]) {
    const hash = Bun.hash.xxHash64(words.join("\u0000"));
    this.#a = Number(hash & 0xffff_ffffn) | 0;
    this.#b = Number(hash >> 32n) | 0;
    this.#c = words.length;
    for (let i = 0; i < 12; i++) this.#next();
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 up to, not including, 1. */
  unit(): number {
    return this.#next() / 2 ** 32;
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.unit() < share;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)]!;
  }

  /** One of `choices`, each as likely as its `weight` among all. */
  weighted<T extends { readonly weight: number }>(choices: readonly T[]): T {
    let left = this.unit() * choices.reduce((sum, one) => sum + one.weight, 0);
    for (const one of choices) {
      left -= one.weight;
      if (left < 0) return one;
    }
    return choices.at(-1)!;
  }

  /** Log-normal around `median`: the sizes and lengths that people and machines produce. */
  logNormal(median: number, sigma: number): number {
    let normal = -6;
    for (let i = 0; i < 12; i++) normal += this.unit();
    return median * Math.exp(sigma * normal);
  }

  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.#next().toString(16).padStart(8, "0");
    return text.slice(0, digits);
  }

  /** A version 4 UUID. */
  uuid(): string {
    const hex = this.hex(32);
    const variant = "89ab"[this.int(0, 3)];
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
