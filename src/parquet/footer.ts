// Reading a file back: its footer.

import { type FileMetaData, parquetMetadata } from "hyparquet";
import { FormatError } from "../errors.ts";

/** A file in slices; hyparquet's AsyncBuffer. `byteLength` is its size, ends are exclusive. */
export interface ByteSource {
  readonly byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer> | ArrayBuffer;
}

const SMALLEST_FILE = 12;
const MAGIC = "PAR1";
/** The footer's length and the magic. */
const TRAILER_BYTES = 8;

/** Throws FormatError when the file does not begin and end as a Parquet file, or its footer cannot be read. */
export async function readFooter(file: ByteSource): Promise<FileMetaData> {
  const { byteLength } = file;
  if (byteLength < SMALLEST_FILE) throw new FormatError(`Cannot read Parquet: it has only ${byteLength} bytes.`, 0);
  for (const start of [0, byteLength - MAGIC.length]) {
    const magic = new TextDecoder().decode(await file.slice(start, start + MAGIC.length));
    if (magic !== MAGIC) throw new FormatError(`Cannot read Parquet: ${MAGIC} is missing at byte ${start}.`, start);
  }
  return readFooterAtEnd(file);
}

/** The footer of a file of which perhaps only the end is at hand; whether it ends as a Parquet file is the caller's to know. */
export async function readFooterAtEnd(file: ByteSource): Promise<FileMetaData> {
  const { byteLength } = file;
  const [length] = new Uint32Array(await file.slice(byteLength - TRAILER_BYTES, byteLength - MAGIC.length));
  const start = byteLength - TRAILER_BYTES - length!;
  if (start < MAGIC.length)
    throw new FormatError("Cannot read Parquet: its footer is longer than the file.", byteLength);
  const footer = await file.slice(start, byteLength);
  try {
    return parquetMetadata(footer, { geoparquet: false });
  } catch {
    throw new FormatError("Cannot read Parquet: its footer is damaged.", start);
  }
}
