// That the days of one dataset can be read as one table: a stream whose schema has changed incompatibly needs a new version.

import { compareSchemas } from "../avro/evolution.ts";
import { parseSchema } from "../avro/schema.ts";
import { ConflictError } from "../errors.ts";
import { compareKeys, folderPrefix } from "../storage/keys.ts";
import type { Sink } from "../storage/ports.ts";
import { MANIFEST, readManifest } from "./manifest.ts";
import type { StreamFacts } from "./streams.ts";

/**
 * Refuses to add partitions to others that readers could not read together with them. Held against the last of those that are
 * there: it was held against the ones before when it was written.
 * @param root the folder of the stream and its version
 * @param own prefixes of the partitions that the job writes: they may all be about to change
 * @throws {ConflictError} naming the columns
 */
export async function refuseIncompatible(
  sink: Pick<Sink, "list" | "read" | "urlOf">,
  root: string,
  own: ReadonlySet<string>,
  { name, version, schema }: StreamFacts,
): Promise<void> {
  const others: string[] = [];
  for await (const { key } of sink.list(root)) {
    if (!key.endsWith(`/${MANIFEST}`)) continue;
    const prefix = key.slice(0, -MANIFEST.length - 1);
    if (!own.has(prefix)) others.push(prefix);
  }
  const last = others.sort(compareKeys).at(-1);
  const before = last === undefined ? undefined : (await readManifest(sink, last))?.manifest.schema;
  if (before === undefined) return;
  const faults = compareSchemas(parseSchema(before), parseSchema(schema)).filter(({ compatible }) => !compatible);
  if (faults.length === 0) return;
  throw new ConflictError(
    `Cannot add to ${sink.urlOf(folderPrefix(root))}: readers could not read it together with ${sink.urlOf(folderPrefix(last!))}: ` +
      `${faults.map(({ path, says }) => `${path} ${says}`).join("; ")}. Raise the version of ${name} from ${version}, ` +
      "which gives it a folder of its own; `derive schema check` tells more",
  );
}
