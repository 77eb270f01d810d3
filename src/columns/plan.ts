// How rows are made of messages without records: which columns are a path's value as it is, and how the others are read.

import { MissingField } from "../errors.ts";
import { Filtered } from "../filtered.ts";
import type { Message, Path } from "../heka/message-view.ts";
import { bind } from "./bind.ts";
import { type Column, type Columns, definitionOf, type Getter, type Missing } from "./column.ts";
import { Parses } from "./parses.ts";

/** A column that a getter gives, with no function of the stream's behind it. */
export interface PlainColumn {
  readonly path: Path;
  readonly getter: Getter;
  readonly missing: Missing;
}

/** What a column asks every message for. */
export interface AskedPath {
  readonly path: Path;
  readonly getter: Getter | "json";
}

export interface ColumnPlan {
  /** Of each column, in their order; undefined for the others. */
  readonly plain: readonly (PlainColumn | undefined)[];
  /** The values of the columns at these positions, in this order, as the record holds them. */
  readonly others: (positions: readonly number[]) => (message: Message) => unknown[] | Filtered;
  /** What these columns ask messages for, as far as their words tell: a function of the message may ask for anything. */
  readonly asked: (positions: readonly number[]) => AskedPath[];
}

export function planColumns(columns: Columns): ColumnPlan {
  const entries = Object.entries(columns);
  return {
    plain: entries.map(([name, column]) => plainOf(name, column)),
    asked: (positions) => positions.flatMap((position) => askedBy(...entries[position]!)),
    others(positions) {
      const parses = new Parses();
      const members = positions.map((position) => {
        const [name, column] = entries[position]!;
        return bind(column, { within: "message", prefix: "", own: [name], parses });
      });
      return (message) => {
        parses.begin(message);
        const values = new Array<unknown>(members.length);
        for (let i = 0; i < members.length; i++) {
          const { read, text, store } = members[i]!;
          const seen = read(message, undefined, undefined);
          if (seen === undefined) throw new MissingField(text);
          if (seen instanceof Filtered) return seen;
          values[i] = store === undefined ? seen : store(seen);
        }
        return values;
      };
    },
  };
}

function plainOf(name: string, column: Column): PlainColumn | undefined {
  const { kind, path = [name], source, changes, missing } = column[definitionOf];
  if (kind.getter === undefined || source !== undefined || changes.length > 0) return undefined;
  return { path, getter: kind.getter, missing };
}

function askedBy(name: string, column: Column): AskedPath[] {
  const { kind, path = [name], source } = column[definitionOf];
  if (source !== undefined) return Object.entries(source.inputs ?? {}).flatMap((input) => askedBy(...input));
  const getter = kind.getter ?? (kind.isParsed ? "json" : undefined);
  return getter === undefined || path.length === 0 ? [] : [{ path, getter }];
}
