// The generations that one run of a partition has derived: kept while other runs are faster, for the next look may ask for them again.

import { BudgetError, DamagedInputError, InputError } from "../errors.ts";
import { addBooks, type Books, COUNTS, emptyBooks, type ObjectBooks, weighErrors } from "../pipeline/books.ts";
import { FaultyInput } from "../pipeline/deriving.ts";
import { GenerationWriter } from "./generation.ts";
import type { Generation, InputFacts } from "./manifest.ts";
import type { PartitionWork } from "./partition.ts";
import type { RawObject } from "./plan.ts";

/** A generation that may have to be derived. Without a fingerprint its objects are identified while they are read. */
export interface ToDerive {
  readonly generation: number;
  readonly fingerprint?: string;
  readonly inputs: readonly RawObject[];
}

/** A generation whose parts are finished, and not committed. */
export interface Derived {
  readonly writer: GenerationWriter;
  readonly facts: Generation;
  readonly books: Books;
}

const READINGS = 2;

export class DerivedGenerations {
  #derived: Derived[] = [];
  #writing: GenerationWriter | undefined;
  /** The listed objects as they were read, once they were. */
  inputs: readonly InputFacts[] | undefined;

  /** @param books get the books of all that was derived and not dropped again */
  constructor(
    private readonly work: PartitionWork,
    private readonly books: Books,
  ) {}

  /** Drops what is not asked for any more, and parts that have appeared: those cannot appear again. */
  async keepOnly(planned: readonly ToDerive[]): Promise<void> {
    const all = this.#derived;
    this.#derived = all.filter(
      (one) => planned.some((asked) => isFor(one, asked)) && !one.writer.parts.some(({ committed }) => committed),
    );
    for (const one of all) if (!this.#derived.includes(one)) await one.writer.abort();
    Object.assign(this.books, emptyBooks());
    for (const { books } of this.#derived) addBooks(this.books, books);
  }

  /**
   * Derives a generation, unless it was derived already.
   * @throws {BudgetError} {InputError}
   */
  async make(planned: ToDerive): Promise<Derived> {
    const known = this.#derived.find((one) => isFor(one, planned));
    if (known) return known;
    const { work } = this;
    const { writer, books, objects } = await this.#derive(planned);
    const identified = objects.map(({ key, size, etag }) => ({ key, size, etag }));
    if (planned.inputs === work.objects) this.inputs = identified;
    const fingerprint = work.fingerprint(identified);
    if (planned.fingerprint !== undefined && planned.fingerprint !== fingerprint) {
      throw new InputError(
        `Cannot commit ${work.url}: raw objects changed while they were read. Run the command again`,
      );
    }
    const inputs = objects.map(({ key, size, etag, written }) => ({ key, size, etag, rows: written }));
    const counts = Object.fromEntries(COUNTS.map((name) => [name, books[name]]));
    const causes = { filteredBy: withoutPlaces(books.filteredBy), failures: withoutPlaces(books.failures) };
    const derived = { writer, facts: await writer.finish({ fingerprint, inputs, counts, ...causes }), books };
    this.#derived.push(derived);
    this.#writing = undefined;
    return derived;
  }

  /** Bytes that were damaged on their way are read once more, all of them: rows that were made of them are in the writer. */
  async #derive({ generation, inputs }: ToDerive) {
    const { work } = this;
    for (let reading = 1; ; reading++) {
      const writer = new GenerationWriter(work.store, work.prefix, generation, work.format);
      this.#writing = writer;
      const books = emptyBooks();
      try {
        const objects = await deriveWeighed(work, inputs, writer, books).finally(() => addBooks(this.books, books));
        return { writer, books, objects };
      } catch (error) {
        if (reading === READINGS || work.signal.aborted || !(error instanceof DamagedInputError)) throw error;
        await writer.abort();
      }
    }
  }

  /** Leaves nothing of what is not committed. */
  async abort(): Promise<void> {
    await this.#writing?.abort();
    for (const { writer } of this.#derived) await writer.abort();
  }
}

/**
 * Derives objects and weighs their errors (P8).
 * @param books get the books of all that was read, also where this throws
 * @throws {BudgetError} {InputError}
 */
export async function deriveWeighed(
  work: Pick<PartitionWork, "derive" | "url" | "maxErrors">,
  inputs: readonly RawObject[],
  writer: Parameters<PartitionWork["derive"]>[1],
  books: Books,
): Promise<ObjectBooks[]> {
  const objects = await work.derive(inputs, writer).catch((error) => {
    if (error instanceof FaultyInput) for (const object of error.books) addBooks(books, object);
    throw error;
  });
  weighBooks(books, objects, work);
  return objects;
}

/** Adds up the books of objects and weighs their errors (P8). */
export function weighBooks(
  books: Books,
  objects: readonly ObjectBooks[],
  { url, maxErrors }: Pick<PartitionWork, "url" | "maxErrors">,
): void {
  for (const object of objects) addBooks(books, object);
  const { errors, within } = weighErrors(books, maxErrors);
  if (within) return;
  const [what, are] = errors === 1 ? ["error", "is"] : ["errors", "are"];
  throw new BudgetError(
    `Cannot commit ${url}: ${errors} ${what} in ${books.frames + books.damagedRanges} frames and damaged ranges ${are} more than --max-errors allows. ` +
      "The report tells causes and places; mend the stream, or raise --max-errors",
  );
}

/**
 * Causes as `_SUCCESS` has them. A stream that is compiled in does not know its lines, and must commit the same bytes as from
 * its file.
 */
function withoutPlaces(causes: Readonly<Record<string, number>>): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [cause, times] of Object.entries(causes)) {
    const name = cause.replace(/ at [^ ]+:\d+$/, "");
    sums.set(name, (sums.get(name) ?? 0) + times);
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isFor({ facts }: Derived, { generation, fingerprint }: ToDerive): boolean {
  return facts.generation === generation && facts.fingerprint === fingerprint;
}
