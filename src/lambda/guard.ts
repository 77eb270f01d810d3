// A function whose output wakes it again would run for ever, and be paid for: it is not begun.

import { UsageError } from "../errors.ts";

/**
 * Refuses output that lies where new objects are events.
 * @param output the URL of the folder that derived parts lie below
 * @param trigger the URL of the folder whose objects wake the function
 * @throws {UsageError}
 */
export function refuseLoop(output: string, trigger: string): void {
  const [inner, outer] = [output, trigger].map((url) => (url.endsWith("/") ? url : `${url}/`)) as [string, string];
  if (!inner.startsWith(outer)) return;
  throw new UsageError(
    `Cannot derive events to ${inner}: it lies below ${outer}, whose new objects are events, so that each part would wake the function again. ` +
      "Set another output (DERIVE_OUTPUT)",
  );
}
