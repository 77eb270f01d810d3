// The texts of the built-in streams, for their fingerprints: a macro, run while the program is bundled, so that a stream has
// the same fingerprint built in as it has from its file.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** File name to text. */
export function builtinSources(): Record<string, string> {
  const folder = join(import.meta.dir, "../../streams");
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts") && name !== "index.ts");
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
