// The built-in streams against docs/formats: their columns in order, and the row of a ping with everything and of one
// with as little as can be.

import { describe, expect, test } from "bun:test";
import { derivePing } from "derive/test";
import { ownStreams } from "../../src/jobs/stream-sources.ts";
import AddonsStream from "../../streams/AddonsStream.ts";
import ExampleStream from "../../streams/ExampleStream.ts";
import ExecutiveStream from "../../streams/ExecutiveStream.ts";

import { streams as listed } from "../../streams/index.ts";

const streams = { AddonsStream, ExampleStream, ExecutiveStream };

/** `ping` with `value` at `path`, whose parents are there or made. */
function withValue(ping: object, path: string, value: unknown): object {
  const [first, ...others] = path.split(".");
  const inner = (ping as Record<string, object | undefined>)[first!];
  return { ...ping, [first!]: others.length === 0 ? value : withValue(inner ?? {}, others.join("."), value) };
}

/** `ping` without the value at `path`: JSON has no undefined. */
function without(ping: object, path: string): object {
  return withValue(ping, path, undefined);
}

function columnsOf(name: keyof typeof streams): string {
  return streams[name]
    .schema(name)
    .fields.map((field) => `${field.name} ${field.type}`)
    .join(", ");
}

const full = {
  type: "main",
  id: "11111111-2222-3333-4444-555555555555",
  clientId: "c0ffee",
  creationDate: "2015-10-28T09:30:00.000Z",
  application: { name: "Firefox", version: "44.0a1", buildId: "20151028030422", vendor: "Mozilla", channel: "nightly" },
  environment: {
    profile: { creationDate: 16000 },
    system: { os: { name: "Linux", version: "4.2" } },
    settings: { isDefaultBrowser: true },
    addons: { activeAddons: {} },
  },
  payload: {
    info: { subsessionLength: 5400, reason: "shutdown" },
    keyedHistograms: {
      SEARCH_COUNTS: {
        "google.urlbar": { sum: 3 },
        "Google.searchbar": { sum: 4 },
        yahoo: { sum: 1 },
        "Yahoo.x": { sum: 1 },
        "bing.urlbar": { sum: 5 },
        Bing: { sum: 6 },
        "GOOGLE.urlbar": { sum: 100 },
        "duckduckgo.google": { sum: 7 },
        "": { sum: 1 },
      },
    },
  },
};
const known = { geoCountry: "FR", submissionDate: "20151028" };

const bare = {
  type: "crash",
  id: "b",
  clientId: "c",
  creationDate: "2015-10-28T09:30:00.000Z",
  environment: { profile: {}, system: {}, settings: {} },
  payload: { info: {}, keyedHistograms: {} },
};

test("the list of the streams is that of their files", () => {
  expect(Object.keys(listed)).toEqual([...ownStreams]);
});

describe("ExampleStream", () => {
  test("its columns", () => {
    expect(columnsOf("ExampleStream")).toBe(
      "docType string, submissionDate string, creationTimestamp double, profileCreationTimestamp double, clientId string, " +
        "documentId string, country string, channel string, os string, osVersion string, default boolean, buildId string, " +
        "app string, version string, vendor string, reason string, hours double, google int, yahoo int, bing int, other int",
    );
  });

  test("a ping with everything", () => {
    expect(derivePing(ExampleStream, full, known)).toEqual({
      row: {
        docType: "main",
        submissionDate: "20151028",
        creationTimestamp: 1446024600e9,
        profileCreationTimestamp: 16000 * 86400 * 1e9,
        clientId: "c0ffee",
        documentId: "11111111-2222-3333-4444-555555555555",
        country: "FR",
        channel: "nightly",
        os: "Linux",
        osVersion: "4.2",
        default: true,
        buildId: "20151028030422",
        app: "Firefox",
        version: "44.0a1",
        vendor: "Mozilla",
        reason: "shutdown",
        hours: 1.5,
        google: 7,
        yahoo: 2,
        bing: 11,
        other: 108,
      },
    });
  });

  test("a ping with as little as can be", () => {
    expect(derivePing(ExampleStream, bare, { reason: null })).toEqual({
      row: {
        docType: "crash",
        submissionDate: "20151028",
        creationTimestamp: 1446024600e9,
        profileCreationTimestamp: 0,
        clientId: "c",
        documentId: "b",
        country: "",
        channel: "",
        os: "",
        osVersion: "",
        default: false,
        buildId: "",
        app: "",
        version: "",
        vendor: "",
        reason: "",
        hours: 0,
        google: 0,
        yahoo: 0,
        bing: 0,
        other: 0,
      },
    });
  });

  test("only main and crash pings", () => {
    expect(derivePing(ExampleStream, { ...full, type: "saved-session" }, known)).toEqual({ filtered: "where" });
    expect(derivePing(ExampleStream, without(full, "type"), known)).toEqual({ filtered: "where" });
  });

  test.each([
    ["environment.profile", "environment.profile"],
    ["environment.system", "environment.system"],
    ["environment.settings", "environment.settings"],
    ["payload.info", "payload.info"],
    ["payload.keyedHistograms", "payload.keyedHistograms"],
    ["creationDate", "creationTimestamp"],
    ["clientId", "clientId"],
    ["id", "documentId"],
  ])("a ping without %s is left out", (path, missing) => {
    const meta = { ...known, timestamp: 1n };
    expect(derivePing(ExampleStream, without(full, path), meta)).toEqual({ filtered: `${missing} missing` });
    expect(derivePing(ExampleStream, withValue(full, path, null), meta)).toEqual({ filtered: `${missing} missing` });
  });

  test("a ping without a submission date is left out, also when a value is of a wrong type", () => {
    const broken = withValue(full, "environment.settings.isDefaultBrowser", "yes");
    expect(derivePing(ExampleStream, broken, { submissionDate: null })).toEqual({ filtered: "submissionDate missing" });
  });

  test.each([
    [0, 0],
    [-1, 0],
    [1, 1 / 3600],
    [180 * 86400 - 1, (180 * 86400 - 1) / 3600],
    [180 * 86400, 0],
    ["7200", 2],
    [null, 0],
  ])("a length of %p seconds is %p hours", (seconds, hours) => {
    const ping = withValue(full, "payload.info.subsessionLength", seconds);
    expect(derivePing(ExampleStream, ping, known)).toMatchObject({ row: { hours } });
  });

  test.each([
    ["payload.info.subsessionLength", [], "payload.info.subsessionLength is not a double"],
    ["environment.settings.isDefaultBrowser", 1, "environment.settings.isDefaultBrowser is not a boolean"],
    ["environment.system.os.version", {}, "environment.system.os.version is not a string"],
    ["environment.profile.creationDate", "soon", "environment.profile.creationDate is not a double"],
    ["payload.keyedHistograms.SEARCH_COUNTS", 7, "payload.keyedHistograms.SEARCH_COUNTS is not a map"],
    [
      "payload.keyedHistograms.SEARCH_COUNTS.google",
      { sum: "x" },
      "payload.keyedHistograms.SEARCH_COUNTS.*.sum is not an int",
    ],
    ["payload.keyedHistograms.SEARCH_COUNTS.google", { sum: 2 ** 31 - 1 }, "google is not an int"],
  ])("%s of a wrong type fails the record", (path, value, cause) => {
    expect(derivePing(ExampleStream, withValue(full, path, value), known)).toEqual({ failed: cause });
  });
});

