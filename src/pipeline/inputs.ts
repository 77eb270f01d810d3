// The inputs of a task, or of tasks of several streams together: which object is read when, and for whom.
import { compareKeys } from "../storage/keys.ts";
import type { ObjectReader, Source } from "../storage/ports.ts";

/** One raw object to read; `etag` where the listing told it: another version of the object is not read. */
export interface Input {
  readonly key: string;
  readonly size: number;
  readonly etag?: string;
}

/** The inputs of all tasks in the order of their keys, each once; for whom, and which of that one's inputs it is. */
export function wantedInputs(lists: readonly (readonly Input[])[]) {
  const byKey = new Map<string, { input: Input; wanted: { run: number; index: number }[] }>();
  for (const [run, list] of lists.entries()) {
    for (const [index, input] of list.entries()) {
      const known = byKey.get(input.key) ?? { input, wanted: [] };
      known.wanted.push({ run, index });
      byKey.set(input.key, known);
    }
  }
  const inputs = [...byKey.values()];
  // Of one task the order is its own.
  return lists.length === 1 ? inputs : inputs.sort((a, b) => compareKeys(a.input.key, b.input.key));
}

/** So many objects, and bytes of them, are asked for before their turn: a request takes longer than a small object. */
const OBJECTS_AHEAD = 16;
const BYTES_AHEAD = 4 << 20;

/** The readers of all inputs, to be taken in their order. */
export function readersAhead(source: Source, inputs: readonly Input[]) {
  const readers: ObjectReader[] = [];
  let bytes = 0; // of objects that were asked for and not yet taken
  const open = (): ObjectReader => {
    const { key, etag, size } = inputs[readers.length]!;
    const reader = source.open(key, etag, size);
    readers.push(reader);
    return reader;
  };
  return {
    reader(index: number): ObjectReader {
      if (readers.length === index) open();
      else bytes -= inputs[index]!.size;
      while (readers.length < inputs.length && readers.length <= index + OBJECTS_AHEAD) {
        const { size } = inputs[readers.length]!;
        if (bytes + size > BYTES_AHEAD) break;
        bytes += size;
        open().prefetch?.();
      }
      const reader = readers[index]!;
      delete readers[index]; // with what it may hold
      return reader;
    },
  };
}
