// The built-in streams on the real main ping of each era, against what a reference reader made of it.

import { expect, test } from "bun:test";
import { MessageDecoder } from "../../src/heka/message.ts";
import { streams } from "../../streams/index.ts";
import { inflateAll, messagesOf, readReal, realFiles } from "../heka/objects.ts";

const names = realFiles === undefined ? [] : ["test_telemetry_snappy.heka", "test_telemetry_gzip.heka"];

/** The one record that a stream builds of a real file. */
async function buildFrom(file: string, stream: string): Promise<Record<string, unknown>> {
  const { bytes } = await inflateAll(readReal(file));
  const messages = messagesOf(bytes);
  expect(messages).toHaveLength(1);
  const { default: definition } = await streams[stream]!();
  return definition.build(new MessageDecoder().decode(messages[0]!)) as Record<string, unknown>;
}

function reference(file: string) {
  return JSON.parse(new TextDecoder().decode(readReal(`${file}.json`)));
}

test.each(names)("ExampleStream on %s", async (file) => {
  const { meta, environment, payload } = reference(file);
  expect(await buildFrom(file, "ExampleStream")).toEqual({
    docType: meta.docType,
    submissionDate: meta.submissionDate,
    creationTimestamp: meta.creationTimestamp,
    profileCreationTimestamp: environment.profile.creationDate * 86400 * 1e9,
    clientId: meta.clientId,
    documentId: meta.documentId,
    country: meta.geoCountry,
    channel: meta.appUpdateChannel,
    os: meta.os,
    osVersion: environment.system.os.version,
    default: environment.settings.isDefaultBrowser,
    buildId: meta.appBuildId,
    app: meta.appName,
    version: meta.appVersion,
    vendor: meta.appVendor,
    reason: meta.reason,
    hours: payload.info.subsessionLength / 3600,
    google: 0,
    yahoo: 0,
    bing: 0,
    other: 0,
  });
});

test.each(names)("AddonsStream on %s", async (file) => {
  const { meta, environment } = reference(file);
  const record = await buildFrom(file, "AddonsStream");
  expect(record).toMatchObject({ documentId: meta.documentId, version: meta.appVersion });
  const addons = record.addons as { id: string }[];
  const expected = Object.entries(environment.addons.activeAddons as Record<string, Record<string, unknown>>);
  expect(addons.length).toBe(expected.length);
  for (const [id, addon] of expected) {
    const { name, version = null, type, scope, isSystem, installDay, updateDay, signedState = null } = addon;
    const known = { id, name, version, type, scope, isSystem, installDay, updateDay, signedState };
    expect(addons.find((one) => one.id === id)).toMatchObject(known);
  }
});
