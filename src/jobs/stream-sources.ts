// The source files behind a stream, wherever it is from: part of every fingerprint.

import { compiled } from "../compile/streams.ts";
import type { StreamRef } from "../pipeline/load.ts";
import { builtinSources } from "./builtin-sources.ts" with { type: "macro" };
import { type StreamSource, streamSources } from "./fingerprint.ts";

const BUILTIN_SOURCES = builtinSources();

/** The names of the streams that every derive has; known without running them. */
export const ownStreams: readonly string[] = Object.keys(BUILTIN_SOURCES).map((path) => path.replace(/\.ts$/, ""));

/** @throws {UsageError} when a file is missing. */
export async function sourcesOf(stream: StreamRef): Promise<readonly StreamSource[]> {
  if ("path" in stream) return streamSources(stream.path);
  const added = compiled.find(({ name }) => name === stream.builtin);
  if (added) return added.sources;
  const path = `${stream.builtin}.ts`;
  return [{ path, text: BUILTIN_SOURCES[path] ?? "" }];
}
