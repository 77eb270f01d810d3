// The examples of a stream's two forms, which must compile as they are written.

import { defineStream, double, int, list, long, map, record, string } from "derive";

export const crash = defineStream({
  streamName: "telemetry",
  dimensions: { docType: ["crash"] },
  buildSchema: () => ({
    type: "record",
    name: "Crash",
    fields: [
      { name: "clientId", type: "string" },
      { name: "country", type: ["null", "string"], default: null },
      { name: "extensions", type: { type: "array", items: "string" } },
    ],
  }),
  buildRecord: (message) => ({
    clientId: message.string("clientId"),
    country: message.string("geoCountry", null),
    extensions: message.json("environment.system.cpu.extensions", []),
  }),
});

export const sessions = defineStream({
  streamName: "telemetry",
  dimensions: { docType: ["main", "crash"] },
  where: (message) => message.double("sampleId", 0) < 1,
  columns: {
    documentId: string().orSkip(),
    country: string("geoCountry").default("??"),
    hours: double("payload.info.subsessionLength")
      .map((s) => s / 3600)
      .default(0),
    ageDays: int()
      .from(
        { made: int("environment.profile.creationDate"), sent: double("creationTimestamp") },
        ({ made, sent }) => Math.floor(sent / 864e11) - made,
      )
      .optional(),
    searches: map(long("sum"), "payload.keyedHistograms.SEARCH_COUNTS"),
    addons: list(record({ id: string("$key"), version: string().optional() }), "environment.addons.activeAddons"),
  },
});
