// A place in memory: what tests read from and write to, with S3's habits where folders differ (ETags in listings, any key).

import { ConditionFailed, changedMeanwhile, InputError, InternalError } from "../errors.ts";
import { ContentHash } from "./content-hash.ts";
import { compareKeys, folderPrefix } from "./keys.ts";
import type { Expected, Listed, ObjectReader, Sink, Source, Upload } from "./ports.ts";

/** Both a source and a sink; `objects` may be looked at and changed. */
export interface MemoryPlace extends Source, Sink {
  readonly objects: Map<string, Uint8Array>;
}

/** @param chunkBytes how much a reader gives at once */
export function memoryPlace(contents: Record<string, string | Uint8Array> = {}, chunkBytes = 1 << 16): MemoryPlace {
  const objects = new Map<string, Uint8Array>();
  for (const [key, content] of Object.entries(contents)) objects.set(key, Buffer.from(content));
  const url = "memory:///";
  const urlOf = (key: string) => url + key;

  const listed = (key: string, bytes: Uint8Array): Listed => ({ key, size: bytes.length, etag: etagOf(bytes) });
  const below = (prefix: string): Listed[] =>
    [...objects]
      .filter(([key]) => key.startsWith(folderPrefix(prefix)))
      .map(([key, bytes]) => listed(key, bytes))
      .sort((a, b) => compareKeys(a.key, b.key));
  const create = async (key: string) => memoryUpload(objects, key, urlOf(key));

  return {
    objects,
    url,
    urlOf,
    create,
    async *list(prefix) {
      yield* below(prefix);
    },
    async folders(prefix) {
      const start = folderPrefix(prefix).length;
      const all = below(prefix);
      const nested = all.filter(({ key }) => key.includes("/", start));
      const folders = [...new Set(nested.map(({ key }) => key.slice(start, key.indexOf("/", start))))];
      return { folders, objects: all.filter(({ key }) => !key.includes("/", start)) };
    },
    async head(key) {
      const bytes = objects.get(key);
      return bytes && listed(key, bytes);
    },
    open: (key, expected) => memoryReader(() => objects.get(key), urlOf(key), chunkBytes, expected),
    ranges: {
      async *open({ key }, start) {
        const bytes = objects.get(key);
        if (bytes === undefined) throw missing(urlOf(key));
        const reader = memoryReader(() => bytes.subarray(start), urlOf(key), chunkBytes, undefined);
        for await (const chunk of reader) yield chunk;
      },
      async whole({ key }) {
        const version = (): string => {
          const bytes = objects.get(key);
          if (bytes === undefined) throw missing(urlOf(key));
          return etagOf(bytes);
        };
        const before = version();
        return {
          async confirm() {
            if (version() !== before) throw changedMeanwhile(urlOf(key));
          },
        };
      },
    },
    async etag({ key, etag }) {
      const bytes = objects.get(key);
      if (etag === undefined && bytes === undefined) throw missing(urlOf(key));
      return etag ?? etagOf(bytes!);
    },
    async read(key, last = Number.POSITIVE_INFINITY) {
      const bytes = objects.get(key);
      return bytes && { bytes: bytes.slice(Math.max(0, bytes.length - last)), etag: etagOf(bytes) };
    },
    async put(key, bytes, expected) {
      const upload = await create(key);
      await upload.write(bytes);
      return upload.commit(expected);
    },
    async remove(key, expected) {
      if (expected && objects.has(key)) refuseUnexpected(objects.get(key), expected, urlOf(key));
      objects.delete(key);
    },
    async honoursConditions() {
      return true;
    },
    async abortPending() {
      return 0;
    },
  };
}

function etagOf(bytes: Uint8Array): string {
  const hash = new ContentHash();
  hash.update(bytes);
  return hash.etag();
}

function missing(url: string): InputError {
  return new InputError(`Cannot read ${url}: it does not exist`);
}

/** Gives all chunks in one buffer, as files do, so that a test notices who keeps one too long. */
function memoryReader(
  content: () => Uint8Array | undefined,
  url: string,
  chunkBytes: number,
  expected: string | undefined,
): ObjectReader {
  let etag: string | undefined;
  return {
    async *[Symbol.asyncIterator]() {
      const bytes = content();
      if (bytes === undefined) throw missing(url);
      if (expected !== undefined && expected !== etagOf(bytes)) {
        throw new InputError(`Cannot read ${url}: it changed since it was listed. Run the command again`);
      }
      const buffer = new Uint8Array(chunkBytes);
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        const chunk = bytes.subarray(at, at + chunkBytes);
        buffer.set(chunk);
        yield buffer.subarray(0, chunk.length);
      }
      etag = etagOf(bytes);
    },
    etag() {
      if (etag === undefined) throw new InternalError(`Cannot tell the ETag of ${url}: it was not read to its end`);
      return etag;
    },
  };
}

function memoryUpload(objects: Map<string, Uint8Array>, key: string, url: string): Upload {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  let state: "writing" | "written" | "committed" | "aborted" = "writing";
  return {
    get byteLength() {
      return byteLength;
    },
    async write(bytes) {
      if (state !== "writing") throw new InternalError(`Cannot write ${url}: its writing has ended`);
      chunks.push(bytes.slice());
      byteLength += bytes.length;
    },
    async slice(start, end = byteLength) {
      state = "written";
      return new Uint8Array(Buffer.concat(chunks)).slice(start, end).buffer;
    },
    async commit(expected = "anything") {
      if (state === "committed" || state === "aborted") throw new InternalError(`Cannot commit ${url}: it is ${state}`);
      refuseUnexpected(objects.get(key), expected, url);
      const bytes = new Uint8Array(Buffer.concat(chunks));
      objects.set(key, bytes);
      state = "committed";
      return etagOf(bytes);
    },
    async abort() {
      if (state !== "committed") state = "aborted";
    },
  };
}

function refuseUnexpected(there: Uint8Array | undefined, expected: Expected, url: string): void {
  if (expected === "anything") return;
  if (expected === "nothing") {
    if (there) throw new ConditionFailed(`Cannot write ${url}: it exists already`);
  } else if (there === undefined || etagOf(there) !== expected.etag) {
    throw new ConditionFailed(`Cannot write ${url}: it is not what it was`);
  }
}
