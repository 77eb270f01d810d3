// The parts of one generation: row groups in, cut into parts, and all of it unseen until the commit.

import { InternalError } from "../errors.ts";
import type { EncodedRowGroup } from "../parquet/rowgroup.ts";
import { folderPrefix } from "../storage/keys.ts";
import type { Sink } from "../storage/ports.ts";
import { partName } from "./layout.ts";
import type { Generation, InputRows } from "./manifest.ts";
import { type PartFormat, PartWriter } from "./part.ts";
import type { PartFacts } from "./result.ts";

/** What `_SUCCESS` says of a generation besides its parts. */
export type GenerationFacts = Omit<Generation, "generation" | "parts">;

/**
 * Row groups come in the order of the plan; a part is cut between two of them before it would exceed `maxPartBytes`.
 * Nothing is to be seen before the parts are committed, and nothing is left of it after `abort`.
 */
export class GenerationWriter {
  readonly #parts: PartWriter[] = [];
  readonly #prefix: string;

  /** @param prefix the partition's folder below the sink */
  constructor(
    private readonly sink: Pick<Sink, "create" | "urlOf">,
    prefix: string,
    readonly generation: number,
    private readonly format: PartFormat & { readonly maxPartBytes: number },
  ) {
    this.#prefix = folderPrefix(prefix);
  }

  get parts(): readonly PartWriter[] {
    return this.#parts;
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

  /** Ends and checks all parts (P10). A generation without rows has one part without rows. */
  async finish({ inputs, ...facts }: GenerationFacts): Promise<Generation> {
    if (this.#parts.length === 0) await this.#newPart();
    const parts: PartFacts[] = [];
    for (const part of this.#parts) parts.push(await part.finish());
    this.#balance(parts, inputs);
    const { fingerprint, ...books } = facts;
    return { generation: this.generation, fingerprint, inputs, parts, ...books };
  }

  /** Ends all uploads that are not committed, also one that is under way. */
  async abort(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) await part.abort();
  }

  async #newPart(): Promise<PartWriter> {
    const name = partName(this.generation, this.#parts.length, this.format.codec);
    const part = await PartWriter.create(this.sink, this.#prefix + name, this.format, name);
    this.#parts.push(part);
    return part;
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
