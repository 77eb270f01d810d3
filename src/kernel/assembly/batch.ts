// What passes between the two halves of the kernel: a batch of messages, read and converted, column by column. resolve.ts
// fills it, columns.ts appends its rows to the row group.

/** The values of a batch, for each of its messages, in a column of one type. */
export enum Kind {
  /** u8, 0 or 1. */
  boolean,
  /** i32. */
  int,
  /** i64. */
  long,
  /** f64. */
  double,
  /** UTF-8 without escapes, at `starts` and of `lengths`. */
  text,
  /** Any bytes, likewise. */
  bytes,
}

/** One column of a batch. Every pointer is to an array with an entry for each message. */
@unmanaged
export class BatchColumn {
  /** One of `Kind`. */
  kind: u32;
  /** u8: 1 where there is a value, 0 for null. */
  present: usize;
  /** Of numbers and booleans. */
  values: usize;
  /** Of text and bytes: u32, places in the kernel's memory, valid until the next batch. */
  starts: usize;
  /** u32. */
  lengths: usize;
}

/** A batch of messages; `columns` points to as many BatchColumn, one behind the other, in the order of the row group's. */
@unmanaged
export class Batch {
  messages: u32;
  columnCount: u32;
  columns: usize;
  /** u8 for each message: 1 where it becomes a row. */
  keep: usize;
}
