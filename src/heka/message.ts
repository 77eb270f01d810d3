// Second stage: from the bytes of one frame's message to what a stream sees of it.
import { FormatError, MissingField, ValueError } from "../errors.ts";
import { Document, type Place } from "./document.ts";
import { Envelope, READ_AT_ONCE } from "./envelope.ts";
import { allFields, type Field, readField } from "./fields.ts";
import type { MessageCheck, MessageKind } from "./frames.ts";
import { beginsMember, endOfMembers } from "./members.ts";
import type { Json, Message, Path } from "./message-view.ts";
import { type CompiledPath, compilePath, type FieldName } from "./path.ts";
import { messageTag, readInt64 } from "./protobuf.ts";
import { wholeJson } from "./sections.ts";
import { beginsBlock, CorruptBlock, maybeSnappy, uncompressSnappy, uncompressSoundPart } from "./snappy.ts";
import { booleanAt, bytesAt, doubleAt, intAt, longAt, stringAt, uuidAt } from "./values.ts";

export type { Json, Message, Path };

/** A decoded message. Reads from buffers that the decoder uses again: valid until it decodes the next one. */
export class RawMessage implements Message {
  /** Whether the message was a Snappy block. */
  readonly compressed: boolean;
  #envelope: Envelope;
  #document: Document;

  constructor(envelope: Envelope, compressed: boolean) {
    this.compressed = compressed;
    this.#envelope = envelope;
    this.#document = new Document(envelope);
  }

  string(path: Path, ...otherwise: unknown[]): string {
    return this.#get(path, otherwise, stringAt, "is not a string");
  }

  int(path: Path, ...otherwise: unknown[]): number {
    return this.#get(path, otherwise, intAt, "is not an int");
  }

  long(path: Path, ...otherwise: unknown[]): bigint {
    return this.#get(path, otherwise, longAt, "is not a long");
  }

  double(path: Path, ...otherwise: unknown[]): number {
    return this.#get(path, otherwise, doubleAt, "is not a double");
  }

  boolean(path: Path, ...otherwise: unknown[]): boolean {
    return this.#get(path, otherwise, booleanAt, "is not a boolean");
  }

  bytes(path: Path, ...otherwise: unknown[]): Uint8Array {
    return this.#get(path, otherwise, bytesAt, "is not bytes");
  }

