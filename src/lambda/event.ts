// From an event of any shape to the objects it names. Its contents never reach an error: only the names of its top-level keys.

import { collect, Entry, isTable, namesOf, parseJson, recordInto, type Table, taskInto } from "./entries.ts";

/** How an event is to be answered. */
export type Answering =
  /** By an error if anything failed: Lambda, or who invoked it, tries again or keeps the event. */
  | { readonly kind: "whole" }
  /** By the messages that failed: SQS deletes the others. */
  | { readonly kind: "messages" }
  /** By what became of each task. */
  | { readonly kind: "tasks"; readonly invocationSchemaVersion: string; readonly invocationId: string };

/** An event, cut into what is answered for itself. */
export interface Delivery {
  /** For people: "S3", "SQS", … */
  readonly shape: string;
  readonly answering: Answering;
  readonly entries: readonly Entry[];
}

const WHOLE = { kind: "whole" } as const;

/**
 * Reads an event. What is wrong with a part of it is a fault of its entry, so that the others are tried all the same.
 * @param json its text
 * @param bucket stands in where an item of a Distributed Map names none
 */
export function readEvent(json: string, bucket: string | undefined): Delivery {
  const event = parseJson(json);
  if (event === undefined) return single("unknown", (entry) => entry.refuse("it is no JSON"));
  const delivery = deliveryOf(event, bucket);
  const names = namesOf(event);
  for (const fault of delivery.entries.flatMap(({ faults }) => faults)) {
    if (!fault.message.includes(names)) fault.message += `. The event has ${names}`;
  }
  return delivery;
}

function deliveryOf(event: unknown, bucket: string | undefined): Delivery {
  if (!isTable(event)) return single("unknown", (entry) => collect(event, entry));
  if (Array.isArray(event.tasks)) return batchOperations(event, event.tasks);
  if (Array.isArray(event.Records)) return records(event.Records);
  if (Array.isArray(event.Items)) return distributedMap(event.Items, namedBucket(event.BatchInput) ?? bucket);
  if (typeof event.Key === "string") return distributedMap([event], bucket);
  const { bucket: named, key } = event;
  if (typeof named === "string" && typeof key === "string") {
    return single("direct", (entry) => entry.add({ bucket: named, key }));
  }
  const shape = "detail-type" in event ? "EventBridge" : "Event" in event ? "S3" : "unknown";
  return single(shape, (entry) => collect(event, entry));
}

/** An event of one entry. */
function single(shape: string, fill: (entry: Entry) => void): Delivery {
  const entry = new Entry();
  fill(entry);
  return { shape, answering: WHOLE, entries: [entry] };
}

function records(list: readonly unknown[]): Delivery {
  const first = list.find(isTable) ?? {};
  if ("body" in first || first.eventSource === "aws:sqs") {
    return { shape: "SQS", answering: { kind: "messages" }, entries: list.map(message) };
  }
  const entries = list.map((record) => {
    const entry = new Entry();
    recordInto(record, entry);
    return entry;
  });
  return { shape: "Sns" in first ? "SNS" : "S3", answering: WHOLE, entries };
}

/** The messages of a FIFO queue come in an order, within each of its groups. */
function message(record: unknown): Entry {
  const { messageId, eventSourceARN, attributes } = isTable(record) ? record : {};
  const group = isTable(attributes) ? attributes.MessageGroupId : undefined;
  const isOrdered = typeof eventSourceARN === "string" && eventSourceARN.endsWith(".fifo");
  const entry = new Entry(typeof messageId === "string" ? messageId : "", isOrdered ? String(group ?? "") : undefined);
  recordInto(record, entry);
  return entry;
}

function batchOperations(event: Table, tasks: readonly unknown[]): Delivery {
  const entries = tasks.map((task) => {
    const { taskId } = isTable(task) ? task : {};
    const entry = new Entry(typeof taskId === "string" ? taskId : "");
    taskInto(task, entry);
    return entry;
  });
  const { invocationSchemaVersion, invocationId } = event;
  return {
    shape: "S3 Batch Operations",
    answering: {
      kind: "tasks",
      invocationSchemaVersion: String(invocationSchemaVersion ?? "1.0"),
      invocationId: String(invocationId ?? ""),
    },
    entries,
  };
}

/** The objects that Step Functions lists, or that stand in an inventory: keys are as they are. */
function distributedMap(items: readonly unknown[], bucket: string | undefined): Delivery {
  const entries = items.map((item) => {
    const entry = new Entry();
    if (!isTable(item) || typeof item.Key !== "string")
      entry.refuse(`an item of it has no Key; it has ${namesOf(item)}`);
    else {
      const from = typeof item.Bucket === "string" ? item.Bucket : bucket;
      if (from !== undefined) entry.add({ bucket: from, key: item.Key }, item.Size);
      else entry.refuse('no bucket is named. Give the Map\'s ItemBatcher a BatchInput of {"bucket": "…"}');
    }
    return entry;
  });
  return { shape: "Distributed Map", answering: WHOLE, entries };
}

/** Its name is for who writes the state machine to choose. */
function namedBucket(input: unknown): string | undefined {
  if (!isTable(input)) return undefined;
  const [, value] = Object.entries(input).find(([name]) => /^bucket(_?name)?$/i.test(name)) ?? [];
  return typeof value === "string" ? value : undefined;
}
