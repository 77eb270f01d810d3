// MD5 and the SHAs on a thread of their own: over what is read they take longer than anything else, and nobody has to wait.

export type HashAlgorithm = "md5" | "sha1" | "sha256";

interface Job {
  /** Counts the jobs. */
  readonly ticket: number;
  /** Jobs of one run of bytes have the same. */
  readonly run: number;
  readonly algorithm: HashAlgorithm;
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  /** Whether the hash is wanted now. */
  readonly isLast: boolean;
  /** Whether the chunks are wanted back. */
  readonly areLent: boolean;
}

interface Done {
  readonly ticket: number;
  readonly hash?: Uint8Array;
  readonly chunks?: readonly Uint8Array<ArrayBuffer>[];
}

interface Scope {
  onmessage: (event: { data: Job }) => void;
  postMessage(done: Done, transfer: ArrayBuffer[]): void;
}

/** What the thread runs: it gets the text of this, which may use nothing around it. */
function hashing(): void {
  const scope = globalThis as unknown as Scope;
  const hashes = new Map<number, Bun.CryptoHasher>();
  scope.onmessage = ({ data: { ticket, run, algorithm, chunks, isLast, areLent } }) => {
    const hash = hashes.get(run) ?? new Bun.CryptoHasher(algorithm);
    for (const chunk of chunks) hash.update(chunk);
    if (isLast) hashes.delete(run);
    else hashes.set(run, hash);
    const buffers = chunks.map(({ buffer }) => buffer);
    if (!areLent) for (const buffer of buffers) buffer.transfer(0); // at once: the collector would come too late
    const done = { ticket, ...(isLast && { hash: hash.digest() }), ...(areLent && { chunks }) };
    scope.postMessage(done, areLent ? buffers : []);
  };
}

let thread: Worker | undefined;
let tickets = 0;
let runs = 0;
const waiting = new Map<number, { resolve(done: Done): void; reject(error: Error): void }>();

function ask(job: Omit<Job, "ticket">): Promise<Done> {
  const ticket = ++tickets;
  const { promise, resolve, reject } = Promise.withResolvers<Done>();
  waiting.set(ticket, { resolve, reject });
  promise.catch(() => {}); // told to whoever waits for it
  thread ??= start();
  thread.ref(); // until it has answered the program goes on
  thread.postMessage(
    { ...job, ticket },
    job.chunks.map(({ buffer }) => buffer),
  );
  return promise;
}

function start(): Worker {
  const url = URL.createObjectURL(new Blob([`(${hashing})()`], { type: "application/javascript" }));
  const started = new Worker(url, { smol: true });
  started.onmessage = ({ data }: { data: Done }) => {
    waiting.get(data.ticket)?.resolve(data);
    waiting.delete(data.ticket);
    if (waiting.size === 0) started.unref();
  };
  started.onerror = () => {
    thread = undefined;
    started.terminate();
    for (const { reject } of waiting.values()) reject(new Error("the thread that checks bytes has ended"));
    waiting.clear();
  };
  return started;
}

/** Chunks are small: so many bytes of them are one job. */
const JOB_BYTES = 1 << 20;

/** So many jobs may wait for the thread. */
const JOBS = 2;

/** The hash of one run of bytes. */
export class HashBeside {
  readonly #run = ++runs;
  readonly #jobs: Promise<Done>[] = [];
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #hasEnded = false;

  constructor(private readonly algorithm: HashAlgorithm) {}

  /** Takes a chunk over, with its memory. */
  async take(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#chunks.push(chunk.buffer.byteLength === chunk.byteLength ? chunk : chunk.slice());
    this.#bytes += chunk.byteLength;
    if (this.#bytes < JOB_BYTES) return;
    this.#jobs.push(this.#ask(false));
    if (this.#jobs.length > JOBS) await this.#jobs.shift();
  }

  async digest(): Promise<Uint8Array> {
    this.#hasEnded = true;
    return (await this.#ask(true)).hash!;
  }

  /** Ends it without a hash. */
  close(): void {
    if (!this.#hasEnded && this.#jobs.length > 0) this.#ask(true);
    this.#hasEnded = true;
  }

  #ask(isLast: boolean): Promise<Done> {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return ask({ run: this.#run, algorithm: this.algorithm, chunks, isLast, areLent: false });
  }
}

/** The hash of bytes that are lent to the thread, and the bytes again: those given are gone. */
export async function hashOf(
  algorithm: HashAlgorithm,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ hash: Uint8Array; bytes: Uint8Array<ArrayBuffer> }> {
  const { hash, chunks } = await ask({ run: ++runs, algorithm, chunks: [bytes], isLast: true, areLent: true });
  return { hash: hash!, bytes: chunks![0]! };
}
