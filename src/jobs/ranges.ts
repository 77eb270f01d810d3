// Objects that are read in ranges by several workers, put together again: their books, and what identifies their bytes.
import { InputError } from "../errors.ts";
import { addBooks, checkBalance, emptyBooks, type ObjectBooks } from "../pipeline/books.ts";
import type { Source } from "../storage/ports.ts";
import type { RawObject, Task } from "./plan.ts";

/** The books of each object once, from those of the tasks; an ETag is "" where the object was read in ranges. */
export function joinRanges(
  tasks: readonly Task[],
  books: readonly (readonly ObjectBooks[] | undefined)[],
): ObjectBooks[] {
  const all: ObjectBooks[] = [];
  for (const { index, range } of tasks) {
    for (const one of books[index] ?? []) {
      if (range === undefined) all.push(one);
      else if (range.start === 0) all.push(sum([one]));
      else all.push(sum([all.pop()!, one]));
    }
  }
  return all;
}

function sum(books: readonly [ObjectBooks, ...ObjectBooks[]]): ObjectBooks {
  const { key, size } = books[0];
  const joined = { ...emptyBooks(), key, size, etag: "" };
  for (const one of books) addBooks(joined, one);
  return joined;
}

/** What identifies the bytes of an object whose ranges several workers read: each sees a part of them only. */
export class WholeObject {
  #stopped = false;
  readonly #version: Promise<string>;
  readonly #etag: Promise<string>;

  /** To be made before the first range is read: begins to read the object, where its listing told no ETag. */
  constructor(
    private readonly source: Source,
    private readonly object: RawObject,
  ) {
    this.#version = source.ranges!.version(object.key);
    this.#etag = this.#version.then(() => object.etag ?? this.#readAll());
    this.#etag.catch(() => {}); // told when it is asked for
  }

  /**
   * Enters the ETag into the object's books, among all, and weighs them. To be called after the last range was read.
   * @throws {InputError} where the object is not what it was
   */
  async complete(all: readonly ObjectBooks[]): Promise<void> {
    const books = all.find(({ key }) => key === this.object.key)!;
    const url = this.source.urlOf(this.object.key);
    books.etag = await this.#etag;
    const isSame = (await this.#version) === (await this.source.ranges!.version(this.object.key));
    if (!isSame || books.storedBytes !== this.object.size) {
      throw new InputError(`Cannot use ${url}: it changed while it was read. Run the command again`);
    }
    checkBalance(url, books);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #readAll(): Promise<string> {
    const reader = this.source.open(this.object.key);
    for await (const _chunk of reader) if (this.#stopped) return "";
    return reader.etag();
  }
}
