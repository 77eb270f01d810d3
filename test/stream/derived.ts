// For the tests of columns: what one column makes of a value.

import type { Column, Json } from "derive";
import { defineStream } from "derive";
import { type Derived, derivePing } from "derive/test";

/** What a stream of the one column `v` makes of a ping that holds `value` at `v`; absent where undefined. */
export function derived(column: Column, value?: Json): Derived {
  return derivePing(defineStream({ streamName: "t", columns: { v: column } }), value === undefined ? {} : { v: value });
}

/** The column's value in the row. */
export function stored(column: Column, value?: Json): unknown {
  const result = derived(column, value);
  return "row" in result ? result.row.v : result;
}