  // biome-ignore lint/suspicious/noExplicitAny: see the interface.
  json(path: Path, ...otherwise: any[]): any {
    const compiled = compilePath(path);
    return wholeJson(this.#document, compiled) ?? missing(compiled, otherwise);
  }

  has(path: Path): boolean {
    const compiled = compilePath(path);
    return this.#document.find(compiled) !== undefined || this.#document.sectionsBelow(compiled) !== undefined;
  }

  get uuid(): string {
    const start = this.#envelope.memberStart(messageTag.uuid);
    const end = this.#envelope.ends[messageTag.uuid];
    return start < 0 ? "" : uuidAt(this.#document.source, start, end);
  }

  get timestamp(): bigint {
    return this.#integer(messageTag.timestamp, 0n);
  }

  get type(): string {
    return this.#text(messageTag.type);
  }

  get logger(): string {
    return this.#text(messageTag.logger);
  }

  get hostname(): string {
    return this.#text(messageTag.hostname);
  }

  get payload(): string {
    return this.#text(messageTag.payload);
  }

  get severity(): number {
    return Number(BigInt.asIntN(32, this.#integer(messageTag.severity, 7n)));
  }

  get envVersion(): string {
    return this.#text(messageTag.envVersion);
  }

  get pid(): number {
    return Number(BigInt.asIntN(32, this.#integer(messageTag.pid, 0n)));
  }

  /** Every field with all its values, in the order of the message. */
  fields(): Iterable<Field> {
    const { source } = this.#document;
    return allFields(this.#envelope, (start, end) => source.text(start, end));
  }

  /** Of the fields with this name the one at `index`, with all its values. */
  fieldNamed(name: FieldName, index: number): Field | undefined {
    const place = this.#envelope.findNth(name, index);
    return place && readField(this.#envelope.bytes, place, (start, end) => this.#document.source.text(start, end));
  }

  /** Whether the envelope has a member, by its number: absent ones read as empty or as their default. */
  hasMember(member: number): boolean {
    return this.#envelope.starts[member]! >= 0;
  }

  /** What is broken in it, where it was decoded lazily and reading on came to that: then it is no message. */
  get fault(): FormatError | undefined {
    return this.#envelope.fault;
  }

  /** Whether any text asked for so far was not UTF-8; it was given with U+FFFD. */
  get invalidUtf8(): boolean {
    return this.#document.invalidUtf8;
  }

  /** The rest parameter of the getters tells "no second argument" from one that is undefined. */
  #get<Value>(
    path: Path,
    otherwise: readonly unknown[],
    valueAt: (place: Place, path: string) => Value | undefined,
    state: string,
  ): Value {
    const compiled = compilePath(path);
    const place = this.#document.find(compiled);
    if (!place && !this.#document.sectionsBelow(compiled)) return missing(compiled, otherwise) as Value;
    const value = place && valueAt(place, compiled.text);
    if (value === undefined) throw new ValueError(compiled.text, state);
    return value;
  }

  #text(member: number): string {
    const start = this.#envelope.memberStart(member);
    return start < 0 ? "" : this.#document.source.text(start, this.#envelope.ends[member]);
  }

  #integer(member: number, otherwise: bigint): bigint {
    const start = this.#envelope.memberStart(member);
    if (start < 0) return otherwise;
    return readInt64({ bytes: this.#envelope.bytes, at: start, end: this.#envelope.ends[member] });
  }
}

/** Decodes the messages of frames, one after another. */
export class MessageDecoder {
  #envelope = new Envelope();

  /**
   * The message in `bytes`, plain or one raw Snappy block. FormatError where they hold none. Valid until the next call.
   *
   * "lazily": of a long message as much is looked at as is read at once, and the rest when it is asked for. What is broken
   * there makes the getter throw FormatError that comes to it, and is the message's `fault`.
   */
  decode(bytes: Uint8Array, how: "whole" | "lazily" = "whole"): RawMessage {
    const compressed = maybeSnappy(bytes);
    const fault = this.#tryRead(bytes, compressed, how);
    if (!fault) return new RawMessage(this.#envelope, compressed);
    const otherFault = this.#tryRead(bytes, !compressed, how);
    if (!otherFault) return new RawMessage(this.#envelope, !compressed);
    throw new FormatError(`${fault.message}; ${otherFault.message}`, fault.offset);
  }

  /** The message in `bytes`, which are not compressed any more. FormatError where they hold none. */
  read(bytes: Uint8Array, wasCompressed: boolean): RawMessage {
    this.#envelope.read(bytes);
    return new RawMessage(this.#envelope, wasCompressed);
  }

  /** Whether `bytes` are one whole message, and how; or how many of them were looked at in vain. */
  examine(bytes: Uint8Array): MessageKind | number {
    const kinds: readonly MessageKind[] = maybeSnappy(bytes) ? ["block", "plain"] : ["plain", "block"];
    let looked = 0;
    for (const kind of kinds) {
      // Most of what is asked about is told by its first bytes; an error would take a hundred times as long.
      if (kind === "block" ? !beginsBlock(bytes) : !beginsMember(bytes[0])) continue;
      let content = bytes;
      try {
        if (kind === "block") content = uncompressSnappy(bytes);
        this.#envelope.read(content);
        return kind;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        if (error instanceof CorruptBlock) looked += error.at;
        else looked += content === bytes ? error.offset : bytes.length;
      }
    }
    return looked;
  }

  #tryRead(bytes: Uint8Array, compressed: boolean, how: "whole" | "lazily"): FormatError | undefined {
    try {
      if (how === "whole") this.#envelope.read(compressed ? uncompressSnappy(bytes) : bytes);
      else if (compressed) this.#beginBlock(bytes);
      else this.#envelope.begin(bytes);
      return undefined;
    } catch (error) {
      if (error instanceof FormatError) return error;
      throw error;
    }
  }

  #beginBlock(bytes: Uint8Array): void {
    let content: Uint8Array;
    try {
      content = uncompressSnappy(bytes);
    } catch (error) {
      if (!(error instanceof CorruptBlock)) throw error;
      const part = uncompressSoundPart(bytes);
      if (part.bytes.length <= READ_AT_ONCE) throw error;
      this.#envelope.begin(part.bytes, part.sound);
      return;
    }
    this.#envelope.begin(content);
  }
}

/** What the framer asks next to damage. With a decoder of its own, for the message decoded last is still in use then. */
export function messageCheck(): MessageCheck {
  const decoder = new MessageDecoder();
  return { examine: (bytes) => decoder.examine(bytes), endOfMembers };
}

function missing(path: CompiledPath, otherwise: readonly unknown[]): unknown {
  if (otherwise.length === 0) throw new MissingField(path.text);
  return otherwise[0];
}
