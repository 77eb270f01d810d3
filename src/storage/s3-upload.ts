// One object on its way to S3: spooled to the local disk, read back from there, and sent whole at its commit.
import { InternalError } from "../errors.ts";
import type { Expected, Upload } from "./ports.ts";
import type { Bucket } from "./s3-bucket.ts";
import type { Conditions } from "./s3-conditions.ts";
import type { Content } from "./s3-settle.ts";
import { writeObject } from "./s3-write.ts";
import { TemporaryFile } from "./temporary.ts";

/** A small object at once, without the disk. */
export function putBytes(
  bucket: Bucket,
  conditions: Conditions,
  key: string,
  bytes: Uint8Array,
  expected: Expected = "anything",
): Promise<string> {
  const content = {
    byteLength: bytes.byteLength,
    read: (start: number, length: number) => bytes.subarray(start, start + length),
  };
  const { signal } = new AbortController();
  return writeObject({ bucket, conditions, key, content, expected, signal, doubtful: false, strays: false });
}

export class S3Upload implements Upload {
  readonly #file = new TemporaryFile();
  readonly #ending = new AbortController();
  #state: "writing" | "written" | "committed" | "aborted" = "writing";
  #byteLength = 0;
  #commit: Promise<string> | undefined;

  constructor(
    private readonly bucket: Bucket,
    private readonly conditions: Conditions,
    private readonly key: string,
  ) {}

  get byteLength(): number {
    return this.#byteLength;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#state !== "writing") {
      throw new InternalError(`Cannot write ${this.bucket.urlOf(this.key)}: its writing has ended`);
    }
    this.#file.append(bytes);
    this.#byteLength += bytes.byteLength;
  }

  async slice(start: number, end = this.#byteLength): Promise<ArrayBuffer> {
    if (this.#state === "writing") this.#state = "written";
    return this.#file.read(start, Math.max(0, end - start)).buffer;
  }

  async commit(expected: Expected = "anything"): Promise<string> {
    if (this.#state === "committed" || this.#state === "aborted") {
      throw new InternalError(`Cannot commit ${this.bucket.urlOf(this.key)}: it is ${this.#state}`);
    }
    this.#state = "written";
    const content: Content = { byteLength: this.#byteLength, read: (start, length) => this.#file.read(start, length) };
    const { bucket, conditions, key } = this;
    const { signal } = this.#ending;
    this.#commit = writeObject({ bucket, conditions, key, content, expected, signal, doubtful: false, strays: false });
    const etag = await this.#commit;
    this.#state = "committed";
    this.#file.close();
    return etag;
  }

  /** Ends a commit that is under way too, within seconds. */
  async abort(): Promise<void> {
    if (this.#state === "committed" || this.#state === "aborted") return;
    this.#ending.abort();
    await this.#commit?.catch(() => {});
    // The commit may have come to its end first.
    if ((this.#state as string) === "committed") return;
    this.#state = "aborted";
    this.#file.close();
  }
}
