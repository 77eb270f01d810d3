// From messages to row groups: the stream makes a record of each message, the appender checks it and appends its values
// to the columns. A message that cannot become a record costs nobody but itself.
import { type Appender, createAppender } from "../avro/appender.ts";
import { toParquetSchema } from "../avro/columns.ts";
import type { Message } from "../heka/message.ts";
import { type Codec, type EncodedRowGroup, RowGroupBuilder } from "../parquet/rowgroup.ts";
import { Filtered } from "../stream.ts";
import { causeOf, faultyPath } from "./causes.ts";
import type { LoadedStream } from "./load.ts";

/** What became of a message; `cause` is what it is counted under, `path` what of the record or message was at fault. */
export type Outcome =
  | { kind: "written" }
  | { kind: "filtered"; cause: string }
  | { kind: "failed"; cause: string; path: string | undefined };

const WRITTEN: Outcome = { kind: "written" };

export class RecordWriter {
  private readonly group: RowGroupBuilder;
  private readonly appender: Appender;

  /** `emit` gets each full row group, in order; it may keep the bytes. */
  constructor(
    private readonly stream: LoadedStream,
    codec: Codec,
    private readonly emit: (group: EncodedRowGroup) => void,
  ) {
    this.group = new RowGroupBuilder(toParquetSchema(stream.schema), { codec });
    this.appender = createAppender(stream.schema, this.group);
  }

  write(message: Message): Outcome {
    try {
      const record = this.stream.definition.build(message);
      if (record instanceof Filtered) return { kind: "filtered", cause: record.cause };
      this.appender.append(record);
    } catch (error) {
      const { words } = this.stream;
      return { kind: "failed", cause: causeOf(error, words), path: faultyPath(error, words) };
    }
    if (this.group.isFull()) this.flush();
    return WRITTEN;
  }

  /** Ends the row group, also a short one: called where a task ends. */
  flush(): void {
    if (this.group.rows > 0) this.emit(this.group.finish());
  }
}
