// What a worker is at, in memory that the main thread sees too: a stream that loops for ever cannot answer.

/** A message that a stream has been given: the number of its object among the task's inputs, and its frame's range. */
export interface At {
  readonly input: number;
  readonly offset: number;
  readonly length: number;
}

/** How often a worker that waits, for S3 or for a request, shows that it goes on. */
export const BEAT_EVERY_MS = 500;

const BEATS = 0;
const INPUT = 1;
const OFFSET = 2;
const LENGTH = 3;

/** Written by the worker and read by the main thread, without locks: a place may be one message old. */
export class Pulse {
  readonly #cells: Float64Array;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * Float64Array.BYTES_PER_ELEMENT)) {
    this.#cells = new Float64Array(buffer);
  }

  /** A request begins: nothing has been given to the stream. */
  begin(): void {
    this.#cells[LENGTH] = 0;
    this.#cells[BEATS]!++;
  }

  /** The worker goes on. */
  beat(): void {
    this.#cells[BEATS]!++;
  }

  /** The stream gets the message of a frame. */
  enter(input: number, offset: number, length: number): void {
    const cells = this.#cells;
    cells[INPUT] = input;
    cells[OFFSET] = offset;
    cells[LENGTH] = length;
    cells[BEATS]!++;
  }

  /** Counts up for as long as the worker goes on. */
  get beats(): number {
    return this.#cells[BEATS]!;
  }

  /** The message that the stream was given last; undefined where there was none since the request began. */
  get at(): At | undefined {
    const [, input = 0, offset = 0, length = 0] = this.#cells;
    return length > 0 ? { input, offset, length } : undefined;
  }
}
