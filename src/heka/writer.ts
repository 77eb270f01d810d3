// The raw format in the other direction: messages and frames made for tests, sample days and derivePing.
import { snappyCompressor } from "hysnappy";
import { frameMark, headerEnd, messageTag, valueTag, valueType, wire } from "./protobuf.ts";

/** One message to encode; what is left out is not written. */
export interface MessageInit {
  /** Bytes are written as they are (16 of them in real files), a string as text (36 characters in some). */
  uuid?: Uint8Array | string;
  /** Nanoseconds since the epoch. */
  timestamp?: bigint;
  type?: string;
  logger?: string;
  severity?: number;
  payload?: string;
  envVersion?: string;
  pid?: number;
  hostname?: string;
  fields?: readonly FieldInit[];
}

/** The kinds of value a field can hold. */
export type FieldType = "string" | "bytes" | "integer" | "double" | "bool";

/** One field to encode. Values may be given in any form that fits the type: integers as bigint or number. */
export interface FieldInit {
  name: string;
  representation?: string;
  type: FieldType;
  values: readonly (string | Uint8Array | bigint | number | boolean)[];
  /** One length-prefixed run of numbers instead of a tag before each; of no effect on strings and bytes. */
  packed?: boolean;
}

/** The protobuf bytes of one message, members in the order of their numbers. The same input gives the same bytes. */
export function encodeMessage(init: MessageInit): Uint8Array {
  const out = new ProtobufWriter();
  if (init.uuid !== undefined) out.bytes(messageTag.uuid, init.uuid);
  if (init.timestamp !== undefined) out.integer(messageTag.timestamp, init.timestamp);
  if (init.type !== undefined) out.bytes(messageTag.type, init.type);
  if (init.logger !== undefined) out.bytes(messageTag.logger, init.logger);
  if (init.severity !== undefined) out.integer(messageTag.severity, init.severity);
  if (init.payload !== undefined) out.bytes(messageTag.payload, init.payload);
  if (init.envVersion !== undefined) out.bytes(messageTag.envVersion, init.envVersion);
  if (init.pid !== undefined) out.integer(messageTag.pid, init.pid);
  if (init.hostname !== undefined) out.bytes(messageTag.hostname, init.hostname);
  for (const field of init.fields ?? []) out.bytes(messageTag.field, encodeField(field));
  return out.finish();
}

/** One frame around `message`: mark, unsigned header, separator, message. */
export function encodeFrame(message: Uint8Array): Uint8Array {
  const header = new ProtobufWriter();
  header.integer(1, message.length);
  const headerBytes = header.finish();
  const frame = new Uint8Array(3 + headerBytes.length + message.length);
  frame[0] = frameMark;
  frame[1] = headerBytes.length;
  frame.set(headerBytes, 2);
  frame[2 + headerBytes.length] = headerEnd;
  frame.set(message, 3 + headerBytes.length);
  return frame;
}

let compressor: ((bytes: Uint8Array) => Uint8Array) | undefined;

/** `bytes` as one raw Snappy block. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  compressor ??= snappyCompressor();
  return compressor(bytes);
}

function encodeField(field: FieldInit): Uint8Array {
  const out = new ProtobufWriter();
  out.bytes(valueTag.name, field.name);
  // STRING is the default, and real files leave it out.
  if (field.type !== "string") out.integer(valueTag.type, valueType[field.type]);
  if (field.representation !== undefined) out.bytes(valueTag.representation, field.representation);
  const tag = valueTag[field.type];
  if (field.type === "string" || field.type === "bytes") {
    for (const value of field.values) out.bytes(tag, value instanceof Uint8Array ? value : String(value));
  } else if (field.packed) {
    const run = new ProtobufWriter();
    for (const value of field.values) putNumber(run, field.type, value);
    out.bytes(tag, run.finish());
  } else {
    for (const value of field.values) {
      out.varint((tag << 3) | (field.type === "double" ? wire.fixed64 : wire.varint));
      putNumber(out, field.type, value);
    }
  }
  return out.finish();
}

function putNumber(out: ProtobufWriter, type: FieldType, value: FieldInit["values"][number]): void {
  if (type === "double") out.double(Number(value));
  else if (type === "bool") out.varint(value ? 1 : 0);
  else out.varint(BigInt(value as bigint | number));
}

const utf8 = new TextEncoder();

/** A growing run of protobuf bytes. */
class ProtobufWriter {
  #buffer = new Uint8Array(256);
  #length = 0;

  /** A member holding a string or bytes. */
  bytes(tag: number, value: Uint8Array | string): void {
    const bytes = typeof value === "string" ? utf8.encode(value) : value;
    this.varint((tag << 3) | wire.bytes);
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A member holding an integer. */
  integer(tag: number, value: bigint | number): void {
    this.varint((tag << 3) | wire.varint);
    this.varint(value);
  }

  /** A plain varint: negative numbers take ten bytes, as two's complement of 64 bits. */
  varint(value: bigint | number): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  double(value: number): void {
    this.#reserve(8);
    new DataView(this.#buffer.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
