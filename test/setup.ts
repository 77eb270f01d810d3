// Loaded before every test file. Plain `bun test` allows five seconds, and bunfig.toml's own key for that has no effect.
import { setDefaultTimeout } from "bun:test";
import { buildKernel } from "../scripts/kernel.ts";
import { buildTypes } from "../scripts/types.ts";

setDefaultTimeout(60_000);

// Tests from source run the kernel, too.
buildKernel();
buildTypes();
