// Shared by the tests of the raw format: objects as bytes, cut into chunks, read into spans and messages.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Framer, type Span } from "../../src/heka/frames.ts";
import { inflate } from "../../src/heka/inflate.ts";
import { messageCheck } from "../../src/heka/message.ts";

/** Where the real files lie beside the repository, or undefined, said loudly. */
export const realFiles = findRealFiles();

function findRealFiles(): string | undefined {
  const folder = join(import.meta.dir, "../../../shared/data");
  if (existsSync(folder)) return folder;
  console.warn("SKIPPED: the tests on real files, because ../shared/data is missing");
  return undefined;
}

export function readReal(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(realFiles!, name)));
}

/** Chunks of a source that uses one buffer again and again, as readers of files do. */
export async function* reusedChunks(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    buffer.fill(0xee);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
  }
}

/** The object without its compression; where that is broken, what came out before, and the error. */
export async function inflateAll(bytes: Uint8Array, size = 1000): Promise<{ bytes: Uint8Array; error?: unknown }> {
  const out: Uint8Array[] = [];
  try {
    for await (const chunk of inflate(reusedChunks(bytes, size))) out.push(chunk.slice());
  } catch (error) {
    return { bytes: new Uint8Array(Buffer.concat(out)), error };
  }
  return { bytes: new Uint8Array(Buffer.concat(out)) };
}

/** The spans of an object given in chunks that end at `cuts`, and whose memory is lost after each; messages are copies. */
export function spansOf(bytes: Uint8Array, cuts: readonly number[] = [], messages = messageCheck()): Span[] {
  const framer = new Framer(messages);
  const spans: Span[] = [];
  const drain = (): void => {
    const fresh: Span[] = [];
    for (let span = framer.next(); span; span = framer.next()) fresh.push(span);
    // Copied only after all of the chunk's spans are there: that is how long views must last.
    for (const span of fresh) {
      spans.push(span.kind === "frame" ? { ...span, message: new Uint8Array(span.message) } : span);
    }
  };
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    const chunk = bytes.slice(from, cut);
    framer.push(chunk);
    drain();
    chunk.fill(0xee);
    from = cut;
  }
  framer.end();
  drain();
  return spans;
}

export function messagesOf(bytes: Uint8Array): Uint8Array[] {
  return spansOf(bytes).flatMap((span) => (span.kind === "frame" ? [span.message] : []));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
