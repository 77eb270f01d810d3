// One flat row per main or crash ping: who sent it, from which build and system, for how long it ran, what was searched.

import { boolean, defineStream, double, int, map, string } from "derive";

const secondsPerHour = 3600;
const nanosecondsPerDay = 86400 * 1e9;
const longestSession = 180 * 86400;

// {"google.urlbar": {"sum": 3, …}, …}
const searches = map(int("sum").default(0), "payload.keyedHistograms.SEARCH_COUNTS").default({});

/** The searches of the engines whose key matches. */
function searchesWith(engine: RegExp) {
  return int().from({ searches }, ({ searches }) => {
    let count = 0;
    for (const key in searches) if (engine.test(key)) count += searches[key]!;
    return count;
  });
}

export default defineStream({
  streamName: "telemetry",
  description: "One flat row per main or crash ping: client, build, system, session hours and searches",
  where: (message) => ["main", "crash"].includes(message.string("docType", "")),
  requires: [
    "environment.profile",
    "environment.system",
    "environment.settings",
    "payload.info",
    "payload.keyedHistograms",
    "submissionDate",
    "creationTimestamp",
    "clientId",
    "documentId",
  ],
  columns: {
    docType: string(),
    submissionDate: string(),
    creationTimestamp: double(),
    profileCreationTimestamp: double("environment.profile.creationDate")
      .map((days) => days * nanosecondsPerDay)
      .default(0),
    clientId: string(),
    documentId: string(),
    country: string("geoCountry").default(""),
    channel: string("appUpdateChannel").default(""),
    os: string().default(""),
    osVersion: string("environment.system.os.version").default(""),
    default: boolean("environment.settings.isDefaultBrowser").default(false),
    buildId: string("appBuildId").default(""),
    app: string("appName").default(""),
    version: string("appVersion").default(""),
    vendor: string("appVendor").default(""),
    reason: string().default(""),
    hours: double("payload.info.subsessionLength")
      .map((seconds) => (seconds > 0 && seconds < longestSession ? seconds / secondsPerHour : 0))
      .default(0),
    google: searchesWith(/^[gG]oogle/),
    yahoo: searchesWith(/^[yY]ahoo/),
    bing: searchesWith(/^[bB]ing/),
    other: searchesWith(/^(?![gG]oogle|[yY]ahoo|[bB]ing)/),
  },
});
