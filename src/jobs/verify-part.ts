// One derived Parquet object, read once from its place and then looked at from all sides.

import { FormatError, InputError } from "../errors.ts";
import { type ByteSource, checkPart, readFooter } from "../parquet/read.ts";
import type { Source } from "../storage/ports.ts";
import { TemporaryFile } from "../storage/temporary.ts";
import { type Origin, originIn } from "./event-part.ts";
import type { PartFacts } from "./result.ts";

/** What `_SUCCESS` says of a part. */
export interface PartExpected extends PartFacts {
  readonly stream?: string;
  readonly streamVersion?: number;
}

export interface PartFound {
  readonly bytes: number;
  /** 0 where it cannot be told. */
  readonly rows: number;
  /** What is wrong with it, one fact each: what was found, what was expected. */
  readonly problems: readonly string[];
  /** Of an event part. */
  readonly origin?: Origin;
  /** Absent where its footer cannot be read. */
  readonly layout?: PartLayout;
}

/** Where the bytes of a part are. */
export interface PartLayout {
  /** By column, in the order of the schema: the bytes of its pages, and what they are without compression. */
  readonly columns: Readonly<Record<string, { readonly compressed: number; readonly uncompressed: number }>>;
  readonly rowGroups: readonly { readonly rows: number; readonly bytes: number }[];
}

/**
 * Reads an object into a temporary file, hashing it, and checks it there: size, CRC-32 and SHA-256 as `expected` has them,
 * footer, row counts, page checksums. So whatever the place is, each byte is read once, and what was hashed is what is
 * checked. Holds a chunk of the object, or one of its column chunks, in memory.
 * @throws {OutputError} when there is no room for the temporary file
 */
export async function examinePart(
  place: Source,
  key: string,
  expected: PartExpected | undefined,
  signal: AbortSignal,
): Promise<PartFound> {
  const copy = new TemporaryFile();
  try {
    const sha256 = new Bun.CryptoHasher("sha256");
    let crc = 0;
    let bytes = 0;
    for await (const chunk of place.open(key)) {
      signal.throwIfAborted();
      copy.append(chunk);
      sha256.update(chunk);
      crc = Bun.hash.crc32(chunk, crc);
      bytes += chunk.byteLength;
    }
    const found = { bytes, crc32: crc.toString(16).padStart(8, "0"), sha256: sha256.digest("hex") };
    const problems = expected === undefined ? [] : differences(found, expected);
    const parquet = await readParquet(sliced(copy, bytes));
    if ("fault" in parquet) return { bytes, rows: 0, problems: [...problems, parquet.fault] };
    const { origin, layout, ...said } = parquet;
    if (expected !== undefined) problems.push(...differences(said, expected));
    return { bytes, rows: said.rows, problems, origin, layout };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { bytes: 0, rows: 0, problems: [error.message] };
  } finally {
    copy.close();
  }
}

const NAMES: Readonly<Record<string, string>> = {
  bytes: "size in bytes",
  crc32: "CRC-32",
  sha256: "SHA-256",
  rows: "rows in its footer",
  stream: "stream in its footer",
  streamVersion: "version of the stream in its footer",
};

function differences(found: Readonly<Record<string, string | number | undefined>>, expected: PartExpected): string[] {
  return Object.entries(found)
    .filter(([name, value]) => value !== expected[name as keyof PartExpected])
    .map(([name, value]) => `${NAMES[name]}: ${value} found, ${expected[name as keyof PartExpected]} in _SUCCESS`);
}

interface ParquetFound extends Pick<PartFound, "rows" | "origin" | "layout"> {
  readonly stream?: string;
  readonly streamVersion?: number;
}

async function readParquet(file: ByteSource): Promise<ParquetFound | { fault: string }> {
  try {
    const { rows } = await checkPart(file);
    const footer = await readFooter(file);
    const { key_value_metadata = [] } = footer;
    const textOf = (name: string) => key_value_metadata.find((entry) => entry?.key === name)?.value;
    const version = textOf("derive.stream.version");
    const origin = originIn(key_value_metadata);
    const streamVersion = version ? Number(version) : undefined;
    return { rows, stream: textOf("derive.stream"), streamVersion, origin, layout: layoutOf(footer) };
  } catch (error) {
    if (error instanceof FormatError) return { fault: error.message };
    throw error;
  }
}

function layoutOf({ row_groups }: Awaited<ReturnType<typeof readFooter>>): PartLayout {
  const columns: Record<string, { compressed: number; uncompressed: number }> = Object.create(null);
  for (const { columns: chunks } of row_groups) {
    for (const { meta_data } of chunks) {
      // Of a list or a map the groups that Parquet puts between are of no interest.
      const path = meta_data!.path_in_schema.filter((name) => !/^(list|element|key_value)$/.test(name)).join(".");
      columns[path] ??= { compressed: 0, uncompressed: 0 };
      columns[path].compressed += Number(meta_data!.total_compressed_size);
      columns[path].uncompressed += Number(meta_data!.total_uncompressed_size);
    }
  }
  const rowGroups = row_groups.map(({ num_rows, total_byte_size, total_compressed_size }) => ({
    rows: Number(num_rows),
    bytes: Number(total_compressed_size ?? total_byte_size),
  }));
  return { columns, rowGroups };
}

function sliced(copy: TemporaryFile, byteLength: number): ByteSource {
  return {
    byteLength,
    slice: (start, end = byteLength) => copy.read(start, Math.max(0, Math.min(end, byteLength) - start)).buffer,
  };
}
