// Writes under a condition: how they are asked for, whether the store knows them, and what a refusal means.
import { ConditionFailed } from "../errors.ts";
import { folderPrefix } from "./keys.ts";
import type { Expected } from "./ports.ts";
import type { Bucket } from "./s3-bucket.ts";
import { faultOf } from "./s3-fault.ts";
import { unquoted } from "./s3-fetch.ts";
import { pause } from "./s3-patience.ts";

/** Readers skip names that begin so. Always the same name, so that the next run removes what a killed one leaves. */
const PROBE = "_derive.probe";

export interface ConditionHeaders {
  readonly IfNoneMatch?: "*";
  readonly IfMatch?: string;
}

/** One for each sink. */
export class Conditions {
  /** Conditions of writes that this store does not go by: ignored, or refused also where they hold. */
  readonly #unusable = { nothing: false, etag: false };
  #asked: Promise<boolean> | undefined;

  constructor(private readonly bucket: Bucket) {}

  /** Asks the store once, with an object that is gone again afterwards. */
  areHonoured(prefix: string): Promise<boolean> {
    this.#asked ??= this.#ask(folderPrefix(prefix) + PROBE);
    return this.#asked;
  }

  /** The headers of a conditional write. Where the store does not go by them a look is all there is, and is taken here. */
  async headersFor(key: string, expected: Expected, signal: AbortSignal): Promise<ConditionHeaders> {
    if (expected === "anything") return {};
    if (expected === "nothing" ? this.#unusable.nothing : this.#unusable.etag) {
      await this.look(key, expected, signal);
      return {};
    }
    return expected === "nothing" ? { IfNoneMatch: "*" } : { IfMatch: `"${expected.etag}"` };
  }

  /** Throws ConditionFailed when something else than expected lies there now. */
  async look(key: string, expected: Exclude<Expected, "anything">, signal?: AbortSignal): Promise<void> {
    const there = unquoted((await this.bucket.ask(key, signal))?.ETag);
    if (there !== (expected === "nothing" ? undefined : expected.etag)) throw this.failed(key, expected);
  }

  /** Notes that the store refused a write for having a condition; false where that was known already. */
  areUnknown(): boolean {
    const news = !(this.#unusable.nothing && this.#unusable.etag);
    this.#unusable.nothing = true;
    this.#unusable.etag = true;
    return news;
  }

  failed(key: string, expected: Expected): ConditionFailed {
    const state = expected === "nothing" ? "it exists already" : "it is not what it was";
    return new ConditionFailed(`Cannot write ${this.bucket.urlOf(key)}: ${state}`);
  }

  async #ask(key: string): Promise<boolean> {
    try {
      let nothing = false;
      let etag = false;
      // Another run may remove the probe between two of our requests: one failure is no proof that conditions are not known.
      for (let attempt = 1; attempt <= 3 && !(nothing && etag); attempt++) {
        if (attempt > 1) await pause(attempt);
        nothing ||=
          (await this.#isRefused(key, { IfNoneMatch: "*" })) || (await this.#isRefused(key, { IfNoneMatch: "*" }));
        etag ||= await this.#knowsEtags(key);
      }
      await this.bucket.remove(key);
      this.#unusable.nothing = !nothing;
      this.#unusable.etag = !etag;
      return nothing && etag;
    } catch (error) {
      this.#asked = undefined;
      throw this.bucket.failed("write", key, error, "s3:PutObject");
    }
  }

  /** Refuses another ETag and takes the right one: Ceph 16, for one, compares what it has with the quotes that are sent. */
  async #knowsEtags(key: string): Promise<boolean> {
    if (!(await this.#isRefused(key, { IfMatch: '"00000000000000000000000000000000"' }))) return false;
    const IfMatch = (await this.bucket.ask(key))?.ETag;
    return IfMatch !== undefined && !(await this.#isRefused(key, { IfMatch }));
  }

  async #isRefused(key: string, headers: ConditionHeaders): Promise<boolean> {
    const { sdk, client } = await this.bucket.connection();
    try {
      const Body = new TextEncoder().encode("Whether this store knows conditional writes. May be removed.\n");
      await client.send(new sdk.PutObjectCommand({ ...this.bucket.at(key), Body, ...headers }));
      return false;
    } catch (error) {
      const { status, code } = faultOf(error, "");
      if (status === 412 || status === 409 || (status === 404 && code !== "NoSuchBucket")) return true;
      if (status === 501) return false;
      throw error;
    }
  }
}
