// Paths as stream authors write them, prepared once so that finding a value compares bytes only.
import type { Path } from "./message-view.ts";
import { isSplitSection } from "./split.ts";

export interface CompiledPath {
  /** The dotted form, as errors show it; "[]" for the whole ping. */
  readonly text: string;
  readonly keys: readonly Key[];
  /** Every prefix that may name a field, the longest first. */
  readonly fieldNames: readonly FieldName[];
  /** What names of fields below this path begin with: the path and a dot, or nothing for the whole ping. */
  readonly below: Uint8Array;
}

/** One key of a JSON object. */
export interface Key {
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface FieldName {
  readonly bytes: Uint8Array;
  /** See `nameMark`. */
  readonly mark: number;
  /** How many keys of the path the name takes. */
  readonly keys: number;
  /** Whether it is that of a section which the pipeline split off, and which therefore has no sections below. */
  readonly isSection: boolean;
}

const utf8 = new TextEncoder();
const maxKept = 4096;
const byText = new Map<string, CompiledPath>();
const byArray = new WeakMap<readonly string[], CompiledPath>();

/** The same object for the same string or array; an array must not change after its first use. */
export function compilePath(path: Path): CompiledPath {
  let compiled = typeof path === "string" ? byText.get(path) : byArray.get(path);
  if (!compiled) {
    compiled = compile(typeof path === "string" ? path.split(".") : path);
    if (typeof path !== "string") byArray.set(path, compiled);
    else {
      // A stream that makes up paths from values must not fill the memory.
      if (byText.size >= maxKept) byText.clear();
      byText.set(path, compiled);
    }
  }
  return compiled;
}

/** Length, first and last byte of a name in one number: tells nearly all names apart without reading them. */
export function nameMark(bytes: Uint8Array, start: number, end: number): number {
  return end > start ? ((end - start) << 16) | (bytes[start] << 8) | bytes[end - 1] : 0;
}

/** Whether `wanted` lies at `start`; the caller knows that there is room for it. */
export function bytesAt(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

function compile(parts: readonly string[]): CompiledPath {
  const text = parts.length > 0 ? parts.join(".") : "[]";
  const fieldNames: FieldName[] = [];
  for (let keys = parts.length; keys > 0; keys--) {
    const name = parts.slice(0, keys).join(".");
    const bytes = utf8.encode(name);
    fieldNames.push({ bytes, mark: nameMark(bytes, 0, bytes.length), keys, isSection: isSplitSection(name) });
  }
  return {
    text,
    keys: parts.map((part) => ({ text: part, bytes: utf8.encode(part) })),
    fieldNames,
    below: utf8.encode(parts.length > 0 ? `${text}.` : ""),
  };
}
