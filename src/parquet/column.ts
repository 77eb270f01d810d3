// One column of the row group being built: values and levels as they come in, pages when it is finished.

import type { BufferedColumn } from "./buffered.ts";
import { ByteList, NumberList } from "./bytes.ts";
import { type EncodedChunk, encodeChunk, type GroupOutput } from "./chunk.ts";
import { bitWidth } from "./hybrid.ts";
import { BooleanStore, NumberStore } from "./numbers.ts";
import type { Leaf } from "./schema.ts";
import { TextStore } from "./texts.ts";
import type { ValueStore } from "./values.ts";

/**
 * A dictionary that grows beyond this is given up, as readers hold it in memory for every row group they scan; but not where
 * the values themselves, each as often as it came, would take more memory.
 */
const DICTIONARY_BYTES = 8 << 20;
/** What a dictionary entry costs beside its value: starts, hash, and a share of the table, in bytes. */
const ENTRY_BYTES = 24;

/** What the schema calls for, by physical type: boolean, number, bigint, string, Uint8Array; a bigint for decimals. */
export type Value = boolean | number | bigint | string | Uint8Array;

/** A column of a row group, wherever its values are kept. */
export interface GroupColumn {
  readonly leaf: Leaf;
  /** A value that is there, as the schema's type wants it: nothing is checked here. */
  put(value: Value, repetition: number): void;
  /** A null, or an empty list: `definition` is the level of the nearest ancestor that is there. */
  absent(definition: number, repetition: number): void;
  /** Memory that what has come in takes, roughly. */
  readonly bytes: number;
  /** Encodes what has come in, appends it to the group's bytes, and begins again. */
  finish(group: GroupOutput): EncodedChunk;
}

export class ColumnBuilder implements BufferedColumn, GroupColumn {
  readonly definitions = new ByteList();
  readonly repetitions = new ByteList();
  readonly positions = new NumberList();
  readonly store: ValueStore<Value>;
  hasDictionary: boolean;
  /** PLAIN size of all values that came into the dictionary, each as often as it came. */
  private valueBytes = 0;

  constructor(readonly leaf: Leaf) {
    this.store = storeFor(leaf) as ValueStore<Value>;
    this.hasDictionary = this.store.interns;
  }

  put(value: Value, repetition: number): void {
    const { leaf, store } = this;
    if (leaf.maxRepetition > 0) this.repetitions.push(repetition);
    if (leaf.maxDefinition > 0) this.definitions.push(leaf.maxDefinition);
    if (this.hasDictionary) {
      const position = store.intern(value);
      this.positions.push(position);
      this.valueBytes += store.sizeAt(position);
      if (store.plainBytes > DICTIONARY_BYTES && this.valueBytes <= this.heldBytes) this.dropDictionary();
    } else {
      store.add(value);
    }
  }

  absent(definition: number, repetition: number): void {
    if (this.leaf.maxRepetition > 0) this.repetitions.push(repetition);
    this.definitions.push(definition);
  }

  get bytes(): number {
    return this.definitions.length + this.repetitions.length + this.heldBytes;
  }

  /** `bytes` without levels. */
  private get heldBytes(): number {
    const { store, positions } = this;
    return this.hasDictionary ? 4 * positions.length + store.plainBytes + ENTRY_BYTES * store.count : store.plainBytes;
  }

  finish(group: GroupOutput): EncodedChunk {
    if (this.hasDictionary && !this.dictionaryPays()) this.dropDictionary();
    const chunk = encodeChunk(this, group);
    this.definitions.length = 0;
    this.repetitions.length = 0;
    this.positions.length = 0;
    this.store.clear();
    this.valueBytes = 0;
    this.hasDictionary = this.store.interns;
    return chunk;
  }

  /**
   * Decided on all values of the row group: a sample of the first ones never sees that client ids come back. Indices
   * count twice, as they do not compress and values do, to about half.
   */
  private dictionaryPays(): boolean {
    const { store, positions } = this;
    if (store.count === 0) return false;
    const indexBytes = (positions.length * bitWidth(store.count - 1)) / 8;
    return store.plainBytes + 2 * indexBytes < this.valueBytes;
  }

  private dropDictionary(): void {
    // When no value has come twice they lie in order already.
    if (this.store.count < this.positions.length) this.store.expand(this.positions);
    this.positions.length = 0;
    this.hasDictionary = false;
  }
}

function storeFor({ element }: Leaf) {
  switch (element.type) {
    case "BOOLEAN":
      return new BooleanStore();
    case "INT32":
      return new NumberStore(Int32Array);
    case "INT64":
      return new NumberStore(BigInt64Array);
    case "FLOAT":
      return new NumberStore(Float32Array);
    case "DOUBLE":
      return new NumberStore(Float64Array);
    default:
      return new TextStore(element);
  }
}
