// How the raw bucket, which no stack of ours owns, is made to tell of its new objects: its notification configuration is one
// document for all who listen, so it is read, changed where it is about us, and put back whole.

/** As `aws s3api get-bucket-notification-configuration` prints it. */
export interface Notification {
  readonly QueueConfigurations?: readonly { readonly Id?: string }[];
  readonly EventBridgeConfiguration?: object;
  readonly [others: string]: unknown;
}

export interface Wish {
  readonly trigger: string;
  /** Of our entry. */
  readonly id: string;
  readonly queueArn: string;
  readonly prefix: string;
}

/** The configuration with our wish in it, undefined where it has it already. */
export function withWish(now: Notification, { trigger, id, queueArn, prefix }: Wish): Notification | undefined {
  const queues = (now.QueueConfigurations ?? []).filter((entry) => entry.Id !== id);
  const ours = {
    Id: id,
    QueueArn: queueArn,
    Events: ["s3:ObjectCreated:*"],
    Filter: { Key: { FilterRules: [{ Name: "prefix", Value: prefix }] } },
  };
  if (trigger === "queue") queues.push(ours);
  const wished: Record<string, unknown> = { ...now, QueueConfigurations: queues };
  if (queues.length === 0) delete wished.QueueConfigurations;
  // Never taken away again: others may listen there as well.
  if (trigger === "eventbridge") wished.EventBridgeConfiguration ??= {};
  return isSame(now, wished) ? undefined : wished;
}

/** S3 gives names of rules and entries back in an order and with capitals of its own. */
function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) =>
      JSON.stringify(name) + ":" + (name === "Name" ? String(member).toLowerCase() : canonical(member)),
  );
  return `{${members.sort().join()}}`;
}
