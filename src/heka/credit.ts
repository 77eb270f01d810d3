// Bounds what the search for frames may spend on decoding: fake headers within each other must not make it quadratic (P9).

/** Sizes up to this have credit for many tries at once. */
const smallBytes = 64 * 1024;
/** A try costs something even where its first byte tells. */
const LEAST = 64;

/**
 * Credit for messages that do not decode, by the power of two of their size: each byte of the object earns one for every
 * power, up to one message of it. So the work is linear in the object, a long claim that fails does not keep the short
 * frames behind it from being found, and where many claims end at one place, a frame there is always tried: what the last
 * of them cost is earned again by the bytes it claimed. Offsets alone decide, so chunks do not matter.
 */
export class Credit {
  readonly #left: number[] = [];
  readonly #since: number[] = [];

  /** Whether a message of `size` bytes may be tried at `offset` in the object. Offsets must not go back. */
  allows(size: number, offset: number): boolean {
    const power = powerOf(size);
    const most = mostOf(power);
    this.#left[power] = Math.min(most, (this.#left[power] ?? most) + offset - (this.#since[power] ?? offset));
    this.#since[power] = offset;
    return this.#left[power] >= 0;
  }

  /** Counts a message of `size` bytes that was tried in vain, with `looked` of them looked at. */
  charge(size: number, looked: number): void {
    const power = powerOf(size);
    this.#left[power] = (this.#left[power] ?? mostOf(power)) - Math.max(looked, LEAST);
  }
}

function mostOf(power: number): number {
  return Math.max(smallBytes, 2 ** power);
}

/** The power of two that is larger than `size`. */
function powerOf(size: number): number {
  return 32 - Math.clz32(size);
}
