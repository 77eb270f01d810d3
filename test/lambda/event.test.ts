// Every shape of event, as the services send it: the objects it names, what is skipped, and what is wrong with it.
import { describe, expect, test } from "bun:test";
import { readEvent } from "../../src/lambda/event.ts";
import { compareSequencers, decodeFormKey, encodeFormKey } from "../../src/lambda/keys.ts";
import { SHAPES, wrapObject } from "../../src/lambda/wrap.ts";
import { BUCKET, s3Event, s3Record, sqsEvent } from "./function.ts";

const TEST_EVENT = {
  Service: "Amazon S3",
  Event: "s3:TestEvent",
  Time: "2014-10-13T15:57:02.089Z",
  Bucket: "bucketname",
  RequestId: "5582815E1AEA5ADF",
  HostId: "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
};

const eventBridge = (key: string, changes: object = {}) => ({
  version: "0",
  id: "17793124-05d4-b198-2fde-7ededc63b103",
  "detail-type": "Object Created",
  source: "aws.s3",
  account: "123456789012",
  time: "2021-11-12T00:00:00Z",
  region: "ca-central-1",
  resources: ["arn:aws:s3:::raw-bucket"],
  detail: {
    version: "0",
    bucket: { name: BUCKET },
    object: {
      key,
      size: 5,
      etag: "b1946ac92492d2347c6235b4d2611184",
      "version-id": "IYV3p",
      sequencer: "617f08299329d189",
    },
    "request-id": "N4N7GDK58NMKJ12R",
    reason: "PutObject",
  },
  ...changes,
});

const sns = (message: unknown) => ({
  Records: [
    {
      EventSource: "aws:sns",
      EventVersion: "1.0",
      EventSubscriptionArn: "arn:aws:sns:us-east-2:123456789012:sns-lambda:21be56ed-a058-49f5-8c98-aedd2564c486",
      Sns: {
        Type: "Notification",
        MessageId: "95df01b4",
        TopicArn: "arn:aws:sns:x:1:t",
        Message: JSON.stringify(message),
      },
    },
  ],
});

const snsEnvelope = (message: unknown) => ({
  Type: "Notification",
  MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  TopicArn: "arn:aws:sns:us-west-2:123456789012:MyTopic",
  Subject: "Amazon S3 Notification",
  Message: JSON.stringify(message),
  Timestamp: "2012-05-02T00:54:06.655Z",
});

const batchOperations = (version: string, ...tasks: object[]) => ({
  invocationSchemaVersion: version,
  invocationId: "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
  job: { id: "f3cc4f60-61f6-4a2b-8a21-d07600c373ce" },
  tasks,
});

/** What an event means: its objects as "bucket key", how many things are skipped, its faults. */
function read(event: unknown, bucket?: string) {
  const { entries, shape, answering } = readEvent(JSON.stringify(event), bucket);
  return {
    shape,
    answering: answering.kind as string,
    entries: entries.length,
    objects: entries.flatMap(({ objects }) => objects.map((one) => `${one.bucket} ${one.key}`)),
    skipped: entries.flatMap(({ skipped }) => skipped).length,
    faults: entries.flatMap(({ faults }) => faults.map(({ message }) => message)),
  };
}

const one = (shape: string, answering: string, key: string) => ({
  shape,
  answering,
  entries: 1,
  objects: [`${BUCKET} ${key}`],
  skipped: 0,
  faults: [],
});

