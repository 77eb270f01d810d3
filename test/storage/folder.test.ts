// Folders keep the promises of the ports, and those that only files can break.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError, OutputError } from "../../src/errors.ts";
import { folderSink, folderSource } from "../../src/storage/folder.ts";
import { all, bytesOf, content, contract, textOf } from "./contract.ts";

const made: string[] = [];
const freshFolder = (): string => {
  made.push(mkdtempSync(join(tmpdir(), "derive-test-")));
  return made.at(-1)!;
};
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

contract("a folder", () => {
  const root = join(freshFolder(), "place 100%");
  return { source: folderSource(root), sink: folderSink(root) };
});

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

describe("a folder to read", () => {
  test("URLs are escaped, keys are not", () => {
    const source = folderSource("/a b");
    expect(source.url).toBe("file:///a%20b/");
    expect(source.urlOf("x#1/é")).toBe("file:///a%20b/x%231/%C3%A9");
  });

  test("keys that would leave the folder are refused", async () => {
    const root = freshFolder();
    writeFileSync(join(root, "secret"), "1");
    mkdirSync(join(root, "raw"));
    const source = folderSource(join(root, "raw"));
    for (const key of ["../secret", "a/../../secret", "/etc/passwd", "./x", "a//b", "a\0b"]) {
      expect(() => source.open(key)).toThrow(InputError);
      expect(await failure(all(source.list(key)))).toBeInstanceOf(InputError);
      expect(await failure(source.head(key))).toBeInstanceOf(InputError);
    }
    const sink = folderSink(join(root, "raw"));
    expect(await failure(sink.create("../x"))).toBeInstanceOf(OutputError);
    expect(await failure(sink.remove("../secret"))).toBeInstanceOf(OutputError);
    expect(existsSync(join(root, "secret"))).toBe(true);
  });

  test("a file instead of a folder is an error, not an empty place", async () => {
    const file = join(freshFolder(), "x.heka");
    writeFileSync(file, "1");
    for (const prefix of ["", "telemetry/"]) {
      const error = await failure(all(folderSource(file).list(prefix)));
      expect(error).toBeInstanceOf(InputError);
      expect(error.message).toEndWith("x.heka/: it is a file, not a folder");
    }
  });

  test("chunks are read into memory that is lent, as long as there is some, and the ETag is the same", async () => {
    const root = freshFolder();
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const object = Buffer.concat(Array.from({ length: 57 }, () => bytes));
    writeFileSync(join(root, "x"), object);
    const plain = folderSource(root).open("x");
    expect(await content(plain)).toEqual(new Uint8Array(object));

    const reader = folderSource(root).open("x");
    const memory = new Uint8Array(8 << 20);
    let lent = 0;
    let chunks = 0;
    reader.readInto?.((size) => (lent > 2 << 20 ? undefined : memory.subarray(lent, lent + size)));
    for await (const chunk of reader) {
      const isLent = chunk.buffer === memory.buffer;
      expect(isLent).toBe(lent <= 2 << 20);
      if (isLent) expect(chunk.byteOffset).toBe(lent);
      lent += chunk.length;
      chunks++;
    }
    expect(chunks).toBe(4);
    expect(lent).toBe(object.length);
    expect(Buffer.compare(memory.subarray(0, 3 << 20), object.subarray(0, 3 << 20))).toBe(0);
    expect(reader.etag()).toBe(plain.etag());
  });

  test("a folder that is opened as an object is an error", async () => {
    const root = freshFolder();
    mkdirSync(join(root, "d"));
    const error = await failure(content(folderSource(root).open("d")));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toEndWith("/d: it is a folder");
  });

  test("links are followed, to files and folders; those that lead nowhere or in a circle are errors", async () => {
    const root = freshFolder();
    mkdirSync(join(root, "real/deep"), { recursive: true });
    writeFileSync(join(root, "real/deep/x"), "12");
    const linked = freshFolder();
    symlinkSync(join(root, "real"), join(linked, "folder"));
    symlinkSync(join(root, "real/deep/x"), join(linked, "file"));
    expect(await all(folderSource(linked).list(""))).toEqual([
      { key: "file", size: 2 },
      { key: "folder/deep/x", size: 2 },
    ]);

    symlinkSync(join(root, "real"), join(root, "real/deep/up"));
    expect((await failure(all(folderSource(root).list("")))).message).toContain("leads back to a folder that holds it");
    rmSync(join(root, "real/deep/up"));
    symlinkSync(join(root, "nothing"), join(root, "dangling"));
    const error = await failure(all(folderSource(root).list("")));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toEndWith("/dangling: it does not exist");
  });

  test("two links into each other's folders end in an error", async () => {
    const root = freshFolder();
    mkdirSync(join(root, "a"));
    mkdirSync(join(root, "b"));
    symlinkSync(join(root, "b"), join(root, "a/to-b"));
    symlinkSync(join(root, "a"), join(root, "b/to-a"));
    expect(await failure(all(folderSource(root).list("")))).toBeInstanceOf(InputError);
  });

  test("what is unreadable is an InputError", async () => {
    if (process.getuid?.() === 0) return console.warn("skipped: root may read everything");
    const root = freshFolder();
    mkdirSync(join(root, "d"));
    writeFileSync(join(root, "x"), "1");
    chmodSync(join(root, "d"), 0);
    chmodSync(join(root, "x"), 0);
    expect((await failure(all(folderSource(root).list("d")))).message).toEndWith("/d/: permission denied");
    expect((await failure(content(folderSource(root).open("x")))).message).toEndWith("/x: permission denied");
    chmodSync(join(root, "d"), 0o700);
  });

  test("reading lets timers in", async () => {
    const root = freshFolder();
    writeFileSync(join(root, "x"), new Uint8Array(5 << 20));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for await (const _chunk of folderSource(root).open("x")) Bun.sleepSync(60);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(1);
  });
});

