// The messages of the executive summary as rows: each column is the field of the same name.

import { boolean, defineStream, double, int, string } from "derive";

export default defineStream({
  streamName: "telemetry-executive-summary",
  description: "One row per message of the executive summary, each column the field of the same name",
  requires: ["docType", "submissionDate", "activityTimestamp", "clientId", "documentId", "default"],
  columns: {
    docType: string(),
    submissionDate: string(),
    activityTimestamp: double(),
    profileCreationTimestamp: double().default(0),
    clientId: string(),
    documentId: string(),
    country: string().default(""),
    channel: string().default(""),
    os: string().default(""),
    osVersion: string().default(""),
    default: boolean(),
    buildId: string().default(""),
    app: string().default(""),
    version: string().default(""),
    vendor: string().default(""),
    reason: string().default(""),
    hours: double().default(0),
    google: int().default(0),
    yahoo: int().default(0),
    bing: int().default(0),
    other: int().default(0),
    pluginHangs: int().default(0),
  },
});