describe("shapes", () => {
  test.each([
    ["S3", "whole", "a b+c", s3Event(["a b+c"])],
    ["S3", "whole", "k", { Records: [{ s3: { bucket: { name: BUCKET }, object: { key: "k" } } }] }],
    ["SNS", "whole", "a b", sns(s3Event(["a b"]))],
    ["SNS", "whole", "a b+%20", sns(eventBridge("a b+%20"))],
    ["SQS", "messages", "a b", sqsEvent([s3Event(["a b"])])],
    ["SQS", "messages", "a b", sqsEvent([snsEnvelope(s3Event(["a b"]))])],
    ["SQS", "messages", "a+b%2B", sqsEvent([eventBridge("a+b%2B")])],
    ["EventBridge", "whole", "a+b%2B", eventBridge("a+b%2B")],
    [
      "S3 Batch Operations",
      "tasks",
      "a b+c d",
      batchOperations("1.0", {
        taskId: "t",
        s3Key: "a%20b%2Bc+d",
        s3VersionId: "1",
        s3BucketArn: `arn:aws:s3:::${BUCKET}`,
      }),
    ],
    [
      "S3 Batch Operations",
      "tasks",
      "a b",
      batchOperations("1.0", { taskId: "t", s3Key: "a+b", s3BucketArn: `arn:aws:s3:us-east-1:0123456788:${BUCKET}` }),
    ],
    [
      "S3 Batch Operations",
      "tasks",
      "é",
      batchOperations("2.0", { taskId: "t", s3Key: "%C3%A9", s3VersionId: null, s3Bucket: BUCKET }),
    ],
    [
      "Distributed Map",
      "whole",
      "a+b c",
      { BatchInput: { bucket: BUCKET }, Items: [{ Key: "a+b c", Size: 3, Etag: '"x"' }] },
    ],
    ["Distributed Map", "whole", "k", { BatchInput: { BucketName: BUCKET }, Items: [{ Key: "k" }] }],
    ["Distributed Map", "whole", "k", { Bucket: BUCKET, Key: "k", Size: 1 }],
    ["direct", "whole", "a+%2B", { bucket: BUCKET, key: "a+%2B" }],
  ])("%s, answered by %s: %s", (shape, answering, key, event) => {
    expect(read(event)).toEqual(one(shape, answering, key));
  });

  test("an item of a Distributed Map without a bucket takes the configured one", () => {
    expect(read({ Key: "k", Size: 1 }, BUCKET)).toEqual(one("Distributed Map", "whole", "k"));
    expect(read({ Key: "k", Size: 1 }).faults).toEqual([expect.stringContaining("BatchInput")]);
  });

  test.each([
    ["itself", TEST_EVENT],
    ["in SNS", sns(TEST_EVENT)],
    ["in SQS", sqsEvent([TEST_EVENT])],
    ["in SNS in SQS", sqsEvent([snsEnvelope(TEST_EVENT)])],
  ])("S3's test event, %s: nothing to do", (_, event) => {
    expect(read(event)).toMatchObject({ objects: [], skipped: 1, faults: [] });
  });

  test.each([
    ["ObjectCreated:Put", 1],
    ["ObjectCreated:Post", 1],
    ["ObjectCreated:Copy", 1],
    ["ObjectCreated:CompleteMultipartUpload", 1],
    ["s3:ObjectCreated:Put", 1],
    ["ObjectRemoved:Delete", 0],
    ["ObjectRestore:Completed", 0],
    ["ObjectTagging:Put", 0],
    ["LifecycleExpiration:Delete", 0],
  ])("%s acts on %i objects", (eventName, objects) => {
    const event = { Records: [{ ...(s3Record("k") as object), eventName }] };
    expect(read(event)).toMatchObject({ skipped: 1 - objects, faults: [] });
    expect(read(event).objects).toHaveLength(objects);
  });

  test("EventBridge: only Object Created acts, only aws.s3 is understood", () => {
    expect(read(eventBridge("k", { "detail-type": "Object Deleted" }))).toMatchObject({
      objects: [],
      skipped: 1,
      faults: [],
    });
    expect(read(eventBridge("k", { source: "aws.ec2" })).faults).toHaveLength(1);
  });

  test("the marker of a folder is skipped", () => {
    expect(read(s3Event(["telemetry-2/20151028/"], { size: 0 }))).toMatchObject({
      objects: [],
      skipped: 1,
      faults: [],
    });
  });

  test("an event without records has nothing to do", () => {
    expect(read({ Records: [] })).toMatchObject({ objects: [], faults: [] });
  });

  test.each([...SHAPES])("derive invoke --shape %s makes what is read back", (shape) => {
    const key = "a b/c+d%2B?é&\u{1f98a}";
    expect(read(wrapObject({ bucket: BUCKET, key, size: 1 }, shape)).objects).toEqual([`${BUCKET} ${key}`]);
  });
});

