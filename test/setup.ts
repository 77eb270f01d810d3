// Loaded before the first test file. Plain `bun test` allows five seconds for a test: bunfig.toml's own key for that has no effect,
// and setDefaultTimeout holds for the file that calls it. So each file is made to, in front of its first line.
import { buildTypes } from "../scripts/types.ts";
import { buildWebAssembly } from "../scripts/webassembly.ts";

const allow = 'import { setDefaultTimeout as allow } from "bun:test"; allow(60_000); ';
Bun.plugin({
  name: "time for tests",
  setup(build) {
    build.onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => ({
      contents: allow + (await Bun.file(path).text()),
      loader: "ts",
    }));
  },
});

// Tests from source run the kernel and the CRCs, too.
buildWebAssembly();
buildTypes();
