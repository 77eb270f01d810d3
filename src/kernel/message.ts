// What a stream sees of a message that the kernel read: the same as of heka/message.ts, which has the answer wherever the
// kernel has none.
import { FormatError, MissingField, ValueError } from "../errors.ts";
import type { Place } from "../heka/document.ts";
import { JsonBytes } from "../heka/json.ts";
import { type Message, MessageDecoder, type Path, type RawMessage } from "../heka/message.ts";
import type { CompiledPath } from "../heka/path.ts";
import { messageTag, readInt64 } from "../heka/protobuf.ts";
import { booleanAt, bytesAt, doubleAt, intAt, jsonAt, longAt, stringAt, uuidAt } from "../heka/values.ts";
import type { BatchReader } from "./batch.ts";
import { type Getter, MESSAGE, OUTCOME, RANGE_BYTES, STATE } from "./layout.ts";

/** Valid until the next batch; `show` makes it another message. */
export class KernelMessage implements Message {
  private at = 0;
  private row = 0;
  private memory: Buffer;
  private view: DataView;
  /** The plain message, once it was needed. */
  private plain: RawMessage | undefined;
  private readonly decoder = new MessageDecoder();
  /** The kernel's memory as text, once it was needed. */
  private source: JsonBytes | undefined;
  /** Whether the kernel's answers hold for this message. */
  private answered = false;

  constructor(private readonly batch: BatchReader) {
    const { bytes, view } = batch.kernel.memory;
    this.memory = bytes;
    this.view = view;
  }

  /** Makes it the message whose structure is at `at`, the one numbered `row` of its batch. */
  show(at: number, row: number): void {
    const { bytes, view } = this.batch.kernel.memory;
    if (bytes !== this.memory) this.source = undefined;
    else this.source?.forget();
    this.memory = bytes;
    this.view = view;
    this.at = at;
    this.row = row;
    this.plain = undefined;
    this.answered = this.word(MESSAGE.outcome) !== OUTCOME.odd;
  }

  /** Its number in the batch. */
  get number(): number {
    return this.row;
  }

  /** Whether the batch has all that its row needs, and values for all columns that are asked for. */
  get isComplete(): boolean {
    return this.word(MESSAGE.outcome) === OUTCOME.complete;
  }

  /** The frame it came in: its place in the object, its length, and whether it is signed. */
  get frame(): { offset: number; length: number; signed: boolean } {
    const start = this.word(MESSAGE.frame);
    const end = this.word(MESSAGE.frameEnd);
    return {
      offset: this.batch.offsetOf(start),
      length: end - start,
      signed: this.word(MESSAGE.signed) === 1,
    };
  }

  /** As they lie in the frame. */
  get storedBytes(): Uint8Array {
    return this.memory.subarray(this.word(MESSAGE.input), this.word(MESSAGE.frameEnd));
  }

  /** Whether it is a message, as far as it is read. */
  isSound(): boolean {
    try {
      this.check();
      return true;
    } catch (error) {
      if (error instanceof FormatError) return false;
      throw error;
    }
  }

  /** Throws FormatError where it is no message at all. To be called once, before anything is asked of it. */
  check(): void {
    if (!this.answered) this.decode();
  }

  string(path: Path, ...otherwise: unknown[]): string {
    const number = this.ask(path, "text");
    if (number < 0) return this.decode().string(path, ...(otherwise as [string]));
    const answer = this.batch.answers[number]!;
    if (this.memory[answer.states + this.row] !== STATE.value) {
      return this.other(number, otherwise, stringAt, "is not a string");
    }
    const start = this.view.getUint32(answer.starts + 4 * this.row, true);
    const end = start + this.view.getUint32(answer.lengths + 4 * this.row, true);
    return this.memory.toString("utf8", start, end);
  }

