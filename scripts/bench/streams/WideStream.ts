// For the bench: sixty columns from all parts of a ping.
import { boolean, defineStream, double, int, string } from "derive";

const texts = ["clientId", "appBuildId", "appName", "appVersion", "appVendor", "geoCountry", "geoCity", "os", "reason"];
const timings =
  "start main selectProfile afterProfileLocked startupCrashDetectionBegin startupCrashDetectionEnd firstPaint sessionRestored createTopLevelWindow AMI_startup_begin AMI_startup_end XPI_startup_begin XPI_startup_end XPI_finalUIStartup sessionRestoreInit firstLoadURI delayedStartupStarted delayedStartupFinished shutdownDuration activeTicks totalTime uptime savedPings pingsOverdue startupInterrupted debuggerAttached maximalNumberOfConcurrentThreads";
const info = "subsessionCounter profileSubsessionCounter sessionLength subsessionLength timezoneOffset";
const infoTexts = "sessionId subsessionId previousSessionId revision sessionStartDate flashVersion";

export default defineStream({
  streamName: "telemetry",
  columns: {
    documentId: string(),
    ...Object.fromEntries(texts.map((name) => [name, string(name).default("")])),
    ...Object.fromEntries(
      timings.split(" ").map((name) => [name, double(["payload", "simpleMeasurements", name]).default(0)]),
    ),
    ...Object.fromEntries(info.split(" ").map((name) => [name, double(["payload", "info", name]).default(0)])),
    ...Object.fromEntries(infoTexts.split(" ").map((name) => [name, string(["payload", "info", name]).default("")])),
    memoryMB: int("environment.system.memoryMB").default(0),
    cores: int("environment.system.cpu.count").default(0),
    cpuVendor: string("environment.system.cpu.vendor").default(""),
    osName: string("environment.system.os.name").default(""),
    osVersion: string("environment.system.os.version").default(""),
    locale: string("environment.settings.locale").default(""),
    engine: string("environment.settings.defaultSearchEngine").default(""),
    e10s: boolean("environment.settings.e10sEnabled").default(false),
    telemetryEnabled: boolean("environment.settings.telemetryEnabled").default(false),
    isDefaultBrowser: boolean("environment.settings.isDefaultBrowser").default(false),
    profileCreated: double("environment.profile.creationDate").default(0),
    themeName: string("environment.addons.theme.name").default(""),
  },
});
