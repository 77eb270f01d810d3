#!/usr/bin/env bun
// The one entry of the program: the command line in the main thread, the pipeline in every worker thread.

/** Commands that run a stream, whatever else they do. */
const RUN_STREAMS = new Set(["batch", "convert", "invoke", "lambda", "try"]);

if (!Bun.isMainThread) {
  // Who listens only after loading something has missed what was sent meanwhile.
  const early: MessageEvent[] = [];
  const keep = (event: MessageEvent): unknown => early.push(event);
  addEventListener("message", keep);
  const { serve } = await import("./pipeline/worker.ts");
  const { openSource } = await import("./storage/place.ts");
  removeEventListener("message", keep);
  serve(openSource, early);
} else if (!(await hasToldVersion())) {
  const words = process.argv.slice(2);
  // An image's entry point names the program alone.
  if (words.length === 0 && process.env.AWS_LAMBDA_RUNTIME_API) words.push("lambda");
  const { areThreads, beginAhead } = await import("./jobs/thread.ts");
  if (RUN_STREAMS.has(words[0] ?? "")) beginAhead();
  const { runCli } = await import("./cli/main.ts");
  process.exitCode = await runCli(words);
  // All output is out by now.
  if (areThreads()) process.exit();
}

/** Answered here: nothing else needs to load for it. Where it cannot be written, the command line says so. */
async function hasToldVersion(): Promise<boolean> {
  if (process.argv.length !== 3 || process.argv[2] !== "--version") return false;
  const { version } = await import("./version.ts");
  return Bun.write(Bun.stdout, `${version}\n`).then(
    () => true,
    () => false,
  );
}

export {}; // a module
