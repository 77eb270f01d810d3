// The memory place keeps the promises of the ports, and is as strict about chunks as files are.

import { expect, test } from "bun:test";
import { memoryPlace } from "../../src/storage/memory.ts";
import { contract, textOf } from "./contract.ts";

contract("memory", () => {
  const place = memoryPlace();
  return { source: place, sink: place };
});

test("a chunk is valid until the next one only", async () => {
  const place = memoryPlace({ x: "abcdef" }, 3);
  const chunks: Uint8Array[] = [];
  for await (const chunk of place.open("x")) chunks.push(chunk);
  expect(chunks.map(textOf)).toEqual(["def", "def"]);
});
