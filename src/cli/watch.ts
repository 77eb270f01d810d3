// Does something again whenever a stream's files are saved: `derive try --watch`.
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { UsageError } from "../errors.ts";
import type { StreamRef } from "../jobs/streams.ts";
import { streamFiles } from "../pipeline/stream-files.ts";
import { errorText } from "../told.ts";
import type { Output } from "./output.ts";

/** Editors write a file in several steps. */
const SETTLED_MS = 100;
const CLEAR_SCREEN = "\u001b[2J\u001b[H";

/**
 * Runs `action` now and after each change, until `signal` is aborted. What it throws is told, and the watch goes on: a
 * file that is half written is no reason to end.
 */
export async function watchStream(
  stream: StreamRef,
  action: () => Promise<void>,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  if ("builtin" in stream)
    throw new UsageError(`Cannot watch ${stream.builtin}: it is built in. Name a path ending in .ts`);
  for (;;) {
    const changes = await changesOf(stream.path);
    try {
      if (signal.aborted) return;
      // The screen is that of the terminal the rows go to.
      if (output.width !== undefined) await output.write(CLEAR_SCREEN);
      await action().catch((error: unknown) => output.log.error(errorText(error)));
      await output.flush();
      if (signal.aborted) return;
      output.log.info(output.paintError("dim", `\nwatching ${stream.path}: save it to try again, Ctrl-C to end`));
      await changes.next(signal);
    } finally {
      changes.stop();
    }
  }
}

/** Watches the folders of a stream's files, since saving may put another file in a file's place. */
async function changesOf(path: string) {
  const files = await streamFiles(path).catch(() => new Map([[path, ""]]));
  const names = Map.groupBy(files.keys(), (file) => dirname(file));
  let changed = (): void => {};
  const change = new Promise<void>((resolve) => {
    changed = resolve;
  });
  const watchers: FSWatcher[] = [...names].map(([folder, inside]) => {
    const known = new Set(inside.map((file) => basename(file)));
    return watch(folder, (_event, name) => {
      if (name === null || known.has(name)) changed();
    });
  });
  return {
    async next(signal: AbortSignal): Promise<void> {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      await Promise.race([change, aborted]);
      if (!signal.aborted) await Bun.sleep(SETTLED_MS);
    },
    stop(): void {
      for (const watcher of watchers) watcher.close();
    },
  };
}
