// The raw objects that paths on the command line name, and their spans: what `derive cat` reads.
import { FormatError, InputError } from "../errors.ts";
import { Framer, type Span } from "../heka/frames.ts";
import { inflate } from "../heka/inflate.ts";
import { messageCheck } from "../heka/message.ts";
import { findNamed } from "../storage/named.ts";
import { openSource } from "../storage/place.ts";
import type { S3Options } from "../storage/ports.ts";

export interface RawInput {
  /** An URL, or `-` for stdin. */
  readonly url: string;
  /** Bytes as stored; 0 where nobody knows. */
  readonly size: number;
  /** Whole, in chunks that are valid until the next one. */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * What `path` (a file, folder, glob, s3:// URL or `-`) names, in the order of keys. Throws InputError where that is nothing. Stdin
 * ends early when `signal` is aborted.
 */
export async function rawInputs(path: string, s3: S3Options, signal: AbortSignal): Promise<RawInput[]> {
  if (path === "-") return [{ url: "-", size: 0, open: () => readStdin(signal) }];
  const { place, objects } = await findNamed([path], { s3 });
  if (objects.length === 0) throw new InputError(`Cannot read ${path}: there is no file in it`);
  const source = openSource(place);
  return objects.map(({ key, size }) => ({ url: source.urlOf(key), size, open: () => source.open(key) }));
}

// Stdin may have nothing for hours, and Ctrl-C has to end the waiting too.
async function* readStdin(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = Bun.stdin.stream().getReader();
  const stop = (): void => void reader.cancel();
  signal.addEventListener("abort", stop);
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    signal.removeEventListener("abort", stop);
    await reader.cancel();
  }
}

/** Bytes before and after object-level decompression, counted while they pass. */
export interface BytesRead {
  storedBytes: number;
  bytes: number;
}

/** A loop without a pause would not see Ctrl-C. */
const PAUSE_EVERY_MS = 50;

/**
 * The spans of one object; each is valid until the next. Throws InputError when the object cannot be read or
 * decompressed to its end, after the spans of what could be.
 */
export async function* readSpans({ url, open }: RawInput, read: BytesRead): AsyncGenerator<Span> {
  const framer = new Framer(messageCheck());
  let paused = performance.now();
  let fault: FormatError | undefined;
  try {
    for await (const chunk of inflate(counted(open(), read))) {
      read.bytes += chunk.byteLength;
      framer.push(chunk);
      for (let span = framer.next(); span !== undefined; span = framer.next()) yield span;
      if (performance.now() - paused > PAUSE_EVERY_MS) {
        await new Promise((resume) => setImmediate(resume));
        paused = performance.now();
      }
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    fault = error;
  }
  framer.end();
  for (let span = framer.next(); span !== undefined; span = framer.next()) yield span;
  if (fault === undefined) return;
  throw new InputError(
    `Cannot decompress ${url} at offset ${fault.offset}: ${fault.message}. Upload or download it again`,
  );
}

async function* counted(chunks: AsyncIterable<Uint8Array>, read: BytesRead): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    read.storedBytes += chunk.byteLength;
    yield chunk;
  }
}
