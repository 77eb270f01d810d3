// An object's place in an event, as each of the services would send it: for `derive invoke`.

import { encodeFormKey } from "./keys.ts";

export const SHAPES = ["s3", "sns", "sqs", "eventbridge", "batchops", "direct"] as const;
export type EventShape = (typeof SHAPES)[number];

export interface Wrapped {
  readonly bucket: string;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/** The event that tells of a new object. */
export function wrapObject(object: Wrapped, shape: EventShape, now = new Date()): unknown {
  const { bucket, key, size } = object;
  const s3 = () => s3Event(object, now);
  switch (shape) {
    case "s3":
      return s3();
    case "sns":
      return {
        Records: [
          { EventSource: "aws:sns", EventVersion: "1.0", Sns: { Type: "Notification", Message: JSON.stringify(s3()) } },
        ],
      };
    case "sqs":
      return {
        Records: [
          { messageId: crypto.randomUUID(), body: JSON.stringify(s3()), attributes: {}, eventSource: "aws:sqs" },
        ],
      };
    case "eventbridge":
      return {
        version: "0",
        id: crypto.randomUUID(),
        "detail-type": "Object Created",
        source: "aws.s3",
        time: now.toISOString(),
        detail: { version: "0", bucket: { name: bucket }, object: { key, size }, reason: "PutObject" },
      };
    case "batchops":
      return {
        invocationSchemaVersion: "2.0",
        invocationId: crypto.randomUUID(),
        job: { id: crypto.randomUUID(), userArguments: {} },
        tasks: [{ taskId: crypto.randomUUID(), s3Key: encodeFormKey(key), s3VersionId: null, s3Bucket: bucket }],
      };
    case "direct":
      return { bucket, key };
  }
}

function s3Event({ bucket, key, size }: Wrapped, now: Date) {
  const record = {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    eventTime: now.toISOString(),
    eventName: "ObjectCreated:Put",
    s3: {
      s3SchemaVersion: "1.0",
      bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
      object: { key: encodeFormKey(key), size },
    },
  };
  return { Records: [record] };
}
