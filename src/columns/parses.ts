// What several columns of a stream read from one message is parsed, and made, once. What they make of it is each one's own.

import { Filtered } from "../filtered.ts";
import type { Json, Message, Path } from "../heka/message-view.ts";
import type { Kind, Read } from "./column.ts";

/** A reader that several columns share, and what it gave last. */
interface Shared {
  readonly kind: Kind;
  readonly path: Path;
  readonly read: Read;
  columns: number;
  /** Of which message `seen` is. */
  turn: number;
  seen: unknown;
}

/** Values of one message at a time. Whoever reads parsed ones must not change them. */
export class Parses {
  #message: Message | undefined;
  /** Counts messages. */
  #turn = 0;
  readonly #values = new Map<Path, Json>();
  readonly #shared: Shared[] = [];

  /** To be called before a message is read: decoders show one message after another as the same object. */
  begin(message: Message): void {
    this.#message = message;
    this.#turn++;
    if (this.#values.size > 0) this.#values.clear();
  }

  /** The JSON at a path of the message; undefined where it is absent or null. */
  json(message: Message, path: Path): Json | undefined {
    // A stream's function may build another message's record meanwhile.
    if (message !== this.#message) this.begin(message);
    const known = this.#values.get(path);
    if (known !== undefined) return known;
    const json = message.json(path, undefined) ?? undefined;
    if (json !== undefined) this.#values.set(path, json);
    return json;
  }

  /** Makes a reader of the message for one more column of this kind at this path: each gets a copy that it may change. */
  share(kind: Kind, path: Path, read: Read): Read {
    const { copy } = kind;
    if (copy === undefined) return read;
    const known = this.#shared.find((one) => one.kind === kind && one.path === path);
    const shared = known ?? { kind, path, read, columns: 0, turn: 0, seen: undefined };
    if (known === undefined) this.#shared.push(shared);
    shared.columns++;
    return (message, value, key) => {
      if (shared.columns === 1) return read(message, value, key);
      if (message !== this.#message) this.begin(message);
      if (shared.turn !== this.#turn) {
        shared.seen = shared.read(message, value, key);
        shared.turn = this.#turn;
      }
      const { seen } = shared;
      return seen === undefined || seen instanceof Filtered ? seen : copy(seen);
    };
  }
}
