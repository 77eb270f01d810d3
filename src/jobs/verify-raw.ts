// `derive verify --raw`: every raw byte that a manifest was made from, accounted for once more. Reads the raw objects; knows
// nothing of streams.

import { FormatError, InputError } from "../errors.ts";
import { Framer } from "../heka/frames.ts";
import { inflate } from "../heka/inflate.ts";
import { messageCheck } from "../heka/message.ts";
import type { Source } from "../storage/ports.ts";
import type { Generation, InputFacts, Manifest } from "./manifest.ts";
import type { Problem } from "./verify.ts";

/** What was found in the raw objects of one partition. Bytes but `listed` and `read` are those after decompression. */
export interface RawAccount {
  objects: number;
  listed: number;
  read: number;
  bytes: number;
  bytesInFrames: number;
  bytesDamaged: number;
  bytesBlank: number;
  frames: number;
  /** Rows that the manifest says were written. */
  rowsWritten: number;
}

export const RAW_COUNTS = [
  "objects",
  "listed",
  "read",
  "bytes",
  "bytesInFrames",
  "bytesDamaged",
  "bytesBlank",
  "frames",
  "rowsWritten",
] as const satisfies readonly (keyof RawAccount)[];

export interface RawVerified {
  readonly account: RawAccount;
  readonly problems: readonly Problem[];
  /** URLs of raw objects in the folders of those that the manifest holds, which it does not hold: they came later. */
  readonly later: readonly string[];
}

export function emptyAccount(): RawAccount {
  return Object.fromEntries(RAW_COUNTS.map((name) => [name, 0])) as unknown as RawAccount;
}

/** Reads all inputs of a manifest. What is wrong with one of them is a problem; `url` is that of the manifest. */
export async function verifyRaw(
  source: Source,
  manifest: Manifest,
  url: string,
  signal: AbortSignal,
): Promise<RawVerified> {
  const account = emptyAccount();
  const problems: Problem[] = [];
  for (const generation of manifest.generations) {
    const ofGeneration = emptyAccount();
    const before = problems.length;
    for (const input of generation.inputs) {
      const cause = await readInput(source, input, ofGeneration, signal);
      if (cause !== undefined) problems.push({ url: source.urlOf(input.key), cause });
    }
    ofGeneration.rowsWritten = generation.counts.written ?? 0;
    for (const name of RAW_COUNTS) account[name] += ofGeneration[name];
    // Where objects are missing or others than then, their counts differ too: that says nothing more.
    if (problems.length === before)
      problems.push(...differences(ofGeneration, generation).map((cause) => ({ url, cause })));
  }
  return { account, problems, later: await laterObjects(source, manifest) };
}

/** Adds what is in an object to the account. Gives what is wrong with it. */
async function readInput(
  source: Source,
  input: InputFacts,
  account: RawAccount,
  signal: AbortSignal,
): Promise<string | undefined> {
  const listed = await source.head(input.key);
  if (listed === undefined) return "missing: _SUCCESS was made from this raw object, and it is not there";
  if (listed.size !== input.size) return `changed: ${listed.size} bytes found, ${input.size} in _SUCCESS`;
  if (listed.etag !== undefined && listed.etag !== input.etag) {
    return `changed: ETag ${listed.etag} found, ${input.etag} in _SUCCESS`;
  }
  account.objects++;
  account.listed += listed.size;
  const reader = source.open(input.key, listed.etag);
  try {
    await frame(reader, account, signal);
    const etag = reader.etag();
    return etag === input.etag ? undefined : `changed: ETag ${etag} found, ${input.etag} in _SUCCESS`;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    if (error instanceof FormatError) return `cannot be decompressed: ${error.message} at offset ${error.offset}`;
    throw error;
  }
}

/** A loop without a pause would not see Ctrl-C. */
const PAUSE_EVERY_MS = 50;

async function frame(reader: AsyncIterable<Uint8Array>, account: RawAccount, signal: AbortSignal): Promise<void> {
  const framer = new Framer(messageCheck());
  const drain = (): void => {
    for (let span = framer.next(); span !== undefined; span = framer.next()) {
      if (span.kind === "blank") account.bytesBlank += span.length;
      else if (span.kind === "damaged") account.bytesDamaged += span.length;
      else {
        account.bytesInFrames += span.length;
        account.frames++;
      }
    }
  };
  const counted = async function* (): AsyncIterable<Uint8Array> {
    for await (const chunk of reader) {
      account.read += chunk.length;
      yield chunk;
    }
  };
  let paused = performance.now();
  for await (const chunk of inflate(counted())) {
    signal.throwIfAborted();
    account.bytes += chunk.length;
    framer.push(chunk);
    drain();
    if (performance.now() - paused < PAUSE_EVERY_MS) continue;
    await new Promise((resume) => setImmediate(resume));
    paused = performance.now();
  }
  framer.end();
  drain();
}

/** Where an account does not balance, or is not what the generation's books say. */
function differences(found: RawAccount, { counts }: Generation): string[] {
  const sides: (readonly [string, number, number | undefined, string])[] = [
    ["raw bytes", found.read, found.listed, "listed"],
    [
      "bytes in frames, damaged and blank",
      found.bytesInFrames + found.bytesDamaged + found.bytesBlank,
      found.bytes,
      "read",
    ],
    ...(["bytes", "bytesInFrames", "bytesDamaged", "bytesBlank", "frames"] as const).map(
      (name) => [name, found[name], counts[name], "in _SUCCESS"] as const,
    ),
  ];
  return sides
    .filter(([, left, right]) => left !== right)
    .map(([what, left, right, where]) => `raw: ${what}: ${left} found, ${right} ${where}`);
}

/** A folder that holds one input is one that was asked for: whatever else lies there came after the run had listed it. */
async function laterObjects(source: Source, { generations }: Manifest): Promise<string[]> {
  const known = new Set(generations.flatMap(({ inputs }) => inputs.map(({ key }) => key)));
  const folders = new Set([...known].map((key) => key.slice(0, key.lastIndexOf("/") + 1)));
  const later: string[] = [];
  for (const folder of folders) {
    const { objects } = await source.folders(folder);
    for (const { key } of objects) {
      const isHidden = key.slice(folder.length).startsWith(".") || key.endsWith("/");
      if (!known.has(key) && !isHidden) later.push(source.urlOf(key));
    }
  }
  return later;
}
