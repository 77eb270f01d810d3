// A large S3 object in ranges, several of them on their way at once: for lines where one connection brings less than is read.
import { type Answer, type Facts, unquoted } from "./s3-fetch.ts";
import { Watch } from "./s3-line.ts";
import type { Piece, S3Object } from "./s3-object.ts";

/** So large is a range: large enough for the latency of its request, and for what requests cost. */
const PIECE_BYTES = 2 << 20;

/** So many are on their way, or wait for their turn. */
const LANES = 4;

/** An object whose first bytes are under way. */
export interface Begun {
  readonly etag: string;
  /** Bytes, where the store says so. */
  readonly length: number | undefined;
  /** What there is to check the bytes against. */
  readonly facts: Facts;
  readonly chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Ends all that is under way, for who takes no chunks. */
  end(): void;
}

/**
 * Asks what the store knows of all of an object, which it does not tell beside a range, and for the first range at once.
 * `size`: what a listing told. Undefined where there is no object.
 */
export async function beginInRanges(object: S3Object, size: number): Promise<Begun | undefined> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  try {
    const first = { start: 0, end: Math.min(size, PIECE_BYTES) };
    const [facts, answer] = await Promise.all([object.facts(ending.signal), object.open(first, ending.signal)]);
    if (facts === undefined || answer === undefined) {
      end();
      return undefined;
    }
    const etag = unquoted(facts.ETag)!;
    if (etag !== unquoted(answer.facts.ETag) || facts.ContentLength !== size) throw object.changed(0);
    const piece = { start: 0, end: size };
    // A store that does not know ranges gives all of it.
    const chunks =
      answer.facts.ContentRange === undefined
        ? object.chunks(etag, piece, answer, ending.signal)
        : inRanges(object, etag, piece, ending, answer);
    return { etag, length: size, facts, chunks, end };
  } catch (error) {
    end();
    throw error;
  }
}

/** The ranges of a piece in the order of their bytes. `answer`: that of the first range, which is read at once. */
export function inRanges(
  object: S3Object,
  etag: string,
  { start, end }: Piece,
  ending: AbortController,
  answer?: Answer,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const underWay: Promise<Uint8Array<ArrayBuffer>>[] = [];
  let asked = start;
  const ask = (answer?: Answer): void => {
    const one = { start: asked, end: Math.min(end, asked + PIECE_BYTES) };
    const piece = object.piece(etag, one, answer, ending.signal);
    piece.catch(() => {}); // told in its turn
    underWay.push(piece);
    asked = one.end;
  };
  if (answer) ask(answer);
  const { line } = object.bucket;
  return (async function* () {
    let since = performance.now();
    try {
      while (underWay.length > 0 || asked < end) {
        while (underWay.length < LANES && asked < end) ask();
        const piece = await underWay.shift()!;
        const { length } = piece; // it is taken over
        yield piece;
        const now = performance.now();
        line.brought(length, now - since);
        since = now;
      }
    } finally {
      ending.abort();
    }
  })();
}

/** A piece by one connection; in ranges from where it proves to be slow. `answer` came already, to what was asked at `began`. */
export async function* whileQuick(
  object: S3Object,
  etag: string,
  { start, end }: Piece,
  answer?: Answer,
  began = performance.now(),
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { line } = object.bucket;
  const chunks = object.chunks(etag, { start, end }, answer);
  const watch = new Watch(began);
  const ask = () => object.facts().catch(() => {});
  let at = start;
  try {
    for (;;) {
      const { value, done } = await watch.wait(chunks.next());
      if (done) return;
      at += value.length;
      watch.took(value.length);
      yield value;
      if (watch.isSlow() && end - at > PIECE_BYTES && (await line.learn(watch.rate, ask))) break;
    }
  } finally {
    await chunks.return(undefined);
  }
  yield* inRanges(object, etag, { start: at, end }, new AbortController());
}
