// Standard input as a file: it is spooled to disk, so that it can be planned, hashed and read as any other input.
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { OutputError } from "../errors.ts";
import { stateOf } from "./paths.ts";

export interface SpooledInput {
  readonly path: string;
  remove(): Promise<void>;
}

/** Reads `input` to its end into a temporary file named "stdin". Throws OutputError where it cannot be written. */
export async function spoolStdin(input: NodeJS.ReadableStream = process.stdin): Promise<SpooledInput> {
  const folder = await mkdtemp(join(tmpdir(), "derive-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, "stdin");
  try {
    await pipeline(input, createWriteStream(path));
  } catch (error) {
    await remove();
    throw new OutputError(`Cannot spool stdin to ${path}: ${stateOf(error)}. TMPDIR names another folder for it`);
  }
  return { path, remove };
}
