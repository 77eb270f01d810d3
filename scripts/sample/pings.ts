// The sample day's pings as their clients would have sent them: shapes and sizes of real ones, contents invented.
import { makeEnvironment } from "./environment.ts";
import { histogram, histogramDefinitions, keyedDefinitions, sparseCounts } from "./histograms.ts";
import type { Ping, PingFacts } from "./population.ts";
import type { Random } from "./random.ts";

/** Makes a ping of any document type. */
export function makePing(facts: PingFacts): Ping {
  const { docType, build, client, sent, random } = facts;
  const ping: Ping = {
    type: docType,
    id: random.uuid(),
    creationDate: new Date(sent).toISOString(),
    version: 4,
    application: {
      architecture: "x86-64",
      buildId: build.buildId || undefined,
      name: build.app,
      version: build.version,
      displayVersion: build.version,
      vendor: "Mozilla",
      platformVersion: build.version,
      xpcomAbi: "x86_64-msvc",
      channel: build.channel,
    },
    clientId: client.id,
  };
  if (docType === "main" || docType === "saved-session") {
    ping.environment = makeEnvironment(facts);
    ping.payload = mainPayload(facts);
  } else if (docType === "crash") {
    ping.environment = makeEnvironment(facts);
    ping.payload = { crashDate: new Date(sent).toISOString().slice(0, 10), version: 1, hasCrashEnvironment: true };
  } else if (docType === "heartbeat") {
    ping.payload = { flowId: random.uuid(), surveyVersion: "56", score: random.int(1, 5), locale: client.locale };
  } else {
    ping.payload = { version: 1, name: `${docType}-${random.hex(6)}` };
  }
  return ping;
}

function mainPayload(facts: PingFacts): Ping {
  const { random, client, docType } = facts;
  const activity = client.activity * random.logNormal(1, 0.2);
  // A short session touches few probes, a long one nearly all: this is what spreads the sizes.
  const touched = Math.min(1, 0.62 * activity);
  const histograms: Ping = {};
  for (const definition of histogramDefinitions)
    if (random.chance(touched)) histograms[definition.name] = histogram(definition, activity, random);
  const reason =
    docType === "saved-session" ? "saved-session" : random.pick(["shutdown", "daily", "environment-change"]);
  return {
    ver: 4,
    simpleMeasurements: simpleMeasurements(random),
    histograms,
    keyedHistograms: keyedHistograms(facts, activity),
    chromeHangs: { memoryMap: [], stacks: [], durations: [], systemUptime: [], firefoxUptime: [], annotations: [] },
    log: [["AUSHELPER_RESULT", random.int(300, 3_000), "none"]],
    webrtc: { IceCandidatesStats: { webrtc: {} } },
    childPayloads: random.chance(0.3) ? [{ ver: 4, simpleMeasurements: { uptime: 0 }, log: [] }] : [],
    threadHangStats: threadHangs(activity, random),
    info: sessionInfo(facts, reason),
    fileIOReports: {},
    lateWrites: { memoryMap: [], stacks: [] },
    addonDetails: addonDetails(facts),
    UIMeasurements: [],
    slowSQL: { mainThread: {}, otherThreads: {} },
  };
}

function sessionInfo({ random, build, client }: PingFacts, reason: string): Ping {
  const length = Math.round(random.logNormal(2_400, 1.3));
  const info: Ping = {
    reason,
    revision: `https://hg.example.org/${build.channel}/rev/${random.hex(12)}`,
    asyncPluginInit: false,
    timezoneOffset: random.pick([-480, -300, 0, 60, 120, 330, 540]),
    previousBuildId: random.chance(0.2) ? build.buildId : null,
    sessionId: random.uuid(),
    subsessionId: random.uuid(),
    previousSessionId: random.uuid(),
    previousSubsessionId: random.chance(0.5) ? random.uuid() : null,
    subsessionCounter: random.int(1, 9),
    profileSubsessionCounter: random.int(1, 2_000),
    sessionStartDate: "2015-10-28T00:00:00.0+01:00",
    subsessionStartDate: "2015-10-28T00:00:00.0+01:00",
    sessionLength: length + random.int(0, 9_000),
    addons: client.addons.map(({ id, version }) => encodeURIComponent(`${id}:${version}`)).join(","),
    flashVersion: "19.0.0.226",
  };
  // Clocks go wrong: some lengths are missing, negative or longer than any session.
  if (!random.chance(0.03)) info.subsessionLength = random.chance(0.01) ? random.pick([-1, 4e7]) : length;
  return info;
}