describe("ExecutiveStream", () => {
  const least = {
    type: "executive",
    submissionDate: "20151028",
    activityTimestamp: 1446024600e9,
    clientId: "c",
    documentId: "d",
    default: true,
  };
  const meta = { timestamp: 1n, submissionDate: "20151028", documentId: "d" };

  test("its columns", () => {
    expect(columnsOf("ExecutiveStream")).toBe(
      "docType string, submissionDate string, activityTimestamp double, profileCreationTimestamp double, clientId string, " +
        "documentId string, country string, channel string, os string, osVersion string, default boolean, buildId string, " +
        "app string, version string, vendor string, reason string, hours double, google int, yahoo int, bing int, other int, " +
        "pluginHangs int",
    );
    expect(ExecutiveStream.streamName).toBe("telemetry-executive-summary");
  });

  test("a message with as little as can be, and fields of the same name", () => {
    const row = {
      docType: "executive",
      submissionDate: "20151028",
      activityTimestamp: 1446024600e9,
      profileCreationTimestamp: 0,
      clientId: "c",
      documentId: "d",
      country: "",
      channel: "",
      os: "",
      osVersion: "",
      default: true,
      buildId: "",
      app: "",
      version: "",
      vendor: "",
      reason: "",
      hours: 0,
      google: 0,
      yahoo: 0,
      bing: 0,
      other: 0,
      pluginHangs: 0,
    };
    expect(derivePing(ExecutiveStream, least, meta)).toEqual({ row });
    const more = { country: "FR", hours: 1.5, google: 3, pluginHangs: 2, profileCreationTimestamp: 5 };
    expect(derivePing(ExecutiveStream, { ...least, ...more }, meta)).toEqual({ row: { ...row, ...more } });
  });

  test.each([
    ["type", "docType"],
    ["activityTimestamp", "activityTimestamp"],
    ["clientId", "clientId"],
    ["default", "default"],
  ])("a message without %s is left out", (path, missing) => {
    expect(derivePing(ExecutiveStream, without(least, path), meta)).toEqual({ filtered: `${missing} missing` });
  });
});

describe("AddonsStream", () => {
  const addon = {
    name: "Ad",
    version: "1.0",
    type: "extension",
    scope: 1,
    isSystem: true,
    foreignInstall: false,
    installDay: 16000,
  };

  test("a list with a record for each active add-on, its key the id", () => {
    const ping = withValue(full, "environment.addons.activeAddons", { "a@x.org": addon, "{b}": {} });
    const result = derivePing(AddonsStream, ping, known) as { row: { addons: object[] } };
    expect(result.row).toMatchObject({ clientId: "c0ffee", channel: "nightly", createdAt: 1_446_024_600_000_000n });
    expect(result.row.addons).toEqual([
      {
        id: "a@x.org",
        ...addon,
        userDisabled: false,
        appDisabled: false,
        blocklisted: false,
        signedState: null,
        updateDay: null,
      },
      {
        id: "{b}",
        name: null,
        version: null,
        type: null,
        scope: null,
        isSystem: false,
        foreignInstall: false,
        userDisabled: false,
        appDisabled: false,
        blocklisted: false,
        signedState: null,
        installDay: null,
        updateDay: null,
      },
    ]);
  });

  test("no add-ons, an empty list; no main ping, no record", () => {
    expect(derivePing(AddonsStream, bare, known)).toEqual({ filtered: "where" });
    expect(derivePing(AddonsStream, { ...bare, type: "main" }, known)).toMatchObject({ row: { addons: [] } });
  });
});
