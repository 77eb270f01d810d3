#!/usr/bin/env bun
// The one entry of the program: the command line in the main thread, the pipeline in every worker thread.
import { isMainThread } from "node:worker_threads";

if (!isMainThread) {
  const { serve } = await import("./pipeline/worker.ts");
  const { openSource } = await import("./storage/place.ts");
  serve(openSource);
} else if (process.argv[2] === "--version" && process.argv.length === 3) {
  // Answered here: nothing else needs to load for it.
  const { version } = await import("./version.ts");
  process.stdout.write(`${version}\n`);
} else {
  const { runCli } = await import("./cli/main.ts");
  const words = process.argv.slice(2);
  // An image's entry point names the program alone.
  const inLambda = words.length === 0 && process.env.AWS_LAMBDA_RUNTIME_API;
  process.exitCode = await runCli(inLambda ? ["lambda"] : words);
  // All output is out by now. A thread that a stream still keeps busy would keep the program, too.
  const { areEnding } = await import("./jobs/ending-threads.ts");
  if (areEnding()) process.exit();
}
