// Whether one connection to a store brings as much as is read. Near stores do, and then it is the cheapest way; from others an
// object comes faster in several ranges at once.

/** Bytes over which a connection is judged, twice in a row. */
const JUDGED_BYTES = 4 << 20;

/** A connection is slow that keeps its reader waiting for more than this share of the time… */
const WAITING = 0.25;

/** …brings fewer bytes a second… */
const SLOW_BYTES_PER_SECOND = 150e6;

/** …and answers no small request within so many milliseconds: on a machine that is busy readers wait for near stores, too. */
const FAR_MS = 6;
const PROBES = 5;

/** Ranges that bring no more than so many times what one connection brought are given up: the network is what is slow. */
const GAIN = 1.2;
const GAIN_BYTES = 16 << 20;

/** What was learned about the way to a bucket. */
export class Line {
  /** Whether objects are to be read in ranges; undefined until a connection was slow. */
  isFar: boolean | undefined;
  /** Bytes a millisecond that one connection brought. */
  #single = 0;
  #bytes = 0;
  #ms = 0;

  /** After a connection was slow, which brought so many bytes a millisecond. `ask`: a small request. */
  async learn(single: number, ask: () => Promise<unknown>): Promise<boolean> {
    if (this.isFar !== undefined) return this.isFar;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < PROBES; i++) {
      const asked = performance.now();
      await ask();
      least = Math.min(least, performance.now() - asked);
    }
    this.#single = single;
    this.isFar = least > FAR_MS;
    return this.isFar;
  }

  /** What ranges brought, for as long as that is judged. */
  brought(bytes: number, ms: number): void {
    if (this.#bytes >= GAIN_BYTES) return;
    this.#bytes += bytes;
    this.#ms += ms;
    if (this.#bytes >= GAIN_BYTES && this.#bytes < GAIN * this.#single * this.#ms) this.isFar = false;
  }
}

/** Watches one connection. `since`: when it was asked. */
export class Watch {
  #waited: number;
  #bytes = 0;
  #slow = 0;
  /** Of the last judgement, in bytes a millisecond. */
  rate = 0;

  constructor(private since: number) {
    this.#waited = performance.now() - since;
  }

  async wait<T>(step: Promise<T>): Promise<T> {
    const asked = performance.now();
    const result = await step;
    this.#waited += performance.now() - asked;
    return result;
  }

  took(bytes: number): void {
    this.#bytes += bytes;
  }

  isSlow(): boolean {
    if (this.#bytes < JUDGED_BYTES) return false;
    const now = performance.now();
    const elapsed = now - this.since;
    this.rate = this.#bytes / elapsed;
    const isSlow = this.#waited > WAITING * elapsed && this.rate * 1000 < SLOW_BYTES_PER_SECOND;
    this.#slow = isSlow ? this.#slow + 1 : 0;
    this.#bytes = this.#waited = 0;
    this.since = now;
    return this.#slow === 2;
  }
}
