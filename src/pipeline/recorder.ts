// A message that notes what a stream asks of it: for `derive why`. Not for the many: each question is kept with its answer.

import type { Message, Path } from "../heka/message.ts";

/** One question and its answer. */
export interface Asked {
  /** The dotted path; "uuid", "timestamp" and their like for members of the message. */
  readonly path: string;
  /** What was asked for: "string", "double", "json", "has", "member". */
  readonly as: string;
  /** As the getter gave it; absent where it gave what stands for a missing value, or threw. */
  readonly value?: unknown;
}

type Getter = "string" | "int" | "long" | "double" | "boolean" | "bytes" | "json" | "has";
type Member = "uuid" | "timestamp" | "type" | "logger" | "hostname" | "payload" | "severity" | "envVersion" | "pid";

/** What a getter is made to give instead, by the number of its question; undefined: the true answer. */
export type Instead = (number: number, asked: Asked) => { readonly value: unknown } | "missing" | undefined;

const MISSING = Symbol("missing");

export class Recorder implements Message {
  /** In the order in which they were asked, repetitions too. */
  readonly asked: Asked[] = [];

  constructor(
    private readonly inner: Message,
    private readonly instead: Instead = () => undefined,
  ) {}

  string(path: Path, ...otherwise: unknown[]): string {
    return this.#get("string", path, otherwise) as string;
  }

  int(path: Path, ...otherwise: unknown[]): number {
    return this.#get("int", path, otherwise) as number;
  }

  long(path: Path, ...otherwise: unknown[]): bigint {
    return this.#get("long", path, otherwise) as bigint;
  }

  double(path: Path, ...otherwise: unknown[]): number {
    return this.#get("double", path, otherwise) as number;
  }

  boolean(path: Path, ...otherwise: unknown[]): boolean {
    return this.#get("boolean", path, otherwise) as boolean;
  }

  bytes(path: Path, ...otherwise: unknown[]): Uint8Array {
    return this.#get("bytes", path, otherwise) as Uint8Array;
  }

  // biome-ignore lint/suspicious/noExplicitAny: see the interface.
  json(path: Path, ...otherwise: unknown[]): any {
    return this.#get("json", path, otherwise);
  }

  has(path: Path): boolean {
    return this.#get("has", path, []) as boolean;
  }

  get uuid(): string {
    return this.#member("uuid") as string;
  }

  get timestamp(): bigint {
    return this.#member("timestamp") as bigint;
  }

  get type(): string {
    return this.#member("type") as string;
  }

  get logger(): string {
    return this.#member("logger") as string;
  }

  get hostname(): string {
    return this.#member("hostname") as string;
  }

  get payload(): string {
    return this.#member("payload") as string;
  }

  get severity(): number {
    return this.#member("severity") as number;
  }

  get envVersion(): string {
    return this.#member("envVersion") as string;
  }

  get pid(): number {
    return this.#member("pid") as number;
  }

  #get(as: Getter, path: Path, otherwise: readonly unknown[]): unknown {
    const text = typeof path === "string" ? path : path.length > 0 ? path.join(".") : "[]";
    const get = this.inner[as] as (path: Path, ...otherwise: unknown[]) => unknown;
    const truth = (...more: unknown[]): unknown => get.call(this.inner, path, ...more);
    let found: unknown = MISSING;
    try {
      found = as === "has" ? truth() : truth(MISSING);
      return this.#answer(found === MISSING ? { path: text, as } : { path: text, as, value: found }, () =>
        // Asked again: what a missing value means, and that it throws, is the message's own affair.
        otherwise.length > 0 ? otherwise[0] : truth(),
      );
    } catch (error) {
      if (found === MISSING && this.asked.at(-1)?.path !== text) this.asked.push({ path: text, as });
      throw error;
    }
  }

  #member(name: Member): unknown {
    return this.#answer({ path: name, as: "member", value: this.inner[name] }, () => this.inner[name]);
  }

  #answer(asked: Asked, otherwise: () => unknown): unknown {
    const number = this.asked.push(asked) - 1;
    const instead = this.instead(number, asked);
    if (instead === "missing" || (instead === undefined && !("value" in asked))) return otherwise();
    return instead === undefined ? asked.value : instead.value;
  }
}
