// JSON that several columns of a stream read from one message is parsed once. What they make of it is each one's own.

import type { Json, Message, Path } from "../heka/message-view.ts";

/** Parsed values of one message at a time. Whoever reads them must not change them. */
export class Parses {
  #message: Message | undefined;
  readonly #values = new Map<Path, Json>();

  /** To be called before a message is read: decoders show one message after another as the same object. */
  begin(message: Message): void {
    this.#message = message;
    this.#values.clear();
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
}
