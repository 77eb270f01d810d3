// For the bench: what is asked for lies in the first fields of a message, so most of it need not be decompressed.
import { boolean, defineStream, double, int, string } from "derive";

export default defineStream({
  streamName: "telemetry",
  columns: {
    documentId: string(),
    clientId: string(),
    channel: string("appUpdateChannel").default(""),
    country: string("geoCountry").default(""),
    profileCreated: double("environment.profile.creationDate").default(0),
    osVersion: string("environment.system.os.version").default(""),
    cores: int("environment.system.cpu.count").default(0),
    memoryMB: int("environment.system.memoryMB").default(0),
    isDefaultBrowser: boolean("environment.settings.isDefaultBrowser").default(false),
  },
});