  int(path: Path, ...otherwise: unknown[]): number {
    const number = this.ask(path, "int");
    if (number < 0) return this.decode().int(path, ...(otherwise as [number]));
    const answer = this.batch.answers[number]!;
    if (this.memory[answer.states + this.row] !== STATE.value) {
      return this.other(number, otherwise, intAt, "is not an int");
    }
    return this.view.getInt32(answer.values + 4 * this.row, true);
  }

  long(path: Path, ...otherwise: unknown[]): bigint {
    const number = this.ask(path, "long");
    if (number < 0) return this.decode().long(path, ...(otherwise as [bigint]));
    const answer = this.batch.answers[number]!;
    if (this.memory[answer.states + this.row] !== STATE.value) {
      return this.other(number, otherwise, longAt, "is not a long");
    }
    return this.view.getBigInt64(answer.values + 8 * this.row, true);
  }

  double(path: Path, ...otherwise: unknown[]): number {
    const number = this.ask(path, "double");
    if (number < 0) return this.decode().double(path, ...(otherwise as [number]));
    const answer = this.batch.answers[number]!;
    if (this.memory[answer.states + this.row] !== STATE.value) {
      return this.other(number, otherwise, doubleAt, "is not a double");
    }
    return this.view.getFloat64(answer.values + 8 * this.row, true);
  }

  boolean(path: Path, ...otherwise: unknown[]): boolean {
    const number = this.ask(path, "boolean");
    if (number < 0) return this.decode().boolean(path, ...(otherwise as [boolean]));
    const answer = this.batch.answers[number]!;
    if (this.memory[answer.states + this.row] !== STATE.value) {
      return this.other(number, otherwise, booleanAt, "is not a boolean");
    }
    return this.memory[answer.values + this.row] === 1;
  }

  /** A copy. */
  bytes(path: Path, ...otherwise: unknown[]): Uint8Array {
    const number = this.ask(path, "bytes");
    if (number < 0) return this.decode().bytes(path, ...(otherwise as [Uint8Array]));
    const answer = this.batch.answers[number]!;
    if (this.memory[answer.states + this.row] !== STATE.value) {
      return this.other(number, otherwise, bytesAt, "is not bytes");
    }
    const start = this.view.getUint32(answer.starts + 4 * this.row, true);
    return new Uint8Array(
      this.memory.subarray(start, start + this.view.getUint32(answer.lengths + 4 * this.row, true)),
    );
  }

  // biome-ignore lint/suspicious/noExplicitAny: see the interface.
  json(path: Path, ...otherwise: any[]): any {
    const number = this.ask(path, "json");
    if (number < 0) return this.decode().json(path, ...otherwise);
    const compiled = this.pathOf(number);
    const place = this.place(number);
    // A field's text is JSON whatever it begins with where its name has a dot.
    const value = place && jsonAt(place, compiled.text, compiled.text.includes("."));
    return value ?? missing(compiled, otherwise);
  }

  has(path: Path): boolean {
    const number = this.ask(path, "has");
    if (number < 0) return this.decode().has(path);
    return this.memory[this.batch.answers[number]!.states + this.row] !== STATE.absent;
  }

  get uuid(): string {
    const start = this.memberStart(messageTag.uuid);
    if (start < 0) return this.decode().uuid;
    return start === 0 ? "" : uuidAt(this.text, start, this.memberEnd(messageTag.uuid));
  }

  get timestamp(): bigint {
    const start = this.memberStart(messageTag.timestamp);
    if (start < 0) return this.decode().timestamp;
    if (start === 0) return 0n;
    return readInt64({ bytes: this.memory, at: start, end: this.memberEnd(messageTag.timestamp) });
  }

  get type(): string {
    return this.member(messageTag.type) ?? this.decode().type;
  }

  get logger(): string {
    return this.member(messageTag.logger) ?? this.decode().logger;
  }

  get hostname(): string {
    return this.member(messageTag.hostname) ?? this.decode().hostname;
  }

  get payload(): string {
    return this.member(messageTag.payload) ?? this.decode().payload;
  }

  get severity(): number {
    return this.decode().severity;
  }

