// Raw days with faults in known places, for the tests of this folder: plain data, made from nothing but numbers.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { compressSnappy, encodeFrame, encodeMessage } from "../../src/heka/writer.ts";

/** One frame: `hours` is a double, or a text that is none and fails. */
export function pingFrame(clientId: string, hours: number | string, snappy = false): Uint8Array {
  const message = encodeMessage({
    uuid: new Uint8Array(16),
    timestamp: 1n,
    payload: JSON.stringify({ note: `ping of ${clientId}` }),
    fields: [
      { name: "clientId", type: "string", values: [clientId] },
      { name: "hours", type: typeof hours === "number" ? "double" : "string", values: [hours] },
    ],
  });
  return encodeFrame(snappy ? compressSnappy(message) : message);
}

export const UNDECODABLE = encodeFrame(new Uint8Array([0x0a, 0xff, 0x01]));

/** clientId and hours as a row, by a stream that takes only numbers, and by one that takes both. */
export const STRICT_HOURS = `import { defineStream, double, string } from "derive";
export default defineStream({ streamName: "telemetry", columns: { clientId: string(), hours: double() } });
`;
export const ANY_HOURS = `import { defineStream, string } from "derive";
export default defineStream({ streamName: "telemetry", columns: { clientId: string(), hours: string() } });
`;

/** Writes the streams Hours and Mended, and a derive.toml for raw/t/<day>/<object>. */
export function writeStreams(folder: string): void {
  mkdirSync(join(folder, "streams"), { recursive: true });
  writeFileSync(join(folder, "streams/Hours.ts"), STRICT_HOURS);
  writeFileSync(join(folder, "streams/Mended.ts"), ANY_HOURS);
  writeFileSync(
    join(folder, "derive.toml"),
    'input = "raw"\noutput = "out"\n[sources.telemetry]\nprefix = "t"\ndimensions = ["submissionDate"]\n',
  );
}

export function writeObject(folder: string, day: string, name: string, bytes: Uint8Array, gzip = false): void {
  const path = join(folder, "raw/t", day);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, name), gzip ? gzipSync(bytes) : bytes);
}
