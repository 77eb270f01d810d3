// The environment of a sample ping: what its client runs on. Some optional parts are missing, as in real pings.
import type { Ping, PingFacts } from "./population.ts";

export function makeEnvironment({ client, build, random }: PingFacts): Ping {
  const settings: Ping = {
    addonCompatibilityCheckEnabled: true,
    blocklistEnabled: true,
    e10sEnabled: random.chance(0.2),
    telemetryEnabled: build.channel !== "release" || random.chance(0.1),
    locale: client.locale,
    update: { channel: build.channel, enabled: true, autoDownload: random.chance(0.8) },
    userPrefs: { "browser.cache.disk.capacity": 358_400, "browser.newtabpage.enhanced": true },
    defaultSearchEngine: client.engine,
  };
  if (client.isDefaultBrowser !== undefined) settings.isDefaultBrowser = client.isDefaultBrowser;
  const profile: Ping = { creationDate: client.profileCreated };
  if (random.chance(0.1)) profile.resetDate = client.profileCreated + random.int(1, 90);
  return {
    addons: {
      activeAddons: Object.fromEntries(
        client.addons.map((addon) => [addon.id, activeAddon(addon, client.profileCreated)]),
      ),
      theme: { id: "{972ce4c6-7e08-4474-a285-3208198ce6fd}", name: "Default", version: build.version, scope: 4 },
      activePlugins: [{ name: "Shockwave Flash", version: "19.0.0.226", blocklisted: false, clicktoplay: true }],
      activeGMPlugins: { "gmp-gmpopenh264": { version: "1.5.1", userDisabled: false, applyBackgroundUpdates: 1 } },
      activeExperiment: {},
      persona: null,
    },
    build: {
      applicationId: "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}",
      applicationName: build.app,
      architecture: "x86-64",
      buildId: build.buildId,
      version: build.version,
      vendor: "Mozilla",
    },
    partner: { distributionId: random.chance(0.05) ? "größter-partner" : null, partnerNames: [] },
    profile,
    settings,
    system: {
      memoryMB: client.memoryMB,
      virtualMaxMB: 134_217_728,
      cpu: {
        count: client.cores,
        vendor: "GenuineIntel",
        family: 6,
        extensions: ["hasMMX", "hasSSE", "hasSSE2", "hasSSE4_1"],
      },
      os: { name: client.system.name, version: client.system.version, locale: client.locale },
      hdd: { profile: { model: null, revision: null }, binary: { model: null, revision: null } },
      gfx: {
        D2DEnabled: random.chance(0.5),
        adapters: [{ vendorID: "0x8086", deviceID: `0x0${random.hex(3)}`, RAM: null }],
      },
    },
  };
}

function activeAddon(addon: { name: string; version: string }, created: number): Ping {
  return {
    blocklisted: false,
    description: `${addon.name}: makes the browser "better"`,
    name: addon.name,
    userDisabled: false,
    appDisabled: false,
    version: addon.version,
    scope: 1,
    type: "extension",
    foreignInstall: false,
    hasBinaryComponents: false,
    installDay: created + 12,
    updateDay: created + 40,
  };
}
