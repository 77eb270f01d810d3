// Tests of the binary must not run an old one.
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { newestSource, root } from "../../scripts/built.ts";

test("a change in any source makes the binary stale", () => {
  const sources = ["src/main.ts", "src/heka/frames.ts", "streams/index.ts", "scripts/build.ts", "package-lock.json"];
  const times = sources.map((path) => statSync(join(root, path)).mtimeMs);
  expect(newestSource()).toBeGreaterThanOrEqual(Math.max(...times));
});
