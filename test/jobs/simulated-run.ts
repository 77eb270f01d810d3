// A run of one partition for the simulation: src/jobs' own code over a given store, with rows that are letters of raw objects.

import type { OnChange } from "../../src/jobs/change.ts";
import type { CommitStore } from "../../src/jobs/commit.ts";
import type { InputFacts } from "../../src/jobs/manifest.ts";
import { type PartitionEnd, type PartitionWork, runPartition } from "../../src/jobs/partition.ts";
import { emptyBooks, type ObjectBooks } from "../../src/pipeline/books.ts";
import { compareKeys } from "../../src/storage/keys.ts";
import { FORMAT, group } from "./text-parts.ts";

/** What a run is asked for. */
export interface Asked {
  /** Raw objects as the run lists them: key to content, each letter of which is a row. */
  readonly raw: Readonly<Record<string, string>>;
  /** Stands for the stream and all options: another gives other rows. */
  readonly stream: string;
  readonly onChange: OnChange;
  readonly forceUnlock?: boolean;
}

export const PREFIX = "out/day";

/**
 * Runs to the end.
 * @param now what lies in the source by now, where that is not what the run has listed
 */
export function run(asked: Asked, store: CommitStore, now = asked.raw): Promise<PartitionEnd> {
  return runPartition(workOf(asked, store, now), emptyBooks());
}

export function workOf(asked: Asked, store: CommitStore, now: Asked["raw"]): PartitionWork {
  const listedOf = (key: string, content: string) => ({
    key,
    size: content.length,
    etag: Bun.hash(content).toString(16),
  });
  const listed = Object.entries(asked.raw).map(([key, content]) => listedOf(key, content));
  return {
    store,
    source: {
      head: async (key) => (now[key] === undefined ? undefined : listedOf(key, now[key])),
      etag: async ({ key, etag }) => etag ?? listedOf(key, now[key]!).etag,
    },
    prefix: PREFIX,
    url: store.urlOf(`${PREFIX}/`),
    root: "out",
    stream: "S",
    streamVersion: 1,
    objects: listed.sort((a, b) => compareKeys(a.key, b.key)),
    listsAll: false,
    onChange: asked.onChange,
    forceUnlock: asked.forceUnlock ?? false,
    maxErrors: { count: 0, fraction: 0 },
    format: FORMAT,
    signal: new AbortController().signal,
    lanes: 1,
    originOf: async () => undefined,
    fingerprint: (inputs) => fingerprint(asked.stream, inputs),
    async derive(objects, writer) {
      const books: ObjectBooks[] = [];
      for (const { key } of objects) {
        const content = now[key] ?? asked.raw[key]!;
        const rows = asked.stream + content;
        await writer.add(group(rows));
        books.push({ ...emptyBooks(), ...listedOf(key, content), objects: 1, written: rows.length });
      }
      return books;
    },
  };
}

function fingerprint(stream: string, inputs: readonly InputFacts[]): string {
  const facts = inputs.map(({ key, size, etag }) => `${key} ${size} ${etag}`).sort();
  return new Bun.CryptoHasher("sha256").update(JSON.stringify([stream, facts])).digest("hex");
}
