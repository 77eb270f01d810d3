// Standard input as a file: it is spooled to disk, so that it can be planned, hashed and read as any other input.
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OutputError } from "../errors.ts";
import { stateOf } from "./paths.ts";

export interface SpooledInput {
  readonly path: string;
  remove(): Promise<void>;
}

/** Reads `input` to its end into a temporary file named "stdin". Throws OutputError where it cannot be written. */
export async function spoolStdin(input: NodeJS.ReadableStream = process.stdin): Promise<SpooledInput> {
  const { pipeline } = await import("node:stream/promises"); // a millisecond, for nothing where there are files
  const folder = mkdtempSync(join(tmpdir(), "derive-"));
  const remove = async () => rmSync(folder, { recursive: true, force: true });
  const path = join(folder, "stdin");
  try {
    await pipeline(input, createWriteStream(path));
  } catch (error) {
    await remove();
    throw new OutputError(`Cannot spool stdin to ${path}: ${stateOf(error)}. TMPDIR names another folder for it`);
  }
  return { path, remove };
}