  get envVersion(): string {
    return this.member(messageTag.envVersion) ?? this.decode().envVersion;
  }

  get pid(): number {
    return this.decode().pid;
  }

  /** What is broken in it, where it was read lazily and reading on came to that: then it is no message. */
  get fault(): FormatError | undefined {
    return this.plain?.fault;
  }

  /** Whether any text asked for so far was not UTF-8; it was given with U+FFFD. */
  get invalidUtf8(): boolean {
    return this.plain?.invalidUtf8 === true || this.source?.invalidUtf8 === true;
  }

  /** The number of the kernel's answer; -1 where there is none for this message. */
  private ask(path: Path, getter: Getter): number {
    const number = this.batch.asks.numberOf(path, getter);
    return this.answered && number < this.batch.answers.length ? number : -1;
  }

  /** What a getter gives where the kernel has no value: the rest of the rules. */
  private other<Value>(
    number: number,
    otherwise: readonly unknown[],
    valueAt: (place: Place, path: string) => Value | undefined,
    state: string,
  ): Value {
    const compiled = this.pathOf(number);
    const place = this.place(number);
    if (place === undefined) return missing(compiled, otherwise) as Value;
    const value = valueAt(place, compiled.text);
    if (value === undefined) throw new ValueError(compiled.text, state);
    return value;
  }

  /** As it was asked for first: an array may be another one each time, and would be compiled each time. */
  private pathOf(number: number): CompiledPath {
    return this.batch.asks.list[number]!.path;
  }

  /** Where the value lies that the kernel found and made nothing of; undefined where there is none. */
  private place(number: number): Place | undefined {
    const answer = this.batch.answers[number]!;
    const state = this.memory[answer.states + this.row]!;
    if (state === STATE.absent) return undefined;
    const start = this.view.getUint32(answer.starts + 4 * this.row, true);
    const end = start + this.view.getUint32(answer.lengths + 4 * this.row, true);
    const field = state === STATE.json ? undefined : { ...NO_FIELD, type: state - STATE.field };
    return { source: this.text, start, end, field };
  }

  /** The text of a member of the envelope, "" where it is absent; undefined where the kernel does not know. */
  private member(member: number): string | undefined {
    const start = this.memberStart(member);
    if (start < 0) return undefined;
    return start === 0 ? "" : this.text.text(start, this.memberEnd(member));
  }

  /** Where a member's contents lie: 0 where it is absent, -1 where the kernel does not know. */
  private memberStart(member: number): number {
    if (!this.answered) return -1;
    const start = this.word(MESSAGE.members + RANGE_BYTES * member);
    return start === 0 && this.word(MESSAGE.stopped) === 1 ? -1 : start;
  }

  private memberEnd(member: number): number {
    return this.word(MESSAGE.members + RANGE_BYTES * member + 4);
  }

  /** The kernel's memory as text. */
  private get text(): JsonBytes {
    this.source ??= new JsonBytes(this.memory);
    return this.source;
  }

  private decode(): RawMessage {
    if (this.plain !== undefined) return this.plain;
    if (this.answered && this.word(MESSAGE.stopped) === 0) {
      // Decompressed already, and known to be whole.
      const bytes = this.memory.subarray(this.word(MESSAGE.start), this.word(MESSAGE.end));
      this.plain = this.decoder.read(bytes, this.word(MESSAGE.compressed) === 1);
    } else {
      this.plain = this.decoder.decode(this.storedBytes, this.batch.how);
    }
    return this.plain;
  }

  private word(place: number): number {
    return this.view.getUint32(this.at + place, true);
  }
}

const NO_FIELD = { start: 0, end: 0, nameStart: 0, nameEnd: 0, nameMark: 0, type: 0, valueStart: 0, valueEnd: 0 };

function missing(path: CompiledPath, otherwise: readonly unknown[]): unknown {
  if (otherwise.length === 0) throw new MissingField(path.text);
  return otherwise[0];
}
