// From columns to the Avro literal that describes their record.

import type { AvroField, AvroSchema } from "../avro/literal.ts";
import { storing } from "./bind.ts";
import { type Column, type Columns, definitionOf, type RecordNames } from "./column.ts";

/** The type of a column: null comes first where the column is optional, so that its default can be null. */
export function avroType(column: Column, names: RecordNames): AvroSchema {
  const { kind, missing } = column[definitionOf];
  const type = kind.avro(names);
  return missing.means === "null" ? ["null", type] : type;
}

export function avroFields(columns: Columns, names: RecordNames): AvroField[] {
  return Object.entries(columns).map(([name, column]) => avroField(name, column, names.below(name)));
}

function avroField(name: string, column: Column, names: RecordNames): AvroField {
  const type = avroType(column, names);
  const { kind, missing } = column[definitionOf];
  if (missing.means === "null") return { name, type, default: null };
  if (missing.means !== "default") return { name, type };
  const store = storing(column);
  const byDefault = kind.avroDefault?.(store ? store(missing.value) : missing.value);
  return byDefault === undefined ? { name, type } : { name, type, default: byDefault };
}

/** Names for the records of one stream, each once: "MyStreamAddonsIcon" for the record of column `icon` in `addons`. */
export function recordNames(streamRecord: string): RecordNames {
  const taken = new Set([streamRecord]);
  const at = (name: string): RecordNames => ({
    take() {
      let free = name;
      for (let count = 2; taken.has(free); count++) free = `${name}${count}`;
      taken.add(free);
      return free;
    },
    below: (column) => at(name + camelCase(column)),
  });
  return at(streamRecord);
}

function camelCase(column: string): string {
  return column.replace(/(?:^|_)([A-Za-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
