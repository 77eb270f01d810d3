// Nested data: one row per main ping, with the list of its active add-ons.

import { boolean, defineStream, int, list, record, string, timestamp } from "derive";

export default defineStream({
  streamName: "telemetry",
  description: "One row per main ping, with a list of its active add-ons",
  dimensions: { docType: ["main"] },
  where: (message) => message.string("docType", "") === "main",
  columns: {
    documentId: string().orSkip(),
    clientId: string().orSkip(),
    submissionDate: string().orSkip(),
    createdAt: timestamp("creationTimestamp", "ns").optional(),
    channel: string("appUpdateChannel").optional(),
    version: string("appVersion").optional(),
    // {"addon@example.org": {"name": "…", …}, …}: the keys are the ids
    addons: list(
      record({
        id: string("$key"),
        name: string().optional(),
        version: string().optional(),
        type: string().optional(),
        scope: int().optional(),
        isSystem: boolean().default(false),
        foreignInstall: boolean().default(false),
        userDisabled: boolean().default(false),
        appDisabled: boolean().default(false),
        blocklisted: boolean().default(false),
        signedState: int().optional(),
        // days since the epoch
        installDay: int().optional(),
        updateDay: int().optional(),
      }),
      "environment.addons.activeAddons",
    ).default([]),
  },
});
