// Objects that are read in ranges by several workers, put together again: their books, and what identifies their bytes.
import { changedMeanwhile } from "../errors.ts";
import { addBooks, checkBalance, emptyBooks, type ObjectBooks } from "../pipeline/books.ts";
import type { RangeEnds } from "../pipeline/range.ts";
import type { Source, Whole } from "../storage/ports.ts";
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
  const { key, size, etag } = books[0];
  const joined = { ...emptyBooks(), key, size, etag };
  for (const one of books) addBooks(joined, one);
  return joined;
}

/** What is known of an object whose ranges several workers read: each sees a part of its bytes only. */
export class WholeObject {
  #stopped = false;
  readonly #etag: Promise<string>;

  /** Begins to read the object, where its listing told no ETag. */
  private constructor(
    private readonly source: Source,
    private readonly object: RawObject,
    private readonly whole: Whole,
    /** One worker reads all ranges, each byte once. */
    readonly isReadInOneGo: boolean,
  ) {
    const isRead = object.etag !== undefined || isReadInOneGo;
    this.#etag = isRead ? Promise.resolve(object.etag ?? "") : this.#readAll();
    this.#etag.catch(() => {}); // told when it is asked for
  }

  /** To be made before the first range is read. */
  static async of(source: Source, object: RawObject, workers: number): Promise<WholeObject> {
    const whole = await source.ranges.whole(object);
    return new WholeObject(source, object, whole, whole.isIndivisible || workers === 1);
  }

  get sum(): string | undefined {
    return this.whole.sum;
  }

  /**
   * Enters the ETag into the object's books, among all, and weighs them. To be called after the last range was read.
   * @param ends of the object's ranges
   * @throws {InputError} where the object is not what it was, {DamagedInputError} where its bytes are not what the place has
   */
  async complete(all: readonly ObjectBooks[], ends: readonly (RangeEnds | undefined)[]): Promise<void> {
    const books = all.find(({ key }) => key === this.object.key)!;
    if (books.etag !== "") return; // one reader has read all of it, and checked it
    const url = this.source.urlOf(this.object.key);
    books.etag = await this.#etag;
    await this.whole.confirm(ends.flatMap((one) => one?.share ?? []));
    if (books.storedBytes !== this.object.size) throw changedMeanwhile(url);
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
