// From a place to a reader: below the message by its getters, below an entry by walking parsed JSON.

import type { Json, Message, Path } from "../heka/message-view.ts";
import type { Place, Read } from "./column.ts";
import { memberOf } from "./json.ts";

/** The path that means the key of the entry being read, when written as a string. */
const keyPath = "$key";

/** A reader of the present value at `place`: undefined where it is absent or null. */
export function reader<Seen>(
  { within, path, text }: Place,
  fromMessage: (message: Message, path: Path, text: string) => Seen | undefined,
  fromJson: (value: Json, text: string) => Seen,
): Read {
  if (within === "message") return (message) => fromMessage(message, path, text) ?? undefined;
  const find = finder(path);
  return (_message, value, key) => {
    const found = find(value, key);
    return found === undefined || found === null ? undefined : fromJson(found, text);
  };
}

type Find = (value: Json | undefined, key: string | undefined) => Json | undefined;

function finder(path: Path): Find {
  if (path === keyPath) return (_value, key) => key;
  const [first, ...others] = partsOf(path);
  if (first === undefined) return (value) => value;
  if (others.length === 0) return (value) => memberOf(value, first);
  return (value) => others.reduce(memberOf, memberOf(value, first));
}

export function partsOf(path: Path): readonly string[] {
  return typeof path === "string" ? path.split(".") : path;
}

/** The text of `path` below `prefix`, for errors. */
export function placeText(prefix: string, path: Path): string {
  const below = pathText(path);
  return prefix === "" || below === "" ? prefix + below : `${prefix}.${below}`;
}

export function pathText(path: Path): string {
  return typeof path === "string" ? path : path.join(".");
}
