// One file as output: it has no manifest, so what is there is compared with what was made.

import { ConditionFailed, ConflictError } from "../errors.ts";
import type { Books } from "../pipeline/books.ts";
import type { Sink, Source } from "../storage/ports.ts";
import { deriveWeighed } from "./derived-generations.ts";
import { PartWriter } from "./part.ts";
import type { PartitionEnd, PartitionWork } from "./partition.ts";

/**
 * Derives all objects into the file at `work.prefix`.
 * @param there reads the sink's place
 * @param books as in `runPartition`
 */
export async function runFile(work: PartitionWork, sink: Sink, there: Source, books: Books): Promise<PartitionEnd> {
  const key = work.prefix;
  const part = await PartWriter.create(sink, key, work.format);
  const interrupt = (): void => void part.abort().catch(() => {});
  work.signal.addEventListener("abort", interrupt);
  try {
    await deriveWeighed(work, work.objects, part, books);
    const facts = await part.finish();
    for (;;) {
      const old = await sink.head(key);
      const end = { parts: [facts], late: [] };
      if (old && (await sha256Of(there, key)) === facts.sha256) return { ...end, state: "unchanged" };
      if (old && work.onChange !== "replace") {
        throw new ConflictError(
          `Cannot write ${sink.urlOf(key)}: another file is there. To replace it: --on-change replace`,
        );
      }
      try {
        await part.commit(old?.etag === undefined ? "nothing" : { etag: old.etag });
        return { ...end, state: old ? "replaced" : "written" };
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error; // else another run was faster: look again
      }
    }
  } finally {
    work.signal.removeEventListener("abort", interrupt);
    await part.abort();
  }
}

async function sha256Of(source: Source, key: string): Promise<string | undefined> {
  if ((await source.head(key)) === undefined) return undefined;
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of source.open(key)) hash.update(chunk);
  return hash.digest("hex");
}
