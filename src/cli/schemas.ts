// The Avro schemas that words on the command line name: of a stream, of a file with the schema, of Parquet that carries it.
import { existsSync, readFileSync } from "node:fs";
import { parseSchema, type Schema } from "../avro/schema.ts";
import { InputError, UsageError } from "../errors.ts";
import { availableStreams, describeStream, resolveStream } from "../jobs/streams.ts";
import { readFooter } from "../parquet/read.ts";
import { splitS3 } from "../storage/place.ts";
import type { S3Options } from "../storage/ports.ts";
import { findParts } from "./parts.ts";

/** @param word a stream, a file ending in .avsc or .json, or a Parquet file or folder, also on S3 */
export async function findSchema(word: string, s3: S3Options): Promise<Schema> {
  if (/\.(avsc|json)$/.test(word)) return parseSchema(readJson(word));
  const isKnown = availableStreams().some(({ name }) => name === word);
  const isStream = isKnown || /\.[cm]?ts$/.test(word) || !(splitS3(word) || existsSync(word) || /[/*]/.test(word));
  if (isStream) return parseSchema((await describeStream(resolveStream(word))).schema);
  const [part] = (await findParts(word, s3)).slice(-1);
  const { key_value_metadata: pairs = [] } = await readFooter(part!.file);
  const literal = pairs.find(({ key }) => key === "parquet.avro.schema")?.value;
  if (literal === undefined) throw new InputError(`Cannot find a schema in ${part!.url}: it carries no Avro schema`);
  return parseSchema(JSON.parse(literal));
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`Cannot read ${path}: it is not JSON`);
  }
}
