// npm run fuzz [-- --seconds 300] [--seed N] [--binary N]: the tests of test/fuzz and the hostile objects of test/binary, for longer than
// npm test runs them: mutants, properties, the slow hostile objects, and every bit of real files through the built ./derive.
// With --binary, N mutants through ./derive and nothing else. The real files are looked for in ../shared/data. A mutant that fails prints its seed and its bytes: keep them as test/fuzz/corpus/*.hex.
import { parseArgs } from "node:util";
import { builtBinary, root } from "./built.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string" }, seed: { type: "string" }, binary: { type: "string" } },
});
const { binary } = values;
const tests = ["test/fuzz", "test/binary/hostile.test.ts", "test/binary/hostile-paths.test.ts"];
builtBinary();
const { exitCode } = Bun.spawnSync(
  [process.execPath, "test", "--timeout=3600000", ...(binary === undefined ? tests : ["test/fuzz/binary.test.ts"])],
  {
    cwd: root,
    env: {
      ...process.env,
      DERIVE_FUZZ_SECONDS: values.seconds ?? (binary === undefined ? "300" : "0"),
      ...(binary === undefined ? {} : { DERIVE_FUZZ_BINARY: binary }),
      ...(values.seed === undefined ? {} : { DERIVE_FUZZ_SEED: values.seed }),
    },
    stdio: ["ignore", "inherit", "inherit"],
  },
);
process.exitCode = exitCode;