describe("a folder to write", () => {
  test("temporaries are hidden, beside their target, and not listed", async () => {
    const root = freshFolder();
    const upload = await folderSink(root).create("d/x");
    await upload.write(bytesOf("1"));
    expect(readdirSync(join(root, "d"))).toEqual([expect.stringMatching(/^\.derive-.*\.tmp$/)]);
    expect(await all(folderSource(root).list(""))).toEqual([]);
    await upload.commit();
    expect(readdirSync(join(root, "d"))).toEqual(["x"]);
  });

  test("an abandoned upload leaves no folders of its own, and those of others", async () => {
    const root = freshFolder();
    mkdirSync(join(root, "theirs"));
    for (const key of ["theirs/mine/deep/x", "theirs/y"]) {
      const upload = await folderSink(root).create(key);
      await upload.abort();
    }
    expect(readdirSync(root, { recursive: true })).toEqual(["theirs"]);
  });

  test("P3: what a killed process left is removed, what a running one writes is not", async () => {
    const root = freshFolder();
    const killed = Bun.spawnSync({
      cmd: [
        process.execPath,
        "-e",
        `const { folderSink } = await import(${JSON.stringify(join(import.meta.dir, "../../src/storage/folder.ts"))});
         const upload = await folderSink(${JSON.stringify(root)}).create("d/x");
         await upload.write(new Uint8Array(10));
         process.kill(process.pid, "SIGKILL");`,
      ],
    });
    expect(killed.signalCode).toBe("SIGKILL");
    expect(readdirSync(join(root, "d"))).toHaveLength(1);
    const running = await folderSink(root).create("d/x");
    const again = await folderSink(root).create("d/x");
    expect(readdirSync(join(root, "d"))).toHaveLength(2);
    await running.write(bytesOf("first"));
    await running.commit();
    await again.abort();
    expect(readdirSync(join(root, "d"))).toEqual(["x"]);
  });

  test("many uploads can wait for their commit: they hold no files open", async () => {
    const sink = folderSink(freshFolder());
    const uploads = [];
    const open = () => readdirSync("/proc/self/fd").length;
    const before = existsSync("/proc/self/fd") ? open() : undefined;
    for (let i = 0; i < 300; i++) {
      const upload = await sink.create(`x${i}`);
      await upload.write(bytesOf(String(i)));
      expect(textOf(new Uint8Array(await upload.slice(0)))).toBe(String(i));
      uploads.push(upload);
    }
    if (before !== undefined) expect(open()).toBeLessThan(before + 20);
    for (const upload of uploads) await upload.commit();
    expect(await all(sink.list(""))).toHaveLength(300);
  });

  test("a folder or a file in the way is an OutputError that names the URL, and nothing is left", async () => {
    const root = freshFolder();
    mkdirSync(join(root, "x"));
    writeFileSync(join(root, "file"), "1");
    const sink = folderSink(root);
    for (const key of ["x", "file/x"]) {
      const error = await failure(sink.put(key, bytesOf("1")));
      expect(error).toBeInstanceOf(OutputError);
      expect(error.message).toStartWith(`Cannot write ${sink.urlOf(key)}: `);
    }
    expect(readdirSync(root).sort()).toEqual(["file", "x"]);
  });
});
