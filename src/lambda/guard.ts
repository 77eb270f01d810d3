// A function whose output wakes it again would run for ever, and be paid for: it is not begun.

import { UsageError } from "../errors.ts";
import { folderPrefix } from "../storage/keys.ts";

/**
 * Refuses output that lies where new objects are events.
 * @param outputs URLs of folders that the function writes to
 * @param trigger the URL of the folder whose objects wake it
 * @throws {UsageError}
 */
export function refuseLoop(outputs: readonly string[], trigger: string): void {
  const inner = outputs.map(folderPrefix).find((output) => output.startsWith(folderPrefix(trigger)));
  if (inner === undefined) return;
  throw new UsageError(
    `Cannot derive events to ${inner}: it lies below ${trigger}, whose new objects are events, so that what is written would wake the function again. ` +
      "Set another place (DERIVE_OUTPUT, DERIVE_QUARANTINE)",
  );
}
