// Loaded before every test file. Plain `bun test` allows five seconds, and bunfig.toml's own key for that has no effect.
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
