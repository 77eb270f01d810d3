// A stream's columns as a whole: its record's schema, and the function that builds the record of a message.

import type { AvroRecord } from "../avro/literal.ts";
import { MissingField } from "../errors.ts";
import { Filtered } from "../filtered.ts";
import type { Message } from "../heka/message-view.ts";
import { avroFields, recordNames } from "./avro.ts";
import { bind } from "./bind.ts";
import type { Columns } from "./column.ts";
import { Parses } from "./parses.ts";

/** The Avro literal of a record called `name`; what Avro does not allow in a name becomes "_". */
export function columnsToSchema(columns: Columns, name: string): AvroRecord {
  const legal = name.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d|$)/, "_");
  return { type: "record", name: legal, fields: avroFields(columns, recordNames(legal)) };
}

/** Reads one column of a message, as the record gets it or Filtered; throws as building the record does. */
export interface ColumnReader {
  readonly name: string;
  readonly read: (message: Message) => unknown;
}

/** A reader of each column by itself. */
export function columnReaders(columns: Columns): ColumnReader[] {
  return Object.entries(columns).map(([name, column]) => {
    const parses = new Parses();
    const { read } = bind(column, { within: "message", prefix: "", own: [name], parses });
    return {
      name,
      read(message) {
        parses.begin(message);
        return read(message, undefined, undefined);
      },
    };
  });
}

/** Builds records. The columns are read in their order; the first that is missing decides. */
export function columnsToBuild(columns: Columns): (message: Message) => object | Filtered {
  const parses = new Parses();
  const members = Object.entries(columns).map(([name, column]) => ({
    name,
    ...bind(column, { within: "message", prefix: "", own: [name], parses }),
  }));
  return (message) => {
    parses.begin(message);
    const record: { [name: string]: unknown } = {};
    for (const { name, read, text, store } of members) {
      const seen = read(message, undefined, undefined);
      if (seen === undefined) throw new MissingField(text);
      if (seen instanceof Filtered) return seen;
      record[name] = store === undefined ? seen : store(seen);
    }
    return record;
  };
}
