// Frames of small pings for tests that cut objects: with an id, a number, and bytes in a field, which may be frames themselves.
import { compressSnappy, encodeFrame, encodeMessage } from "../../src/heka/writer.ts";

export function ping(
  n: number,
  held: Uint8Array = new Uint8Array(0),
  { isCompressed = false, longest = 200 } = {},
): Uint8Array {
  const message = encodeMessage({
    uuid: new Uint8Array(16),
    timestamp: 1n,
    payload: "p".repeat((n * 37) % longest),
    fields: [
      { name: "id", type: "string", values: [`id-${n}`] },
      { name: "held", type: "bytes", values: [held] },
      { name: "n", type: "integer", values: [BigInt(n)] },
    ],
  } as Parameters<typeof encodeMessage>[0]);
  return encodeFrame(isCompressed ? compressSnappy(message) : message);
}
