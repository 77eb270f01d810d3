// defineStream: what an author's file says, checked and brought to the one form that everything behind it works with.

import type { AvroRecord } from "./avro/literal.ts";
import { type ColumnReader, columnReaders, columnsToBuild, columnsToSchema } from "./columns/group.ts";
import { pathText } from "./columns/place.ts";
import { type ColumnPlan, planColumns } from "./columns/plan.ts";
import type { Columns } from "./columns.ts";
import { ValueError } from "./errors.ts";
import { Filtered } from "./filtered.ts";
import type { Message, Path } from "./heka/message-view.ts";
import type { InferRecord, NoSurplus } from "./infer.ts";
import { checkDefinition } from "./stream-check.ts";

export type { PlainColumn } from "./columns/plan.ts";
export { Filtered } from "./filtered.ts";

/** What a stream's file may say beside its columns or its schema. */
export interface StreamFacts {
  /** What `derive batch` and the output folder call it; the file's name where absent. A legal Avro name. */
  readonly name?: string;
  /** The dataset to read, as sources.json names it. */
  readonly streamName: string;
  /** Raise it when the meaning of a column changes: each version is written to a folder of its own. 1 where absent. */
  readonly version?: number;
  /** One sentence for `derive streams`. */
  readonly description?: string;
  /** Which raw objects to read: dimension to allowed values, `*` and `?` as in file names. Others are not even listed. */
  readonly dimensions?: { readonly [dimension: string]: readonly string[] };
  /** The dimensions that make an output folder, the day first; the day alone where absent. */
  readonly partitionBy?: readonly string[];
  /** Which messages to take; looked at before anything else. */
  readonly where?: (message: Message) => boolean;
  /** Paths without which a message is left out, and counted as "<path> missing"; the first missing one decides. */
  readonly requires?: readonly Path[];
}

/** A stream as a schema and a function: `buildRecord` returns the record, or null to leave the message out. */
export interface SchemaStream<Schema extends AvroRecord, Built> extends StreamFacts {
  readonly buildSchema: () => Schema;
  readonly buildRecord: (message: Message) => (Built & NoSurplus<InferRecord<Schema>, Built>) | null;
  readonly columns?: undefined;
}

/** A stream as columns, from which schema and record are made. */
export interface ColumnStream extends StreamFacts {
  readonly columns: Columns;
  readonly buildSchema?: undefined;
  readonly buildRecord?: undefined;
}

/** The one form of a stream behind the author's file. */
export interface DerivedStream {
  readonly name?: string;
  readonly streamName: string;
  readonly version: number;
  readonly description?: string;
  readonly dimensions: { readonly [dimension: string]: readonly string[] };
  readonly partitionBy?: readonly string[];
  /** The Avro schema's literal. Columns become a record of the given name, which is the stream's; a schema names itself. */
  readonly schema: (name: string) => AvroRecord;
  /** The record of a message, or why there is none. Throws what the author's functions throw, and ValueError. */
  readonly build: (message: Message) => object | Filtered;
  /** Whether a message is taken at all; absent where all are. Throws what the author's function throws. */
  readonly where?: (message: Message) => Filtered | undefined;
  /** `build` for a message that `where` takes. */
  readonly buildTaken: (message: Message) => object | Filtered;
  /** For streams written as columns: how rows are made without records, with the same outcome as `buildTaken`. */
  readonly rows?: RowPlan;
  /** Of a stream that was written as columns: a reader of each by itself, to learn what is behind it. */
  readonly columns?: () => readonly ColumnReader[];
}

export interface RowPlan extends ColumnPlan {
  /** Paths that a message must have. */
  readonly requires: readonly Path[];
}

const filteredByWhere = new Filtered("where");
const filteredByBuildRecord = new Filtered("buildRecord");

// By name, not by class: a stream's file may have got its "derive" from another copy of the program.
const brand = Symbol.for("derive.stream");

/** Whether `value` came from defineStream: the default export of a stream's file must. */
export function isDerivedStream(value: unknown): value is DerivedStream {
  return typeof value === "object" && value !== null && brand in value;
}

/**
 * Defines a derived stream, as `columns` or as `buildSchema` and `buildRecord`; the default export of a stream's file.
 * Throws UsageError where the definition cannot be right.
 */
export function defineStream<const Schema extends AvroRecord, const Built extends InferRecord<Schema>>(
  definition: SchemaStream<Schema, Built> | ColumnStream,
): DerivedStream {
  checkDefinition(definition);
  const { name, streamName, version = 1, description, dimensions = {}, partitionBy } = definition;
  const form = definition.columns === undefined ? schemaForm(definition) : columnForm(definition);
  const where = definition.where && whereFilter(definition.where);
  const buildTaken = requiring(definition, form.build);
  const build: DerivedStream["build"] = (message) => where?.(message) ?? buildTaken(message);
  const rows = definition.columns && rowPlan(definition);
  const { schema, columns } = form;
  const facts = { name, streamName, version, description, dimensions, partitionBy };
  return Object.freeze({ ...facts, schema, build, where, buildTaken, rows, columns, [brand]: true });
}

type Form = Pick<DerivedStream, "schema" | "build" | "columns">;

function schemaForm<Schema extends AvroRecord, Built>({ buildSchema, buildRecord }: SchemaStream<Schema, Built>): Form {
  return { schema: () => buildSchema(), build: (message) => checkBuilt(buildRecord(message)) };
}

function columnForm({ columns }: ColumnStream): Form {
  return {
    schema: (name) => columnsToSchema(columns, name),
    build: columnsToBuild(columns),
    columns: () => columnReaders(columns),
  };
}

/** `build` for the messages that `requires` lets through. */
function requiring({ requires = [] }: StreamFacts, build: DerivedStream["build"]): DerivedStream["build"] {
  const needed = requires.map((path) => ({ path, filtered: new Filtered(`${pathText(path)} missing`) }));
  return (message) => {
    for (const { path, filtered } of needed) if (!message.has(path)) return filtered;
    return build(message);
  };
}

function rowPlan({ columns, requires = [] }: ColumnStream): RowPlan {
  return { ...planColumns(columns), requires };
}

function whereFilter(where: NonNullable<StreamFacts["where"]>): (message: Message) => Filtered | undefined {
  return (message) => (isTaken(where(message)) ? undefined : filteredByWhere);
}

function isTaken(answer: unknown): boolean {
  if (answer === undefined) throw new ValueError("where", "returned undefined");
  refusePromise("where", answer);
  return Boolean(answer);
}

// What is no object is refused where records are checked against the schema.
function checkBuilt(built: unknown): object | Filtered {
  if (built === null) return filteredByBuildRecord;
  if (built === undefined) throw new ValueError("buildRecord", "returned undefined");
  refusePromise("buildRecord", built);
  return built as object;
}

function refusePromise(name: string, answer: unknown): void {
  if (!(answer instanceof Promise)) return;
  // Nobody waits for it: without this its rejection would end the program.
  answer.catch(() => {});
  throw new ValueError(name, "returned a promise");
}
