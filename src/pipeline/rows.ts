// Rows of messages that the kernel has read, without records: values of plain columns stay in its memory, functions are called
// for the others only. The outcome is that of the stream's `build` and the appender.
import { createFieldAppender, type FieldAppender } from "../avro/appender.ts";
import type { Path } from "../heka/message.ts";
import type { Fallback } from "../kernel/asks.ts";
import { type BatchReader, CAPACITY } from "../kernel/batch.ts";
import { KernelColumn } from "../kernel/columns.ts";
import type { Getter } from "../kernel/layout.ts";
import type { KernelMessage } from "../kernel/message.ts";
import { RowAppender } from "../kernel/rows.ts";
import type { RowGroupBuilder } from "../parquet/rowgroup.ts";
import { Filtered, type PlainColumn, type RowPlan } from "../stream.ts";
import type { LoadedStream } from "./load.ts";

export class BatchRows {
  /** A byte for each message of the batch: 1 where it becomes a row. */
  readonly #keep: number;
  /** Of the batch's messages, those before have been appended; up to `to` they have been looked at. */
  #from = 0;
  #to = 0;
  readonly #appender: RowAppender;
  /** For each column of the row group the number of the ask that has its values. */
  readonly #asks: readonly (number | undefined)[];
  readonly #others: FieldAppender;
  readonly #readOthers: ReturnType<RowPlan["others"]> | undefined;
  /** What the other columns store, by message. */
  readonly #stored: (readonly unknown[])[] = [];
  #answers: BatchReader["answers"] | undefined;

  /** `full` is called whenever the group is full, and must finish it. */
  constructor(
    { schema }: LoadedStream,
    plan: RowPlan,
    private readonly batches: BatchReader,
    group: RowGroupBuilder,
    full: () => void,
  ) {
    const { fields } = schema.root;
    const asks = plan.plain.map((plain, i) => {
      const leaf = group.columns.findIndex(({ leaf }) => leaf.path[0] === fields[i]!.name);
      const isKept = plain !== undefined && group.columns[leaf] instanceof KernelColumn;
      return { leaf, number: isKept ? batches.asks.add(plain.path, GETTERS[plain.getter], fallbackOf(plain)) : -1 };
    });
    // A column that must have its value asks for it already.
    const asked = new Set<string>();
    for (const [i, { number }] of asks.entries()) {
      const plain = plan.plain[i];
      if (number >= 0 && plain !== undefined && fallbackOf(plain) === undefined) asked.add(pathKey(plain.path));
    }
    for (const path of plan.requires) if (!asked.has(pathKey(path))) batches.asks.add(path, "has");
    this.#asks = group.columns.map((_, leaf) => asks.find((ask) => ask.leaf === leaf && ask.number >= 0)?.number);
    const others = fields.flatMap((_, i) => (asks[i]!.number < 0 ? [i] : []));
    this.#readOthers = others.length > 0 ? plan.others(others) : undefined;
    // Else they are learned from the first message, which would be read the plain way for that.
    for (const { path, getter } of plan.asked(others)) {
      batches.asks.numberOf(path, getter === "json" ? getter : GETTERS[getter]);
    }
    this.#others = createFieldAppender(schema, group, others);
    this.#appender = new RowAppender(batches.kernel, group, full);
    this.#keep = batches.kernel.memory.allocate(CAPACITY);
  }

  /**
   * Takes a complete message of the batch that `where` takes, in order, for a row; why not, where it is left out. Throws what
   * functions throw.
   */
  take(message: KernelMessage): Filtered | undefined {
    const { number } = message;
    if (this.#readOthers !== undefined) {
      const values = this.#readOthers(message);
      // Also where the functions caught the error.
      if (message.fault !== undefined) throw message.fault;
      if (values instanceof Filtered) return values;
      this.#stored[number] = this.#others.convert(values);
    }
    const { bytes } = this.batches.kernel.memory;
    while (this.#to < number) bytes[this.#keep + this.#to++] = 0;
    bytes[this.#keep + this.#to++] = 1;
    return undefined;
  }

  /** Takes all messages of a batch, where no function of the stream has to be called; they must be complete. */
  takeAll(messages: number): boolean {
    if (this.#readOthers !== undefined) return false;
    this.batches.kernel.memory.bytes.fill(1, this.#keep, this.#keep + messages);
    this.#to = messages;
    return true;
  }

  /** Appends the rows taken so far: before another row, and before the next batch. */
  flush(): void {
    if (this.#from === this.#to) return;
    if (this.#answers !== this.batches.answers) this.#route();
    const range = { keep: this.#keep, from: this.#from, to: this.#to };
    this.#from = this.#to;
    if (this.#readOthers === undefined) this.#appender.append(range);
    else this.#appender.appendWith(range, (row) => this.#others.put(this.#stored[row]!));
  }

  /** To be called when all messages of a batch have been looked at. */
  endBatch(): void {
    this.flush();
    this.#from = this.#to = 0;
    this.#stored.length = 0;
  }

  /** Gives its memory back. */
  close(): void {
    this.#appender.release();
    this.batches.kernel.memory.release(this.#keep, CAPACITY);
  }

  /** The places of the batch's values are others each time that more is asked for. */
  #route(): void {
    this.#answers = this.batches.answers;
    this.#appender.route(this.#asks.map((ask) => (ask === undefined ? undefined : this.#answers![ask]!.column)));
  }
}

const GETTERS = {
  string: "text",
  int: "int",
  long: "long",
  double: "double",
  boolean: "boolean",
  bytes: "bytes",
} as const satisfies Record<PlainColumn["getter"], Getter>;

/** "a.b" is another path than ["a.b"], and the same as ["a", "b"]. */
function pathKey(path: Path): string {
  return JSON.stringify(typeof path === "string" ? path.split(".") : path);
}

/** Without one the message becomes no row: then `build` says why. */
function fallbackOf({ missing }: PlainColumn): Fallback | undefined {
  if (missing.means === "null") return { value: null };
  if (missing.means === "default") return { value: missing.value as Fallback["value"] };
  return undefined;
}
