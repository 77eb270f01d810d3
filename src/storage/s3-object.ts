// The requests that read one S3 object: answers of one version, bodies taken up again where they break off, and what went
// wrong, in our words.
import { DamagedInputError, InputError } from "../errors.ts";
import type { Bucket, Range } from "./s3-bucket.ts";
import { type Expected, release } from "./s3-checksum.ts";
import { faultOf } from "./s3-fault.ts";
import { type Answer, type Facts, unquoted } from "./s3-fetch.ts";
import { PATIENCE, type Patience, pause, SILENT_ATTEMPTS } from "./s3-patience.ts";

/** A body that brings bytes each time before it breaks may do so this often. */
const MOST_BREAKS = 1000;

/** One that falls silent has to bring so many, or that time counts as futile: else a store could hold us for hours. */
const PROGRESS_BYTES = 1 << 20;

/** A range with a beginning and an end. */
export interface Piece {
  readonly start: number;
  readonly end: number;
}

export class S3Object {
  readonly patience: Patience;

  /** `listedEtag`: the version that is wanted, whichever there is where it is absent. */
  constructor(
    readonly bucket: Bucket,
    private readonly key: string,
    private readonly listedEtag: string | undefined,
  ) {
    this.patience = bucket.patience ?? PATIENCE;
  }

  /** What the store knows of the object, undefined where there is none. */
  async facts(signal?: AbortSignal): Promise<Facts | undefined> {
    return (await this.#ask("HEAD", this.listedEtag, { start: 0 }, signal))?.facts;
  }

  /** The first answer, undefined where there is no object. */
  open(range: Range, signal?: AbortSignal): Promise<Answer | undefined> {
    return this.#ask("GET", this.listedEtag, range, signal);
  }

  /** The bytes of a range of one version, in chunks. `answer`: one that came already. */
  async *chunks(
    etag: string,
    range: Range,
    answer?: Answer,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { end } = range;
    let at = range.start;
    let futile = 0;
    if (at === end) answer?.body.discard();
    if (at === end) return;
    for (let breaks = 0; ; breaks++) {
      const before = at;
      const { facts, body } = answer ?? (await this.#again(etag, { start: at, end }, signal));
      answer = undefined;
      const knowsRanges = isFrom(facts.ContentRange, at);
      let surplus = knowsRanges ? 0 : at; // bytes before `at`
      let ended = false;
      let waitsSince = performance.now();
      try {
        for await (const chunk of body.chunks()) {
          const skipped = Math.min(surplus, chunk.length);
          surplus -= skipped;
          const fresh = chunk.subarray(skipped, end === undefined ? undefined : skipped + end - at);
          at += fresh.length;
          if (fresh.length > 0) yield fresh;
          if (skipped + fresh.length < chunk.length) break; // more than was asked for
          waitsSince = performance.now(); // what took so long until here was not the store
        }
        ended = true;
      } catch {
        // Cut off, or no byte for too long: taken up again below.
      }
      if (end === undefined ? ended : at === end) return;
      const silent = performance.now() - waitsSince >= this.patience.stallMs / 2;
      futile = at - before >= (silent ? PROGRESS_BYTES : 1) ? 0 : futile + 1;
      const most = Math.min(this.patience.attempts, silent ? SILENT_ATTEMPTS : Number.POSITIVE_INFINITY);
      if (futile >= most || breaks >= MOST_BREAKS) {
        throw this.cannot(`its body breaks off at byte ${at}, again and again`);
      }
      await pause(futile);
    }
  }

  /** The bytes of a piece of one version, all at once. `answer`: one that came already. */
  async piece(etag: string, piece: Piece, answer?: Answer, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const length = piece.end - piece.start;
    answer ??= await this.#again(etag, piece, signal);
    const { ContentLength, ContentRange } = answer.facts;
    let rest: Answer | undefined = answer;
    if (ContentLength === length && (piece.start === 0 || isFrom(ContentRange, piece.start))) {
      try {
        return await answer.body.whole(length);
      } catch {
        rest = undefined; // Cut off: bit by bit, as far as each answer goes.
        signal?.throwIfAborted();
        await pause(1);
      }
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for await (const chunk of this.chunks(etag, piece, rest, signal)) {
      bytes.set(chunk, at);
      at += chunk.length;
      release(chunk);
    }
    return bytes;
  }

  async #again(etag: string, range: Range, signal: AbortSignal | undefined): Promise<Answer> {
    const answer = await this.#ask("GET", etag, range, signal);
    if (answer === undefined) throw this.cannot("it was removed while it was read");
    return answer;
  }

  /** One request; undefined where there is no object. */
  async #ask(method: "GET" | "HEAD", etag: string | undefined, range: Range, signal?: AbortSignal) {
    try {
      const answer = await this.bucket.get(method, this.key, etag, range, signal);
      if (etag === undefined || etag === unquoted(answer.facts.ETag)) return answer;
      answer.body.discard(); // the store does not know conditions
    } catch (error) {
      const { status, code, state } = faultOf(error, "s3:GetObject");
      if (status === 404 && code !== "NoSuchBucket") return undefined;
      if (status !== 412 && status !== 416) throw this.cannot(state);
    }
    throw this.changed(range.start);
  }

  /** `start`: how far it was read. */
  changed(start: number): Error {
    return this.cannot(`it changed ${start > 0 ? "while it was read" : "since it was listed"}. Run the command again`);
  }

  damaged(name: string): Error {
    const { message } = this.cannot(
      `its bytes do not match its ${name} checksum. Run the command again, or upload the object again`,
    );
    return this.bucket.PlaceError === InputError ? new DamagedInputError(message) : new this.bucket.PlaceError(message);
  }

  /** Throws where there has to be something to check the bytes against (P11), and is not. */
  requireChecksum(expected: Expected | undefined): void {
    if (!this.bucket.options.requireChecksum || expected !== undefined) return;
    throw this.cannot(
      "there is nothing to check its bytes against: no checksum over the whole object, and its ETag is no MD5. " +
        "Without --require-checksum it is read all the same",
    );
  }

  cannot(state: string): Error {
    return new this.bucket.PlaceError(`Cannot read ${this.bucket.urlOf(this.key)}: ${state}`);
  }
}

function isFrom(contentRange: string | undefined, start: number): boolean {
  return contentRange?.startsWith(`bytes ${start}-`) ?? false;
}
