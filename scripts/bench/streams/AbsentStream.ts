// For the bench: no message has what is asked for, which is known at its end only.
import { defineStream, int, string } from "derive";

export default defineStream({
  streamName: "telemetry",
  columns: {
    documentId: string(),
    flavour: string("flavour").optional(),
    processes: int("payload.processes.count").default(0),
    codec: string("environment.system.gfx.features.codec").optional(),
    gc: int("payload.gc.random").optional(),
  },
});
