// npm run fuzz [-- --seconds 300] [--seed N]: the tests of test/fuzz and the hostile objects of test/binary, for longer than
// npm test runs them: mutants, properties, the slow hostile objects, and every bit of real files through the built ./derive.
// The real files are looked for in ../shared/data. A mutant that fails prints its seed and its bytes: keep them as test/fuzz/corpus/*.hex.
import { parseArgs } from "node:util";
import { builtBinary, root } from "./built.ts";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "300" }, seed: { type: "string" } } });
builtBinary();
const { exitCode } = Bun.spawnSync(
  [
    process.execPath,
    "test",
    "--timeout=3600000",
    "test/fuzz",
    "test/binary/hostile.test.ts",
    "test/binary/hostile-paths.test.ts",
  ],
  {
    cwd: root,
    env: {
      ...process.env,
      DERIVE_FUZZ_SECONDS: values.seconds,
      ...(values.seed === undefined ? {} : { DERIVE_FUZZ_SEED: values.seed }),
    },
    stdio: ["ignore", "inherit", "inherit"],
  },
);
process.exitCode = exitCode;
