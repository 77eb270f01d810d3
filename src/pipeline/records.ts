// From messages to row groups: the stream makes a record of each message, the appender checks it and appends its values
// to the columns. A message that cannot become a record costs nobody but itself.
import { type Appender, createAppender } from "../avro/appender.ts";
import { toParquetSchema } from "../avro/columns.ts";
import type { FormatError } from "../errors.ts";
import type { Message } from "../heka/message.ts";
import type { BatchReader } from "../kernel/batch.ts";
import { KernelColumns } from "../kernel/columns.ts";
import { KernelMessage } from "../kernel/message.ts";
import { type Codec, type EncodedRowGroup, RowGroupBuilder } from "../parquet/rowgroup.ts";
import { Filtered } from "../stream.ts";
import { causeOf, faultyPath } from "./causes.ts";
import type { LoadedStream } from "./load.ts";
import { BatchRows } from "./rows.ts";

/** What became of a message; `cause` is what it is counted under, `path` what of the record or message was at fault. */
export type Outcome =
  | { kind: "written" }
  | { kind: "filtered"; cause: string }
  | { kind: "failed"; cause: string; path: string | undefined }
  /** What was asked for lies behind something that makes it no message. */
  | { kind: "undecodable"; cause: string };

/** A message as it comes from a decoder. */
export type Decoded = Message & { readonly invalidUtf8: boolean; readonly fault: FormatError | undefined };

const WRITTEN: Outcome = { kind: "written" };

/** What the stream's `where` said of a message, or that it threw. */
export interface Choice {
  readonly filtered?: Filtered;
  readonly thrown?: { readonly error: unknown };
  /** What was found out about the message meanwhile. */
  readonly invalidUtf8: boolean;
  readonly fault: FormatError | undefined;
}

/** Whether a message is taken for a row. */
export function isTaken(choice: Choice | undefined): boolean {
  return choice?.filtered === undefined && choice?.thrown === undefined && choice?.fault === undefined;
}

export class RecordWriter {
  private readonly group: RowGroupBuilder;
  private readonly appender: Appender;
  private readonly columns: KernelColumns | undefined;
  /** Makes rows of the batches' messages; undefined where all go by records. */
  private readonly rows: BatchRows | undefined;

  /** `emit` gets each full row group, in order; it may keep the bytes. `batches` are where messages come from, if there are. */
  constructor(
    private readonly stream: LoadedStream,
    codec: Codec,
    private readonly emit: (group: EncodedRowGroup) => void,
    batches?: BatchReader,
  ) {
    const schema = toParquetSchema(stream.schema);
    const plan = stream.definition.rows;
    if (batches !== undefined && plan !== undefined) {
      this.columns = new KernelColumns(batches.kernel, schema.leaves.length);
    }
    this.group = new RowGroupBuilder(schema, { codec }, this.columns?.columnFor);
    this.appender = createAppender(stream.schema, this.group);
    if (batches !== undefined && plan !== undefined) {
      this.rows = new BatchRows(stream, plan, batches, this.group, () => this.emit(this.group.finish()));
    }
  }

  /** Whether the stream has no `where`. */
  get takesAll(): boolean {
    return this.stream.definition.where === undefined;
  }

  /** Asks the stream's `where`; undefined where it has none. */
  choose(message: Decoded): Choice | undefined {
    const { where } = this.stream.definition;
    if (where === undefined) return undefined;
    let filtered: Filtered | undefined;
    let thrown: Choice["thrown"];
    try {
      filtered = where(message);
    } catch (error) {
      thrown = { error };
    }
    // A fault also where the function caught the error.
    return { filtered, thrown, invalidUtf8: message.invalidUtf8, fault: message.fault };
  }

  /** `choice` where `choose` was asked already. */
  write(message: Decoded, choice = this.choose(message)): Outcome {
    let isAppending = false;
    try {
      if (choice?.fault !== undefined) return { kind: "undecodable", cause: choice.fault.message };
      if (choice?.thrown !== undefined) throw choice.thrown.error;
      if (choice?.filtered !== undefined) return { kind: "filtered", cause: choice.filtered.cause };
      if (this.rows !== undefined && message instanceof KernelMessage && message.isComplete) {
        const filtered = this.rows.take(message);
        return filtered === undefined ? WRITTEN : { kind: "filtered", cause: filtered.cause };
      }
      const record = this.stream.definition.buildTaken(message);
      // Also where the stream's functions caught the error.
      if (message.fault !== undefined) throw message.fault;
      if (record instanceof Filtered) return { kind: "filtered", cause: record.cause };
      isAppending = true;
      this.rows?.flush();
      this.appender.append(record);
    } catch (error) {
      // A mistake of the kernel's: its columns can be trusted no more.
      if (isAppending && error instanceof WebAssembly.RuntimeError) throw error;
      if (message.fault !== undefined) return { kind: "undecodable", cause: message.fault.message };
      const { words } = this.stream;
      return { kind: "failed", cause: causeOf(error, words), path: faultyPath(error, words) };
    }
    if (this.group.isFull()) this.flush();
    return WRITTEN;
  }

  /** Takes all messages of a batch for rows; false where they must be looked at one by one. */
  takeBatch(messages: number): boolean {
    return this.takesAll && (this.rows?.takeAll(messages) ?? false);
  }

  /** To be called before the batch goes whose messages were written. */
  endBatch(): void {
    this.rows?.endBatch();
  }

  /** Ends the row group, also a short one: called where a task or a range ends. */
  flush(): void {
    this.rows?.flush();
    if (this.group.rows > 0) this.emit(this.group.finish());
  }

  /** Gives its memory back: it may not be used again. */
  close(): void {
    this.rows?.close();
    this.columns?.release();
  }
}
