// One frame as a whole: for those who copy frames or look into one.
import type { Span } from "./frames.ts";

export type Frame = Extract<Span, { kind: "frame" }>;

/** The whole frame, header included. The framer cuts the message out of one run of bytes that holds all of the frame. */
export function frameBytes({ length, message }: Pick<Frame, "length" | "message">): Uint8Array {
  return new Uint8Array(message.buffer, message.byteOffset + message.byteLength - length, length);
}
