// Inside parseSchema: the one way a schema is refused.

import { UsageError } from "../errors.ts";

/** Throws UsageError; `path` is the place in the schema, dotted, as in `fields.addons.items.fields.id`. */
export function failSchema(path: string, state: string): never {
  throw new UsageError(`Cannot use schema: ${path === "" ? "" : path + ": "}${state}.`);
}
