// For the bench: the other form, a schema and a function, which asks for paths and never for whole sections.
import { defineStream } from "derive";

const SOURCES = ["urlbar", "searchbar", "abouthome", "contextmenu"];

export default defineStream({
  streamName: "telemetry",
  buildSchema: () => ({
    type: "record",
    name: "Session",
    fields: [
      { name: "documentId", type: "string" },
      { name: "clientId", type: "string" },
      { name: "channel", type: "string" },
      { name: "country", type: ["null", "string"], default: null },
      { name: "osVersion", type: "string" },
      { name: "profileCreated", type: "double" },
      { name: "hours", type: "double" },
      { name: "searches", type: "int" },
    ],
  }),
  buildRecord(message) {
    if (message.string("docType", "") !== "main") return null;
    let searches = 0;
    for (const source of SOURCES) {
      searches += message.int(["payload", "keyedHistograms", "SEARCH_COUNTS", `google.${source}`, "sum"], 0);
    }
    return {
      documentId: message.string("documentId"),
      clientId: message.string("clientId"),
      channel: message.string("appUpdateChannel", ""),
      country: message.string("geoCountry", null),
      osVersion: message.string("environment.system.os.version", ""),
      profileCreated: message.double("environment.profile.creationDate", 0),
      hours: message.double("payload.info.subsessionLength", 0) / 3600,
      searches,
    };
  },
});