describe("what is no event", () => {
  const SECRET = "PINGMARK";
  test.each([
    [{ name: SECRET, other: { deep: SECRET } }, "it has the keys name, other"],
    [{}, "it has no keys"],
    [[SECRET], "it is a list"],
    [SECRET, "it is a string"],
    [null, "it is null"],
    [{ Records: [{ dynamodb: SECRET }] }, "it has the keys dynamodb. The event has the keys Records"],
    [{ Records: [SECRET] }, "a record of it is a string"],
    [{ Records: [{ s3: { bucket: { name: 7 }, object: { key: SECRET } } }] }, "no s3.bucket.name"],
    [{ Records: [{ s3: { bucket: { name: "a/../b" }, object: { key: "k" } } }] }, "a bucket that can be none"],
    [{ Records: [{ s3: { bucket: { name: BUCKET }, object: { key: "" } } }] }, "an empty key"],
    [{ Records: [{ s3: { bucket: { name: BUCKET }, object: { key: "%C3x" } } }] }, "no UTF-8"],
    [sqsEvent([SECRET]), "no JSON"],
    [sqsEvent([{ a: SECRET }]), "it has the keys a"],
    [{ tasks: [{ taskId: "t", s3Key: 1 }] }, "a task of it has no s3Key"],
    [{ Items: [{ nothing: SECRET }] }, "it has the keys nothing"],
  ])("%j", (event, told) => {
    const { faults, objects } = read(event);
    expect(objects).toEqual([]);
    expect(faults).toEqual([expect.stringContaining(told)]);
    expect(faults.join()).not.toContain(SECRET);
  });

  test("text that is no JSON", () => {
    const { entries } = readEvent(`{"${SECRET}`, undefined);
    expect(entries[0]?.faults[0]?.message).toBe("Cannot read the event: it is no JSON");
  });

  test("messages in messages end", () => {
    let event: unknown = s3Event(["k"]);
    for (let depth = 0; depth < 9; depth++) event = snsEnvelope(event);
    expect(read(event).faults).toHaveLength(1);
  });

  test("many and long keys are cut", () => {
    const event = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`${i}`.padStart(500, "x"), 1]));
    expect(read(event).faults[0]!.length).toBeLessThan(2000);
  });

  test("a bad record does not keep the others from being tried", () => {
    const event = { Records: [s3Record("a"), { what: 1 }, s3Record("b")] };
    expect(read(event)).toMatchObject({ entries: 3, objects: [`${BUCKET} a`, `${BUCKET} b`] });
    expect(read(event).faults).toHaveLength(1);
  });
});

describe("keys", () => {
  test.each([
    ["a b", "a+b"],
    ["a+b", "a%2Bb"],
    ["a%2Bb", "a%252Bb"],
    ["a/b=c", "a/b%3Dc"],
    ["é\u{1f98a}", "%C3%A9%F0%9F%A6%8A"],
    ["100%", "100%25"],
  ])("%s is %s in a notification", (key, encoded) => {
    expect(encodeFormKey(key)).toBe(encoded);
    expect(decodeFormKey(encoded)).toBe(key);
  });

  test.each([
    ["0055AED6DCD90281E5", "0055AED6DCD90281E5", 0],
    ["0055AED6DCD90281E5", "0055AED6DCD90281E6", -1],
    ["0056", "0055AED6DCD90281E5", 1],
    ["00", "000000", 0],
    ["ff", "FF00", 0],
    [undefined, "00", -1],
    ["00", undefined, 1],
    [undefined, undefined, 0],
  ])("sequencer %p against %p: %i", (a, b, order) => {
    expect(compareSequencers(a, b)).toBe(order);
  });
});
