// Between building and encoding: what a column hands over when its row group is finished.

import type { ByteList, NumberList } from "./bytes.ts";
import type { Leaf } from "./schema.ts";
import type { ValueStore } from "./values.ts";

export interface BufferedColumn {
  readonly leaf: Leaf;
  /** Levels, where the column has any: one for each value and each null. */
  readonly definitions: ByteList;
  readonly repetitions: ByteList;
  /** With a dictionary: the position in the store of each value. Without: the store has each value itself. */
  readonly hasDictionary: boolean;
  readonly positions: NumberList;
  readonly store: ValueStore<never>;
}
