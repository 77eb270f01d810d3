// A bucket, or a part of one, as a place to read from (Source) and to write to (Sink).
import { InputError, OutputError } from "../errors.ts";
import type { S3Options, Sink, Source } from "./ports.ts";
import { Bucket } from "./s3-bucket.ts";
import { Conditions } from "./s3-conditions.ts";
import { readEnd } from "./s3-end.ts";
import { abortUploads } from "./s3-multipart.ts";
import type { Patience } from "./s3-patience.ts";
import { openObject, readWhole } from "./s3-reader.ts";
import { removeObject } from "./s3-remove.ts";
import { s3Ranges } from "./s3-split.ts";
import { putBytes, S3Upload } from "./s3-upload.ts";

/** Where "s3://bucket/prefix" is. */
export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
  readonly options?: S3Options;
  readonly patience?: Patience;
}

/** Nothing is sent before the first call. */
export function s3Source({ bucket: name, prefix, options = {}, patience }: S3Place): Source {
  const bucket = new Bucket(name, prefix, options, InputError, patience);
  return {
    url: bucket.url,
    urlOf: (key) => bucket.urlOf(key),
    list: (prefix) => bucket.list(prefix),
    folders: (prefix) => bucket.folders(prefix),
    head: (key) => bucket.head(key),
    open: (key, etag, size) => openObject(bucket, key, etag, size),
    ranges: s3Ranges(bucket),
    async etag({ key, etag }) {
      const found = etag ?? (await bucket.head(key))?.etag;
      if (found === undefined) throw new InputError(`Cannot read ${bucket.urlOf(key)}: it does not exist`);
      return found;
    },
    prepare: () => bucket.prepare(),
  };
}

/** Nothing is sent before the first call. */
export function s3Sink({ bucket: name, prefix, options = {}, patience }: S3Place): Sink {
  // What is read here was written by this program, with a checksum where the store keeps them.
  const bucket = new Bucket(name, prefix, { ...options, requireChecksum: false }, OutputError, patience);
  const conditions = new Conditions(bucket);
  return {
    url: bucket.url,
    urlOf: (key) => bucket.urlOf(key),
    list: (prefix) => bucket.list(prefix),
    head: (key) => bucket.head(key),
    read: (key, last) => (last === undefined ? readWhole(bucket, key) : readEnd(bucket, key, last)),
    create: async (key) => new S3Upload(bucket, conditions, key),
    put: (key, bytes, expected) => putBytes(bucket, conditions, key, bytes, expected),
    remove: (key, expected) => removeObject(bucket, conditions, key, expected),
    honoursConditions: (prefix) => conditions.areHonoured(prefix),
    abortPending: (prefix) => abortUploads(bucket, prefix),
  };
}
