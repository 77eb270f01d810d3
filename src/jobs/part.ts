// One Parquet object on its way out: row groups in, hashed while written, read back and checked before anyone sees it.

import { InternalError, OutputError } from "../errors.ts";
import type { Codec, EncodedRowGroup } from "../parquet/rowgroup.ts";
import type { Expected, Sink, Upload } from "../storage/ports.ts";
import type { PartFacts } from "./result.ts";

/** What makes bytes of row groups (parquet's PartAssembler), one for each part. */
export interface Assembler {
  header(): Uint8Array;
  place(group: EncodedRowGroup): Uint8Array;
  finish(): Uint8Array;
  /** Bytes given out so far. */
  readonly size: number;
  readonly rows: number;
}

/** How parts are made, and what reads one back; parquet's `checkPart` throws when a byte is wrong. */
export interface PartFormat {
  readonly codec: Codec;
  newAssembler(): Assembler;
  check(file: {
    readonly byteLength: number;
    slice(start: number, end?: number): Promise<ArrayBuffer>;
  }): Promise<{ readonly rows: number }>;
}

/** One part. It appears at `commit`, at one instant. */
export class PartWriter {
  readonly #assembler: Assembler;
  readonly #sha256 = new Bun.CryptoHasher("sha256");
  #crc32 = 0;
  #facts: PartFacts | undefined;
  #etag: string | undefined;

  private constructor(
    private readonly url: string,
    /** As the facts name it. */
    readonly key: string,
    private readonly upload: Upload,
    private readonly format: PartFormat,
  ) {
    this.#assembler = format.newAssembler();
  }

  /** @param name the key that the facts name: the object's key relative to its partition */
  static async create(
    sink: Pick<Sink, "create" | "urlOf">,
    key: string,
    format: PartFormat,
    name = key,
  ): Promise<PartWriter> {
    const part = new PartWriter(sink.urlOf(key), name, await sink.create(key), format);
    try {
      await part.#write(part.#assembler.header());
    } catch (error) {
      await part.abort();
      throw error;
    }
    return part;
  }

  /** Bytes so far, without the footer. */
  get size(): number {
    return this.#assembler.size;
  }

  get rows(): number {
    return this.#assembler.rows;
  }

  /** The group's bytes are given up: the collector would come too late for them. */
  async add(group: EncodedRowGroup): Promise<void> {
    await this.#write(this.#assembler.place(group));
    group.bytes.buffer.transfer(0);
  }

  /**
   * Writes the footer and reads the whole part back (P10).
   * @throws {OutputError} when what was read back is not what was written.
   */
  async finish(): Promise<PartFacts> {
    if (this.#facts) return this.#facts;
    const rows = this.#assembler.rows;
    await this.#write(this.#assembler.finish());
    let found: { readonly rows: number };
    try {
      found = await this.format.check(this.upload);
    } catch (error) {
      if (error instanceof OutputError) throw error;
      throw new OutputError(
        `Cannot commit ${this.url}: read back, it is damaged: ${(error as Error).message}. Check the disk`,
      );
    }
    if (found.rows !== rows) {
      throw new InternalError(`Cannot commit ${this.url}: ${rows} rows were written, ${found.rows} are in it`);
    }
    this.#facts = {
      key: this.key,
      rows,
      bytes: this.upload.byteLength,
      crc32: this.#crc32.toString(16).padStart(8, "0"),
      sha256: this.#sha256.digest("hex"),
    };
    return this.#facts;
  }

  async commit(expected?: Expected): Promise<PartFacts> {
    const facts = await this.finish();
    this.#etag = await this.upload.commit(expected);
    return facts;
  }

  /** Whether it has appeared: it cannot be committed again. */
  get committed(): boolean {
    return this.#etag !== undefined;
  }

  /** The ETag that it has appeared with. */
  get etag(): string | undefined {
    return this.#etag;
  }

  async abort(): Promise<void> {
    await this.upload.abort();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#crc32 = Bun.hash.crc32(bytes, this.#crc32);
    this.#sha256.update(bytes);
    await this.upload.write(bytes);
  }
}
