// Parts of text in place of Parquet, for tests of what happens around them: "<", a letter for each row, ">" and their number.

import type { PartFormat } from "../../src/jobs/part.ts";
import type { EncodedRowGroup } from "../../src/parquet/rowgroup.ts";
import { bytesOf, textOf } from "../storage/contract.ts";

export const FORMAT: PartFormat & { maxPartBytes: number } = {
  codec: "zstd",
  maxPartBytes: 5,
  newAssembler() {
    let size = 1;
    let rows = 0;
    return {
      header: () => bytesOf("<"),
      place(one) {
        size += one.bytes.byteLength;
        rows += one.rows;
        return new Uint8Array(one.bytes);
      },
      finish: () => bytesOf(`>${rows}`),
      get size() {
        return size;
      },
      get rows() {
        return rows;
      },
    };
  },
  async check(file) {
    const text = textOf(new Uint8Array(await file.slice(0)));
    if (text.length !== file.byteLength || !/^<.*>\d+$/.test(text)) throw new Error("bad page");
    return { rows: text.indexOf(">") - 1 };
  },
};

/** A row group of one row for each letter. */
export function group(letters: string): EncodedRowGroup {
  return { bytes: bytesOf(letters), rows: letters.length } as unknown as EncodedRowGroup;
}
