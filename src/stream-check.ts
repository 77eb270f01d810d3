// The checks of defineStream: a stream's file may not have been type-checked, so its mistakes are named when it loads.

import { checkColumns } from "./columns/chain.ts";
import { UsageError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value !== "";
const isFunction: Check = (value) => typeof value === "function";
const isTextList: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(isText);
const isPlainObject: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Every key a definition may have, and how to write it. Absent is fine here; which are needed comes after. */
const keys: { readonly [key: string]: { readonly check: Check; readonly usage: string } } = {
  name: {
    check: (value) => typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value),
    usage: "letters, digits and _, with no digit first",
  },
  streamName: { check: isText, usage: 'the name of a dataset in sources.json, such as "telemetry"' },
  version: { check: (value) => Number.isSafeInteger(value) && Number(value) > 0, usage: "a whole number from 1" },
  description: { check: (value) => typeof value === "string", usage: "a text" },
  dimensions: {
    check: (value) => isPlainObject(value) && Object.values(value as object).every(isTextList),
    usage: 'lists of values by dimension, such as { docType: ["main"] }',
  },
  partitionBy: { check: isTextList, usage: 'a list of dimensions, such as ["submissionDate", "appName"]' },
  where: { check: isFunction, usage: "a function, (message) => true or false" },
  requires: {
    check: (value) => Array.isArray(value) && value.every((path) => isText(path) || isTextList(path)),
    usage: 'a list of paths, such as ["clientId", "environment.profile"]',
  },
  columns: { check: isPlainObject, usage: "columns by name, such as { clientId: string() }" },
  buildSchema: { check: isFunction, usage: 'a function, () => ({ type: "record", name: "…", fields: […] })' },
  buildRecord: { check: isFunction, usage: "a function, (message) => a record, or null" },
};

/** Throws UsageError at the first thing in `definition` that cannot be right. */
export function checkDefinition(definition: unknown): void {
  if (!isPlainObject(definition))
    throw misuse("it is no object. Write defineStream({ streamName: …, columns: { … } })");
  const given = definition as { readonly [key: string]: unknown };
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(keys, key)) throw misuse(unknownKey(key));
    if (value !== undefined && !keys[key]!.check(value)) throw misuse(`${key} is not ${keys[key]!.usage}`);
  }
  const has = (key: string) => given[key] !== undefined;
  if (!has("streamName")) throw misuse(`streamName is missing: give ${keys.streamName!.usage}`);
  if (has("columns")) {
    if (has("buildSchema") || has("buildRecord")) {
      throw misuse("it has columns and buildSchema or buildRecord: keep the columns, or the two functions");
    }
    checkColumns(given.columns, "the stream");
  } else if (!has("buildSchema") || !has("buildRecord")) {
    const missing = has("buildSchema") ? "buildRecord" : has("buildRecord") ? "buildSchema" : "columns";
    throw misuse(`${missing} is missing: give either columns, or buildSchema and buildRecord`);
  }
}

function unknownKey(key: string): string {
  const known = Object.keys(keys);
  return `it has the unknown key ${key}.${didYouMean(key, known) || ` Known are ${known.join(", ")}`}`;
}

function misuse(state: string): UsageError {
  return new UsageError(`Cannot define the stream: ${state}`);
}
