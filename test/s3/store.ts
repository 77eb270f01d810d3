// What the S3 double keeps: buckets, objects, uploads in parts; and S3's rules about conditions and checksums.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export interface StoredObject {
  readonly bytes: Uint8Array;
  /** With quotes, as S3 gives it. */
  readonly etag: string;
  /** Headers that GET and HEAD give: x-amz-checksum-…, x-amz-server-side-encryption. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PendingUpload {
  readonly bucket: string;
  readonly key: string;
  readonly parts: Map<number, { readonly bytes: Uint8Array; readonly etag: string; readonly crc32?: string }>;
}

/** An answer of S3 that is an error. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

export function md5Of(bytes: Uint8Array): Buffer {
  return createHash("md5").update(bytes).digest();
}

export function crc32Of(bytes: Uint8Array): string {
  const text = Buffer.alloc(4);
  text.writeUInt32BE(crc32(bytes));
  return text.toString("base64");
}

export interface Manners {
  /** Objects in one page of a listing. */
  readonly pageSize: number;
  /**
   * Whether If-None-Match and If-Match of writes are obeyed; "ignored" as old stores do, "refused" with 501, "quoted" as Ceph 16:
   * an ETag never equals the one that is sent in quotes, and objects are removed whatever lies there.
   */
  readonly conditions: "honoured" | "ignored" | "refused" | "quoted";
  /** Whether checksums are kept and given back. */
  readonly checksums: boolean;
  /** Whether a part of an object can be asked for; "ignored": all of it comes. */
  readonly ranges: "honoured" | "ignored";
}

export class Store {
  readonly buckets = new Map<string, Map<string, StoredObject>>();
  readonly uploads = new Map<string, PendingUpload>();
  #uploads = 0;

  constructor(readonly manners: Manners) {}

  bucket(name: string): Map<string, StoredObject> {
    const bucket = this.buckets.get(name);
    if (!bucket) throw new Refusal(404, "NoSuchBucket");
    return bucket;
  }

  /** An object put there by hand, with headers as an upload would have left them. */
  place(bucket: string, key: string, bytes: Uint8Array | string, headers: Record<string, string> = {}): StoredObject {
    const content = Buffer.from(bytes);
    const object = { bytes: content, etag: `"${md5Of(content).toString("hex")}"`, headers };
    const objects = this.buckets.get(bucket) ?? new Map();
    this.buckets.set(bucket, objects.set(key, object));
    return object;
  }

  get(bucket: string, key: string): StoredObject {
    const object = this.bucket(bucket).get(key);
    if (!object) throw new Refusal(404, "NoSuchKey");
    return object;
  }

  put(bucket: string, key: string, bytes: Uint8Array, headers: Headers): StoredObject {
    this.refuseCondition(bucket, key, headers);
    refuseDamage(bytes, headers);
    const given = headers.get("x-amz-checksum-crc32");
    const kept: Record<string, string> =
      this.manners.checksums && given ? { "x-amz-checksum-crc32": given, "x-amz-checksum-type": "FULL_OBJECT" } : {};
    return this.place(bucket, key, bytes, kept);
  }

  begin(bucket: string, key: string): string {
    this.bucket(bucket);
    const id = `upload-${++this.#uploads}`;
    this.uploads.set(id, { bucket, key, parts: new Map() });
    return id;
  }

  upload(id: string): PendingUpload {
    const upload = this.uploads.get(id);
    if (!upload) throw new Refusal(404, "NoSuchUpload");
    return upload;
  }

  putPart(id: string, number: number, bytes: Uint8Array, headers: Headers): string {
    refuseDamage(bytes, headers);
    const etag = `"${md5Of(bytes).toString("hex")}"`;
    const crc32 = headers.get("x-amz-checksum-crc32") ?? undefined;
    this.upload(id).parts.set(number, { bytes, etag, crc32 });
    return etag;
  }

  complete(id: string, xml: string, headers: Headers): StoredObject {
    const { bucket, key, parts } = this.upload(id);
    this.refuseCondition(bucket, key, headers);
    const named = [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => {
      const number = Number(/<PartNumber>(\d+)</.exec(part!)?.[1]);
      const etag = /<ETag>(.*?)</.exec(part!)?.[1]?.replaceAll("&quot;", '"');
      const found = parts.get(number);
      if (!found || found.etag !== etag) throw new Refusal(400, "InvalidPart");
      return found;
    });
    if (named.slice(0, -1).some(({ bytes }) => bytes.length < 5 << 20)) throw new Refusal(400, "EntityTooSmall");
    const md5 = md5Of(Buffer.concat(named.map(({ bytes }) => md5Of(bytes)))).toString("hex");
    const object: StoredObject = {
      bytes: Buffer.concat(named.map(({ bytes }) => bytes)),
      etag: `"${md5}-${named.length}"`,
      headers: this.manners.checksums
        ? { "x-amz-checksum-crc32": `AAAAAA==-${named.length}`, "x-amz-checksum-type": "COMPOSITE" }
        : {},
    };
    this.bucket(bucket).set(key, object);
    this.uploads.delete(id);
    return object;
  }

  remove(bucket: string, key: string, headers: Headers): void {
    if (this.bucket(bucket).has(key) && this.manners.conditions !== "quoted")
      this.refuseCondition(bucket, key, headers);
    this.bucket(bucket).delete(key);
  }

  private refuseCondition(bucket: string, key: string, headers: Headers): void {
    const there = this.bucket(bucket).get(key);
    const [noneMatch, match] = [headers.get("if-none-match"), headers.get("if-match")];
    if (noneMatch === null && match === null) return;
    if (this.manners.conditions === "ignored") return;
    if (this.manners.conditions === "refused") throw new Refusal(501, "NotImplemented");
    if (noneMatch !== null && there) throw new Refusal(412, "PreconditionFailed");
    if (match !== null && !there) throw new Refusal(404, "NoSuchKey");
    if (match !== null && (there?.etag !== match || this.manners.conditions === "quoted"))
      throw new Refusal(412, "PreconditionFailed");
  }
}

function refuseDamage(bytes: Uint8Array, headers: Headers): void {
  const crc32 = headers.get("x-amz-checksum-crc32");
  if (crc32 !== null && crc32 !== crc32Of(bytes)) throw new Refusal(400, "BadDigest");
  const sha256 = headers.get("x-amz-content-sha256");
  if (sha256 && /^[0-9a-f]{64}$/.test(sha256) && sha256 !== createHash("sha256").update(bytes).digest("hex")) {
    throw new Refusal(400, "XAmzContentSHA256Mismatch");
  }
}
