// For the bench: three columns, the last of them late in the message.
import { defineStream, double, string } from "derive";

export default defineStream({
  streamName: "telemetry",
  columns: {
    documentId: string(),
    channel: string("appUpdateChannel").default(""),
    uptime: double("payload.simpleMeasurements.uptime").default(0),
  },
});