function keyedHistograms(facts: PingFacts, activity: number): Ping {
  const { random, client } = facts;
  const keyed: Ping = {};
  for (const { definition, keys } of keyedDefinitions) {
    const entries: Ping = {};
    for (const key of keys) if (random.chance(0.55 * activity)) entries[key] = histogram(definition, activity, random);
    keyed[definition.name] = entries;
  }
  if (random.chance(0.65)) {
    const searches: Ping = {};
    for (const source of ["urlbar", "searchbar", "abouthome", "contextmenu"]) {
      if (!random.chance(0.45)) continue;
      const engine = random.chance(0.85)
        ? client.engine
        : random.pick(["Google", "Yahoo! JAPAN", "Bing®", "wikipedia"]);
      const sum = Math.round(random.logNormal(3, 0.9));
      searches[`${engine}.${source}`] = {
        range: [1, 2],
        bucket_count: 3,
        histogram_type: 4,
        values: { 0: sum, 1: 0 },
        sum,
      };
    }
    keyed.SEARCH_COUNTS = searches;
  }
  return keyed;
}

const timings =
  "start main selectProfile afterProfileLocked startupCrashDetectionBegin startupCrashDetectionEnd firstPaint sessionRestored createTopLevelWindow AMI_startup_begin AMI_startup_end XPI_startup_begin XPI_startup_end XPI_finalUIStartup sessionRestoreInit firstLoadURI delayedStartupStarted delayedStartupFinished shutdownDuration activeTicks totalTime uptime savedPings pingsOverdue startupInterrupted debuggerAttached maximalNumberOfConcurrentThreads".split(
    " ",
  );

function simpleMeasurements(random: Random): Ping {
  const measured: Ping = {};
  for (const name of timings) measured[name] = Math.round(random.logNormal(900, 1.1));
  measured.js = { setProto: random.int(0, 3), customIter: random.int(0, 90) };
  measured.UITelemetry = {
    toolbars: {
      sizemode: "maximized",
      menuBarEnabled: false,
      bookmarksBarEnabled: random.chance(0.4),
      addonBarEnabled: false,
    },
    contextmenu: { __DEFAULT__: { "link-in-page": { withcustom: random.int(0, 9) } } },
  };
  return measured;
}

const frames = [
  "Startup::XRE_Main",
  "EventDispatcher::Dispatch",
  "nsJSContext::CycleCollect",
  "Timer::Fire",
  "IPC::Read",
];

function threadHangs(activity: number, random: Random): Ping[] {
  return ["Gecko", "ImageIO", "Socket", "Timer"].map((name) => {
    const hangs = Array.from({ length: name === "Gecko" ? Math.round(28 * activity ** 2) : 0 }, () => ({
      stack: Array.from({ length: random.int(1, 5) }, () =>
        random.chance(0.5) ? random.pick(frames) : `browser/modules/${random.hex(3)}.js:${random.int(10, 3_000)}`,
      ),
      histogram: {
        range: [1, 0],
        bucket_count: 33,
        histogram_type: 0,
        values: { 127: 0, 255: random.int(1, 9), 511: 0 },
        sum: 0,
      },
    }));
    const activityCounts = {
      range: [1, 0],
      bucket_count: 33,
      histogram_type: 0,
      values: sparseCounts(12, random),
      sum: 0,
    };
    return { name, activity: activityCounts, hangs };
  });
}

function addonDetails({ client, random }: PingFacts): Ping {
  const details: Ping = {};
  for (const { id, name } of client.addons) {
    const times = { startup_MS: random.int(0, 90), scan_items: random.int(1, 40), scan_MS: random.int(0, 30) };
    details[id] = { ...times, location: "app-profile", name, creator: "Example" };
  }
  return { XPI: details };
}
