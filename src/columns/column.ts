// What a column is: to authors a chain of words (Column and below), to the rest a plain definition behind a symbol.

import type { AvroSchema } from "../avro/literal.ts";
import type { Json, Message, Path } from "../heka/message-view.ts";
import type { Parses } from "./parses.ts";

/** Where a column hides its definition: authors see only the words. */
export const definitionOf: unique symbol = Symbol("column");

declare const seen: unique symbol;
declare const given: unique symbol;

/** A column. `Seen` is what other columns' functions get from it, `Given` what functions may return for it. */
export interface Column<Seen = unknown, Given = unknown> {
  readonly [definitionOf]: Definition;
  readonly [seen]?: Seen;
  readonly [given]?: Given;
}

export interface Columns {
  readonly [name: string]: Column;
}

/** A column of which it is said what a missing value means. `Present` is its value where there is one. */
export interface SettledColumn<Seen, Present, Given> extends Column<Seen, Given> {
  /** Changes present values; null means missing. Comes before the default, wherever it stands. */
  map(change: (value: Present) => Given | null): this;
  /** Computes the value from other columns' values, null meaning missing; where a required one is missing, so is this. */
  from<const Inputs extends Columns>(inputs: Inputs, compute: (values: SeenValues<Inputs>) => Given | null): this;
  /** Computes the value from the message, null meaning missing. */
  from(compute: (message: Message) => Given | null): this;
}

/** A column whose missing value fails the record, unless one of three words is said, once. */
export interface RequiredColumn<Present, Given> extends SettledColumn<Present, Present, Given> {
  /** Missing: this value. */
  default(value: Given): SettledColumn<Present, Present, Given | null>;
  /** Missing: null. */
  optional(): SettledColumn<Present | null, Present, Given | null>;
  /** Missing: the message is left out, or the entry of the list or map that the column is in. */
  orSkip(): SettledColumn<Present, Present, Given>;
}

export type SeenOf<C> = C extends Column<infer Seen, unknown> ? Seen : never;
export type GivenOf<C> = C extends Column<unknown, infer Given> ? Given : never;
export type SeenValues<Group> = { -readonly [Name in keyof Group]: SeenOf<Group[Name]> };
export type GivenValues<Group> = { readonly [Name in keyof Group]: GivenOf<Group[Name]> };

/** What the words of a column say. */
export interface Definition {
  readonly kind: Kind;
  /** The column's own name where absent. */
  readonly path?: Path;
  readonly source?: Source;
  readonly changes: readonly ((value: unknown) => unknown)[];
  readonly missing: Missing;
}

/** Instead of a path: a function, of other columns or of the message. */
export type Source =
  | { readonly inputs: Columns; readonly compute: (values: object) => unknown }
  | { readonly inputs?: undefined; readonly compute: (message: Message) => unknown };

export type Missing =
  | { readonly means: "fail" }
  | { readonly means: "null" }
  | { readonly means: "skip" }
  | { readonly means: "default"; readonly value: unknown };

/** A getter of Message. */
export type Getter = "string" | "int" | "long" | "double" | "boolean" | "bytes";

/**
 * One type of column. Values are "seen" as authors' functions get them and "stored" as the record holds them; the two
 * differ for JSON only.
 */
export interface Kind {
  /** The type in error texts, with its article. */
  readonly name: string;
  /** The message's getter whose answer is the value as it is; absent where there is none. */
  readonly getter?: Getter;
  /** Whether it is read from JSON that is parsed whole. */
  readonly isParsed?: boolean;
  /** A copy of a value as seen that functions may change; absent where it cannot be changed. */
  readonly copy?: (seen: unknown) => unknown;
  /** A reader of the present value at a place. */
  readonly bind: (place: Place) => Read;
  /** Checks what an author's function returned and gives it as seen. Throws ValueError with `text` as its path. */
  readonly accept: (given: unknown, text: string) => unknown;
  /** From seen to stored; absent where they are the same. */
  readonly store?: (seen: unknown) => unknown;
  /** The Avro type; `names` gives a record inside it a name of its own. */
  readonly avro: (names: RecordNames) => AvroSchema;
  /** A default as the schema holds it, from the stored value; undefined where JSON cannot hold it. */
  readonly avroDefault?: (stored: unknown) => unknown;
}

/** Where a column's value lies: below the message, or below one entry of a list or map. */
export interface Place {
  readonly within: "message" | "entry";
  readonly path: Path;
  /** The whole path for error texts: `[]` for any item of a list, `*` for any key of a map. */
  readonly text: string;
  /** Of the stream whose column it is. */
  readonly parses: Parses;
}

/**
 * Reads a column: undefined where it is missing, Filtered where that leaves the message or entry out. `value` and `key`
 * are those of the entry being read, undefined below the message itself.
 */
export type Read = (message: Message, value: Json | undefined, key: string | undefined) => unknown;

/** Names records inside the stream's record, by the columns that lead to them. */
export interface RecordNames {
  take(): string;
  below(column: string): RecordNames;
}
