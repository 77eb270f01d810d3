// Bytes that wait on the local disk: a file without a name, gone when it is closed or the program ends, however it ends.
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OutputError } from "../errors.ts";
import { stateOf } from "./paths.ts";

export class TemporaryFile {
  private readonly path: string;
  private readonly fd: number;
  private size = 0;

  constructor() {
    this.path = join(tmpdir(), `derive-${crypto.randomUUID()}.tmp`);
    this.fd = this.attempt("create", () => openSync(this.path, "wx+", 0o600));
    unlinkSync(this.path);
  }

  /** Appends bytes and returns the offset they lie at. Throws OutputError. */
  append(bytes: Uint8Array): number {
    const offset = this.size;
    for (let done = 0; done < bytes.byteLength; ) {
      done += this.attempt("write", () => writeSync(this.fd, bytes, done, bytes.byteLength - done, offset + done));
    }
    this.size += bytes.byteLength;
    return offset;
  }

  /** Reads `length` bytes that were appended at `offset`. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const got = this.attempt("read", () => readSync(this.fd, bytes, done, length - done, offset + done));
      if (got === 0)
        throw new OutputError(`Cannot read temporary file ${this.path}: it ends at ${offset + done} bytes`);
      done += got;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.fd);
  }

  private attempt<T>(verb: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new OutputError(
        `Cannot ${verb} temporary file ${this.path}: ${stateOf(error)}. Make room there (in Lambda: more ephemeral storage), or name another folder by TMPDIR`,
      );
    }
  }
}
