// What one entry of an event names: records of S3 and EventBridge, and those that SNS and SQS carry as texts.

import { UsageError } from "../errors.ts";
import { decodeFormKey } from "./keys.ts";

export interface NamedObject {
  readonly bucket: string;
  /** Decoded. */
  readonly key: string;
  /** Orders the events of one key. */
  readonly sequencer?: string;
}

/** What is answered for itself: a message of SQS, a task of Batch Operations, a record of any other event. */
export class Entry {
  readonly objects: NamedObject[] = [];
  /** Sentences about what there is nothing to do for. */
  readonly skipped: string[] = [];
  readonly faults: UsageError[] = [];

  /**
   * @param id a messageId or taskId
   * @param group of a FIFO queue: entries of one group are taken in their order
   */
  constructor(
    readonly id = "",
    readonly group?: string,
  ) {}

  /** @param size in bytes, where the event tells it: consoles leave empty objects for folders made by hand. */
  add(object: NamedObject, size?: unknown): void {
    const { bucket, key } = object;
    // It becomes part of a URL.
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) this.refuse("it names a bucket that can be none");
    else if (key === "") this.refuse("it names an object by an empty key");
    else if (key.endsWith("/") && (size === undefined || size === 0)) {
      this.skipped.push(`s3://${bucket}/${key} is the marker of a folder`);
    } else this.objects.push(object);
  }

  refuse(state: string): void {
    this.faults.push(new UsageError(`Cannot read the event: ${state}`));
  }
}

export type Table = { readonly [key: string]: unknown };

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const NAMES_TOLD = 20;

/** The names of a table's own keys, or what it is instead: never what is in it. */
export function namesOf(value: unknown): string {
  if (!isTable(value)) return Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
  const names = Object.keys(value).map((name) => (name.length > 64 ? `${name.slice(0, 64)}…` : name));
  if (names.length === 0) return "no keys";
  return `the keys ${names.slice(0, NAMES_TOLD).join(", ")}${names.length > NAMES_TOLD ? ", …" : ""}`;
}

/** S3 in SNS in SQS is three; what goes deeper was made to go deep. */
const DEEPEST = 5;

/** Whatever S3, EventBridge or SNS send, as it stands at the top of an event or in a message. */
export function collect(value: unknown, entry: Entry, depth = 0): void {
  if (depth > DEEPEST) entry.refuse("it holds messages in messages in messages");
  else if (!isTable(value)) entry.refuse(`it is ${namesOf(value)}, and no shape that derive knows`);
  else if (value.Event === "s3:TestEvent") entry.skipped.push("S3's test event");
  else if (Array.isArray(value.Records)) for (const record of value.Records) recordInto(record, entry, depth);
  else if (typeof value.Message === "string" && "TopicArn" in value) collectText(value.Message, entry, depth);
  else if (typeof value["detail-type"] === "string") eventBridgeInto(value, value["detail-type"], entry);
  else entry.refuse(`it has no shape that derive knows; it has ${namesOf(value)}`);
}

function collectText(text: string, entry: Entry, depth: number): void {
  const value = parseJson(text);
  if (value === undefined) entry.refuse("a message in it is no JSON");
  else collect(value, entry, depth + 1);
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One of `Records`: of S3, SNS or SQS. */
export function recordInto(record: unknown, entry: Entry, depth = 0): void {
  if (!isTable(record)) entry.refuse(`a record of it is ${namesOf(record)}`);
  else if (isTable(record.s3)) s3Into(record, record.s3, entry);
  else if (isTable(record.Sns) && typeof record.Sns.Message === "string") collectText(record.Sns.Message, entry, depth);
  else if (typeof record.body === "string") collectText(record.body, entry, depth);
  else if (record.Event === "s3:TestEvent") entry.skipped.push("S3's test event");
  else entry.refuse(`a record of it has no shape that derive knows; it has ${namesOf(record)}`);
}

function s3Into({ eventName }: Table, { bucket, object }: Table, entry: Entry): void {
  const name = isTable(bucket) ? bucket.name : undefined;
  const { key, sequencer, size } = isTable(object) ? object : {};
  if (typeof name !== "string" || typeof key !== "string") {
    entry.refuse("a record of S3 in it has no s3.bucket.name or no s3.object.key");
  } else if (typeof eventName === "string" && !/^(s3:)?ObjectCreated:/.test(eventName)) {
    entry.skipped.push(skipped(eventName, name, key));
  } else addEncoded(entry, { bucket: name, key, sequencer: text(sequencer) }, size);
}

function eventBridgeInto({ source, detail }: Table, kind: string, entry: Entry): void {
  const { bucket, object } = isTable(detail) ? detail : {};
  const name = isTable(bucket) ? bucket.name : undefined;
  const { key, sequencer, size } = isTable(object) ? object : {};
  if (source !== "aws.s3") entry.refuse("it comes from EventBridge, but not from aws.s3");
  else if (typeof name !== "string" || typeof key !== "string") {
    entry.refuse("its detail has no bucket.name or no object.key");
  } else if (kind !== "Object Created") entry.skipped.push(skipped(kind, name, key));
  else entry.add({ bucket: name, key, sequencer: text(sequencer) }, size);
}

/** A task of Batch Operations: 1.0 names an ARN, 2.0 a bucket. */
export function taskInto(task: unknown, entry: Entry): void {
  const { s3Key, s3BucketArn, s3Bucket } = isTable(task) ? task : {};
  const bucket = text(s3Bucket) ?? text(s3BucketArn)?.split(":").at(-1);
  if (bucket !== undefined && typeof s3Key === "string") addEncoded(entry, { bucket, key: s3Key });
  else entry.refuse(`a task of it has no s3Key, or neither s3BucketArn nor s3Bucket; it has ${namesOf(task)}`);
}

function skipped(what: string, bucket: string, key: string): string {
  return `${what} of ${key} in bucket ${bucket}: only new objects are derived`;
}

function addEncoded(entry: Entry, object: NamedObject, size?: unknown): void {
  const key = decodeFormKey(object.key);
  if (key !== undefined) entry.add({ ...object, key }, size);
  else entry.refuse(`the %-escapes of its key ${JSON.stringify(object.key)} are no UTF-8`);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
