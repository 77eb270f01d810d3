// How a partition appears (P1, P3): parts wait as hidden temporaries until all are checked, `_SUCCESS` is written last.

import { ConflictError, InternalError } from "../errors.ts";
import type { Codec, EncodedRowGroup } from "../parquet/rowgroup.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Sink } from "../storage/ports.ts";
import { type InputRows, MANIFEST, type Manifest } from "./manifest.ts";
import { type PartFormat, PartWriter } from "./part.ts";
import type { PartFacts } from "./result.ts";

const EXTENSIONS: Record<Codec, string> = {
  zstd: ".zstd.parquet",
  snappy: ".snappy.parquet",
  gzip: ".gz.parquet",
  none: ".parquet",
};

const OUR_PART = /^part-\d+-\d{5,}(\.zstd|\.snappy|\.gz)?\.parquet$/;

/** "part-0-00000.zstd.parquet" */
export function partName(generation: number, index: number, codec: Codec): string {
  return `part-${generation}-${String(index).padStart(5, "0")}${EXTENSIONS[codec]}`;
}

/** What a commit adds to the parts. */
export interface CommitFacts {
  readonly stream: string;
  readonly streamVersion: number;
  readonly fingerprint: string;
  readonly inputs: readonly InputRows[];
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * The parts of one partition. Row groups come in the order of the plan; a part is cut between two of them before it would
 * exceed `maxPartBytes`. Nothing is to be seen until `commit`, and nothing is left of it after `abort`.
 *
 * The commit: remove `_SUCCESS` if there is one, rename every part in, remove parts of ours that are left from before, write
 * `_SUCCESS`. Killed anywhere between, the partition has no `_SUCCESS`, and the next run goes through the same steps.
 */
export class PartitionWriter {
  readonly #parts: PartWriter[] = [];
  readonly #prefix: string;

  /** @param prefix the partition's folder below the sink */
  constructor(
    private readonly sink: Sink,
    prefix: string,
    private readonly format: PartFormat & { readonly maxPartBytes: number },
  ) {
    this.#prefix = folderPrefix(prefix);
  }

  async add(group: EncodedRowGroup): Promise<void> {
    let part = this.#parts.at(-1);
    if (part && part.rows > 0 && part.size + group.bytes.byteLength > this.format.maxPartBytes) {
      await part.finish();
      part = undefined;
    }
    part ??= await this.#newPart();
    await part.add(group);
  }

  /** @returns the manifest written. A partition without rows has one part without rows. */
  async commit(facts: CommitFacts): Promise<Manifest> {
    if (this.#parts.length === 0) await this.#newPart();
    const parts: PartFacts[] = [];
    for (const part of this.#parts) parts.push(await part.finish());
    this.#balance(parts, facts.inputs);

    const { stream, streamVersion, fingerprint, inputs, counts } = facts;
    const manifest: Manifest = {
      format: 1,
      stream,
      streamVersion,
      fingerprint,
      generations: [{ generation: 0, fingerprint, inputs, parts, counts }],
    };
    await this.sink.remove(this.#prefix + MANIFEST);
    for (const part of this.#parts) await part.commit();
    await this.#removeSurplus(new Set(parts.map(({ key }) => key)));
    await this.sink.put(this.#prefix + MANIFEST, new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`));
    return manifest;
  }

  async abort(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) await part.abort();
  }

  async #newPart(): Promise<PartWriter> {
    const name = partName(0, this.#parts.length, this.format.codec);
    const part = await PartWriter.create(this.sink, this.#prefix + name, this.format, name);
    this.#parts.push(part);
    return part;
  }

  async #removeSurplus(committed: ReadonlySet<string>): Promise<void> {
    const surplus: string[] = [];
    for await (const { key } of this.sink.list(this.#prefix)) {
      const name = key.slice(this.#prefix.length);
      if (OUR_PART.test(name) && !committed.has(name)) surplus.push(key);
    }
    for (const key of surplus) await this.sink.remove(key);
  }

  /** P7: the rows in the footers are those that the inputs gave. */
  #balance(parts: readonly PartFacts[], inputs: readonly InputRows[]): void {
    const inParts = parts.reduce((sum, part) => sum + part.rows, 0);
    const ofInputs = inputs.reduce((sum, input) => sum + input.rows, 0);
    if (inParts !== ofInputs) {
      throw new InternalError(
        `Cannot commit ${this.sink.urlOf(this.#prefix)}: its inputs gave ${ofInputs} rows, its parts hold ${inParts}`,
      );
    }
  }
}

/**
 * Refuses a partition above or below one that is committed already (another `partitionBy` made it): readers of the upper
 * folder would see its rows twice.
 * @param root the folder of the derived stream, above which nothing is looked at
 * @throws {ConflictError}
 */
export async function refuseMixedLayouts(sink: Sink, root: string, prefix: string): Promise<void> {
  const own = folderPrefix(prefix) + MANIFEST;
  const others: string[] = [];
  for await (const { key } of sink.list(prefix)) if (key.endsWith(`/${MANIFEST}`) && key !== own) others.push(key);
  const base = folderPrefix(root);
  const segments = folderPrefix(prefix).slice(base.length).split("/").slice(0, -2);
  for (let depth = 0; depth <= segments.length; depth++) {
    const above = [...segments.slice(0, depth), MANIFEST].join("/");
    if (base + above !== own && (await sink.head(base + above))) others.push(base + above);
  }
  if (others.length === 0) return;
  throw new ConflictError(
    `Cannot write ${sink.urlOf(folderPrefix(prefix))}: ${sink.urlOf(others[0]!)} commits the same days partitioned otherwise. ` +
      "Choose another output, or remove that folder",
  );
}
