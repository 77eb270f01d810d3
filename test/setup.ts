// Loaded before the first test file. Plain `bun test` allows five seconds, bunfig.toml's own key for that has no effect, and
// this holds for the first file only: scripts/ok.ts gives the same as an option, and the files of slow tests say so themselves.
import { setDefaultTimeout } from "bun:test";
import { buildTypes } from "../scripts/types.ts";
import { buildWebAssembly } from "../scripts/webassembly.ts";

setDefaultTimeout(60_000);

// Tests from source run the kernel and the CRCs, too.
buildWebAssembly();
buildTypes();
