// For the tests: what a stream makes of an object with the kernel, and without it.
import { expect } from "bun:test";
import { parseSchema } from "../../src/avro/schema.ts";
import { BUILTIN_WORDS } from "../../src/pipeline/causes.ts";
import type { LoadedStream } from "../../src/pipeline/load.ts";
import { runTask, type TaskSpec } from "../../src/pipeline/task.ts";
import { memoryPlace } from "../../src/storage/memory.ts";
import type { DerivedStream } from "../../src/stream.ts";

function load(definition: DerivedStream): LoadedStream {
  const literal = definition.schema("Test");
  return { name: "Test", definition, literal, schema: parseSchema(literal), words: BUILTIN_WORDS };
}

async function run(raw: Uint8Array, stream: LoadedStream, kernel: "on" | "off", chunk: number, strict: boolean) {
  process.env.DERIVE_KERNEL = kernel;
  const groups: unknown[] = [];
  const spec: TaskSpec = {
    stream: { builtin: "Test" },
    place: "memory:///",
    inputs: [{ key: "o", size: raw.length }],
    codec: "none",
    strict,
  };
  const events = { rowGroup: (group: unknown) => groups.push(group), message() {}, progress() {} };
  try {
    return { books: await runTask(spec, memoryPlace({ o: raw }, chunk), stream, events), groups };
  } catch (error) {
    return { error: String(error), groups };
  }
}

/** The variable DERIVE_KERNEL is to be set back afterwards. */
export async function expectSame(raw: Uint8Array, definition: DerivedStream, chunk = 1 << 20, strict = false) {
  const stream = load(definition);
  const plain = await run(raw, stream, "off", chunk, strict);
  expect(await run(raw, stream, "on", chunk, strict)).toEqual(plain);
  return plain;
}

/**
 * `expectSame` of what `make` gives for each seed, as many as there is time for. Broken objects must have something undecodable in
 * them, and others nothing, so that both are tried.
 */
export async function expectSameOfSeeds(
  seeds: number,
  isBroken: boolean,
  make: (seed: number) => { raw: Uint8Array; definition: DerivedStream },
): Promise<void> {
  const until = performance.now() + 4_000;
  const told = { written: 0, undecodable: 0 };
  for (let seed = 0; seed < seeds && performance.now() < until; seed++) {
    try {
      const { raw, definition } = make(seed);
      const { books } = await expectSame(raw, definition);
      told.written += books![0]!.written;
      told.undecodable += books![0]!.undecodable;
    } catch (error) {
      throw new Error(`seed ${seed}: ${error}`);
    }
  }
  expect(told.written).toBeGreaterThan(0);
  expect(told.undecodable > 0).toBe(isBroken);
}
