// Inside parseSchema: default values, which Avro writes as JSON (bytes as text, a union as its first branch).

import { ValueError } from "../errors.ts";
import { compileConversion } from "./convert.ts";
import { failSchema } from "./fail.ts";
import type { Node } from "./nodes.ts";

/** The default of a field as a stream would have given it. Throws UsageError when it does not fit the field's type. */
export function resolveDefault(type: Node, json: unknown, path: string): { readonly value: unknown } {
  try {
    const value = fromJson(type, json, "default");
    compileConversion(type, "default")(value);
    return { value };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const hint = type.kind === "union" ? ". A default must match the first branch of its union" : "";
    failSchema(path, `its ${error.path} ${error.state === "missing" ? "is null" : error.state}${hint}`);
  }
}

function fromJson(node: Node, json: unknown, path: string): unknown {
  switch (node.kind) {
    case "union":
      // Java's Avro refuses to read a file whose schema has any other default.
      if (node.first.kind === "null" ? json !== null : json === null)
        throw new ValueError(path, "is of another branch");
      return json === null ? null : fromFirstBranch(node.first, json, path);
    case "bytes":
    case "fixed":
      return bytesFromText(json, path);
    case "decimal": {
      const bytes = bytesFromText(json, path);
      return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toHex()}`));
    }
    case "array":
      if (!Array.isArray(json)) throw new ValueError(path, "is not a list");
      return json.map((item) => fromJson(node.items, item, `${path}[]`));
    case "map":
      return fromObject(json, path, (_key, value) => fromJson(node.values, value, `${path}.*`));
    case "record":
      return fromObject(json, path, (key, value) => {
        const field = node.fields.find((candidate) => candidate.name === key);
        return field === undefined ? value : fromJson(field.type, value, `${path}.${key}`);
      });
    default:
      return json;
  }
}

/** Checked here, as the conversion that follows takes whichever branch fits. */
function fromFirstBranch(first: Node, json: unknown, path: string): unknown {
  const value = fromJson(first, json, path);
  compileConversion(first, path)(value);
  return value;
}

function fromObject(json: unknown, path: string, convert: (key: string, value: unknown) => unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new ValueError(path, "is not an object");
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, convert(key, value)]));
}

/** Avro spells bytes as text of the code points 0 to 255. */
function bytesFromText(json: unknown, path: string): Uint8Array {
  if (typeof json !== "string" || /[^\0-\xff]/.test(json)) throw new ValueError(path, "is not text of bytes");
  return new Uint8Array(Buffer.from(json, "latin1"));
}
