// What every place promises (storage/ports.ts): one list of cases, run for memory and folders, and for S3 when it comes.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ConditionFailed, ConflictError, InputError, InternalError } from "../../src/errors.ts";
import { compareKeys } from "../../src/storage/keys.ts";
import type { Listed, Sink, Source } from "../../src/storage/ports.ts";

/** A fresh, empty place: what the sink commits, the source reads. */
export interface Place {
  readonly source: Source;
  readonly sink: Sink;
  /** False where the store does not go by the conditions of writes, and the sink has to look before them. */
  readonly conditional?: boolean;
}

const ODD_KEYS = [
  "a b/c+d/%20/é/日本/😀/x",
  "a.b/x",
  "a/x",
  "a/x.y/z",
  "a/x-/y",
  "aa/..b/...",
  'q?r#s/[t]*{u}/"v"\'w',
  "\uffee/x",
  "😀/x",
];

export function contract(name: string, fresh: () => Place): void {
  const filled = async (contents: Record<string, string>): Promise<Place> => {
    const place = fresh();
    for (const [key, text] of Object.entries(contents)) await place.sink.put(key, bytesOf(text));
    return place;
  };

  describe(`${name} as a source`, () => {
    test("lists everything below a folder in the order of UTF-8 bytes, keys as they are", async () => {
      const { source, sink } = await filled(Object.fromEntries([...ODD_KEYS].reverse().map((key) => [key, key])));
      const sorted = [...ODD_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const port of [source, sink]) {
        expect((await all(port.list(""))).map(({ key }) => key)).toEqual(sorted);
        const below = await all(port.list("a"));
        expect(below.map(({ key, size }) => ({ key, size }))).toEqual(
          ["a/x", "a/x-/y", "a/x.y/z"].map((key) => ({ key, size: key.length })),
        );
        expect(await all(port.list("a/"))).toEqual(below);
      }
      for (const key of ODD_KEYS) expect(textOf(await content(source.open(key)))).toBe(key);
    });

    test("an absent folder is empty, also below a file", async () => {
      const { source } = await filled({ "a/x": "1" });
      for (const prefix of ["b", "a/x", "a/x-/y", "aa/"]) {
        expect(await all(source.list(prefix))).toEqual([]);
        expect(await source.folders(prefix)).toEqual({ folders: [], objects: [] });
      }
    });

    test("one level: folders by name, and objects", async () => {
      const { source } = await filled({
        "p/b/1": "",
        "p/a.b/1": "",
        "p/a/1/2": "",
        "p/z": "zz",
        "p/a-": "",
        "q/1": "",
      });
      const level = await source.folders("p");
      expect(level.folders).toEqual(["a.b", "a", "b"].sort((a, b) => compareKeys(`${a}/`, `${b}/`)));
      expect(level.objects.map(({ key, size }) => [key, size])).toEqual([
        ["p/a-", 0],
        ["p/z", 2],
      ]);
      expect((await source.folders("")).folders).toEqual(["p", "q"]);
    });

    test("head tells of an object, never of a folder", async () => {
      const { source, sink } = await filled({ "a/x": "123" });
      for (const port of [source, sink]) {
        expect(await port.head("a/x")).toMatchObject({ key: "a/x", size: 3 });
        expect(await port.head("a")).toBeUndefined();
        expect(await port.head("a/")).toBeUndefined();
        expect(await port.head("b")).toBeUndefined();
      }
    });

    test("a missing object is an InputError that names its URL, when it is read", async () => {
      const { source } = fresh();
      const reader = source.open("no such/object");
      const error = await content(reader).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toBe(`Cannot read ${source.urlOf("no such/object")}: it does not exist`);
    });

    test("the ETag of a reader is that of the listing, known at the end only", async () => {
      const { source } = await filled({ x: "content", y: "content", z: "contenu", empty: "" });
      const etags: Record<string, string> = {};
      for (const listed of await all(source.list(""))) {
        const reader = source.open(listed.key);
        expect(() => reader.etag()).toThrow(InternalError);
        await content(reader);
        etags[listed.key] = reader.etag();
        expect(await source.etag(listed)).toBe(etags[listed.key]!);
      }
      expect(etags.x).toBe(etags.y!);
      expect(new Set(Object.values(etags)).size).toBe(3);
    });

    test("an object is read as the version that was listed, or not at all", async () => {
      const { source, sink } = await filled({ x: "one" });
      const [listed] = await all(source.list(""));
      expect(textOf(await content(source.open("x", listed!.etag)))).toBe("one");
      await sink.put("x", bytesOf("two"));
      if (listed!.etag === undefined) return; // folders: their ETags are known when the bytes are read
      const error = await content(source.open("x", listed!.etag)).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toContain(source.urlOf("x"));
    });

    test("an object may be read from any byte on, by several at once, and is told to be what it was or not", async () => {
      const { source, sink } = fresh();
      const large = new Uint8Array(2_500_001).map((_, i) => (i * 31) ^ (i >> 8));
      await sink.put("d/large", large);
      const { ranges } = source;
      const [listed] = await all(source.list(""));
      const starts = [0, 1, 1 << 20, 2_500_000, 2_500_001];
      const whole = await ranges.whole(listed!);
      const readers = starts.map((start) => ranges.open(listed!, start, { until: start + 9, sum: whole.sum }));
      const read = await Promise.all(readers.map(content));
      for (const [index, bytes] of read.entries()) expect(Buffer.compare(bytes, large.subarray(starts[index]))).toBe(0);
      const ends = [...starts.slice(1), large.length];
      const shares = await Promise.all(readers.map((reader, index) => reader.share?.(ends[index]!)));
      await whole.confirm(shares.flatMap((share) => share ?? []));
      await sink.put("d/large", bytesOf("another"));
      const [other] = await all(source.list(""));
      const none = { ...listed!, key: "none" };
      for (const [failing, url] of [
        [() => ranges.whole(listed!).then(() => whole.confirm([])), "d/large"],
        [() => ranges.whole({ ...other!, key: "none" }), "none"],
        [() => content(ranges.open(none, 5)), "none"],
      ] as const) {
        const error = await failing().catch((thrown) => thrown);
        expect(error).toBeInstanceOf(InputError);
        expect(error.message).toContain(source.urlOf(url));
      }
    });

    test("large objects come in chunks, every byte of them", async () => {
      const { source, sink } = fresh();
      const large = new Uint8Array(5_000_001).map((_, i) => (i * 31) ^ (i >> 8));
      await sink.put("large", large);
      let chunks = 0;
      const hash = new Bun.CryptoHasher("sha256");
      for await (const chunk of source.open("large")) {
        chunks++;
        hash.update(chunk);
        expect(chunk.length).toBeLessThanOrEqual(4 << 20);
      }
      expect(chunks).toBeGreaterThan(1);
      expect(hash.digest("hex")).toBe(new Bun.CryptoHasher("sha256").update(large).digest("hex"));
    });
  });

  describe(`${name} as a sink`, () => {
    test("an upload shows at its commit, whole, and can be read back before", async () => {
      const { source, sink } = fresh();
      const upload = await sink.create("d/x");
      const buffer = bytesOf("one ");
      await upload.write(buffer);
      buffer.fill(0);
      await upload.write(bytesOf("two"));
      expect(upload.byteLength).toBe(7);
      expect(textOf(new Uint8Array(await upload.slice(0)))).toBe("one two");
      expect(textOf(new Uint8Array(await upload.slice(2, 5)))).toBe("e t");
      expect(upload.write(bytesOf("late"))).rejects.toBeInstanceOf(InternalError);
      expect(await all(source.list(""))).toEqual([]);
      expect(await all(sink.list(""))).toEqual([]);
      expect(await sink.read("d/x")).toBeUndefined();
      await upload.commit();
      expect(textOf((await sink.read("d/x"))!.bytes)).toBe("one two");
      await upload.abort();
      expect(textOf((await sink.read("d/x"))!.bytes)).toBe("one two");
    });

    test("the last bytes of an object, all of a smaller one", async () => {
      const { sink } = fresh();
      const etag = await sink.put("d/x", bytesOf("one two"));
      const end = (await sink.read("d/x", 3))!;
      expect({ ...end, bytes: textOf(end.bytes) }).toEqual({ etag, bytes: "two" });
      for (const last of [7, 8, 1 << 20]) expect(textOf((await sink.read("d/x", last))!.bytes)).toBe("one two");
      expect(await sink.read("d/y", 3)).toBeUndefined();
    });

    test("a commit replaces, unless nothing is expected there", async () => {
      const { sink } = fresh();
      await sink.honoursConditions("");
      await sink.put("x", bytesOf("1"), "nothing");
      await sink.put("x", bytesOf("2"));
      const error = await sink.put("x", bytesOf("3"), "nothing").catch((thrown) => thrown);
      expect(error).toBeInstanceOf(ConflictError);
      expect(error.message).toContain(sink.urlOf("x"));
      expect(textOf((await sink.read("x"))!.bytes)).toBe("2");
      expect((await all(sink.list(""))).map(({ key }) => key)).toEqual(["x"]);
    });

    test("a write under an ETag replaces that object and no other", async () => {
      const { sink } = fresh();
      await sink.honoursConditions("");
      const first = await sink.put("d/x", bytesOf("1"), "nothing");
      expect((await sink.read("d/x"))!.etag).toBe(first);
      expect((await sink.head("d/x"))!.etag).toBe(first);
      expect((await all(sink.list(""))).map(({ etag }) => etag)).toEqual([first]);
      const second = await sink.put("d/x", bytesOf("2"), { etag: first });
      expect(second).not.toBe(first);
      const upload = await sink.create("d/x");
      await upload.write(bytesOf("3"));
      for (const [key, etag] of [
        ["d/x", first],
        ["d/y", second],
      ] as const) {
        const refused = await sink.put(key, bytesOf("3"), { etag }).catch((thrown) => thrown);
        expect(refused).toBeInstanceOf(ConditionFailed);
        expect(refused.message).toContain(sink.urlOf(key));
      }
      expect(await upload.commit({ etag: first }).catch((thrown) => thrown)).toBeInstanceOf(ConditionFailed);
      await upload.abort();
      expect(textOf((await sink.read("d/x"))!.bytes)).toBe("2");
      expect((await all(sink.list(""))).map(({ key }) => key)).toEqual(["d/x"]);
    });

    test("whether conditions are honoured is found out, and nothing stays behind from that", async () => {
      const { sink, conditional = true } = fresh();
      expect(await sink.honoursConditions("d")).toBe(conditional);
      expect(await sink.abortPending("d")).toBe(0);
      expect(await all(sink.list(""))).toEqual([]);
    });

    test("an aborted upload leaves nothing", async () => {
      const { source, sink } = fresh();
      const uploads = [await sink.create("d/e/x"), await sink.create("d/e/y"), await sink.create("d/f/z")];
      for (const upload of uploads) await upload.write(bytesOf("1"));
      await uploads[1]!.slice(0);
      for (const upload of uploads) await upload.abort();
      for (const upload of uploads) await upload.abort();
      expect(await all(source.list(""))).toEqual([]);
      expect(await source.folders("")).toEqual({ folders: [], objects: [] });
    });

    test("removing is done once or twice", async () => {
      const { sink } = await filled({ "d/x": "1" });
      await sink.remove("d/x");
      await sink.remove("d/x");
      await sink.remove("d/x", { etag: "gone" });
      await sink.remove("e/y");
      expect(await sink.head("d/x")).toBeUndefined();
    });

    test("removing one version spares another", async () => {
      const { sink } = await filled({ "d/x": "1" });
      const { etag } = (await sink.read("d/x"))!;
      const next = await sink.put("d/x", bytesOf("22"));
      await expect(sink.remove("d/x", { etag })).rejects.toBeInstanceOf(ConditionFailed);
      expect((await sink.head("d/x"))!.size).toBe(2);
      await sink.remove("d/x", { etag: next });
      expect(await sink.head("d/x")).toBeUndefined();
    });

    test("any content comes back", async () => {
      const { sink } = fresh();
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }), async (pieces) => {
          const upload = await sink.create("x");
          for (const piece of pieces) await upload.write(piece);
          await upload.commit();
          expect(Buffer.compare((await sink.read("x"))!.bytes, Buffer.concat(pieces))).toBe(0);
        }),
        { numRuns: 30 },
      );
    });
  });
}

export async function all(listing: AsyncIterable<Listed>): Promise<Listed[]> {
  return Array.fromAsync(listing);
}

export async function content(reader: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
