// One ping framed as each era of the real pipeline did (docs/formats): for derivePing and the sample day.
import type { Json } from "./message.ts";
import { SPLIT } from "./split.ts";
import type { FieldInit } from "./writer.ts";
import { compressSnappy, encodeFrame, encodeMessage } from "./writer.ts";

/**
 * How a ping lies in its message. "heka" (2015–16): Snappy, sections as STRING fields, the rest as payload.
 * "hindsight" (2016–): plain, sections as BYTES fields, the rest as the field submission, null where a section was.
 * "landfill": the client's own bytes, gzip, in the field content.
 */
export type Era = "heka" | "hindsight" | "landfill";

/** What the pipeline knew beside the ping. Most is taken from the ping where it is not given; null leaves a field out. */
export interface PingMeta {
  /** 16 bytes; from documentId where not given. */
  uuid?: Uint8Array;
  /** Arrival, nanoseconds since the epoch; the ping's creationDate where not given. */
  timestamp?: bigint;
  hostname?: string;
  documentId?: string | null;
  clientId?: string | null;
  docType?: string | null;
  reason?: string | null;
  appName?: string | null;
  appVersion?: string | null;
  appBuildId?: string | null;
  appVendor?: string | null;
  appUpdateChannel?: string | null;
  normalizedChannel?: string | null;
  os?: string | null;
  geoCountry?: string | null;
  geoCity?: string | null;
  Host?: string | null;
  Date?: string | null;
  DNT?: string | null;
  sourceName?: string | null;
  /** A decimal number: the later eras write it as a DOUBLE. */
  sourceVersion?: string | null;
  /** YYYYMMDD, the UTC date of the timestamp. */
  submissionDate?: string | null;
  /** 0 to 99: CRC-32 of clientId modulo 100. */
  sampleId?: number | null;
  /** Nanoseconds since the epoch. */
  creationTimestamp?: number | null;
  telemetryEnabled?: boolean | null;
}

type JsonObject = { [key: string]: Json };

const channels = ["release", "esr", "beta", "aurora", "nightly"];
const utf8 = new TextEncoder();

/**
 * One frame holding `ping` as `era` did, `compress` making its Snappy block where it has one. The ping is not changed; the
 * same input gives the same bytes.
 */
export function framePing(
  ping: object,
  meta: PingMeta,
  era: Era,
  compress: (bytes: Uint8Array) => Uint8Array = compressSnappy,
): Uint8Array {
  // A copy of the top level only: sections are turned into text once, and sample days are made of thousands of pings.
  const rest = { ...ping } as JsonObject;
  const facts = completeMeta(rest, meta);
  const scalars = scalarFields(facts, era);
  const envelope = { uuid: facts.uuid, timestamp: facts.timestamp, type: "telemetry", logger: "telemetry" };
  const hostname = meta.hostname ?? "ip-172-31-0-1";

  if (era === "landfill") {
    const content: FieldInit = {
      name: "content",
      type: "bytes",
      values: [Bun.gzipSync(utf8.encode(JSON.stringify(ping)))],
    };
    return encodeFrame(encodeMessage({ ...envelope, hostname, fields: [...scalars, content] }));
  }
  const split = splitSections(rest, era);
  if (era === "hindsight") {
    const submission: FieldInit = { name: "submission", type: "bytes", values: [JSON.stringify(rest)] };
    return encodeFrame(encodeMessage({ ...envelope, hostname, fields: [...scalars, ...split, submission] }));
  }
  const message = encodeMessage({
    ...envelope,
    severity: 6,
    payload: JSON.stringify(rest),
    envVersion: "1",
    pid: 10679,
    hostname,
    fields: [...scalars, ...split],
  });
  return encodeFrame(compress(message));
}

/** Moves the split sections out of `rest`: "heka" leaves no key behind, "hindsight" a null. */
function splitSections(rest: JsonObject, era: Era): FieldInit[] {
  const fields: FieldInit[] = [];
  for (const [parentName, names] of SPLIT) {
    if (!isObject(rest[parentName])) continue;
    const parent = { ...rest[parentName] };
    rest[parentName] = parent;
    for (const name of names) {
      const section = parent[name];
      if (section === undefined || section === null) continue;
      const type = era === "heka" ? "string" : "bytes";
      fields.push({ name: `${parentName}.${name}`, type, values: [JSON.stringify(section)] });
      if (era === "heka") delete parent[name];
      else parent[name] = null;
    }
  }
  return fields;
}

/** `meta` with the rest taken from the ping, as the pipeline did. */
function completeMeta(ping: JsonObject, meta: PingMeta): PingMeta & { uuid: Uint8Array; timestamp: bigint } {
  const created = Date.parse(textAt(ping, "creationDate") ?? "");
  const createdNs = Number.isNaN(created) ? undefined : BigInt(created) * 1_000_000n;
  const timestamp = meta.timestamp ?? createdNs ?? 0n;
  const arrival = new Date(Number(timestamp / 1_000_000n));
  const clientId = meta.clientId === undefined ? textAt(ping, "clientId") : meta.clientId;
  const channel = textAt(ping, "application", "channel");
  const enabled = find(ping, "environment", "settings", "telemetryEnabled");
  const defaults: PingMeta = {
    documentId: textAt(ping, "id"),
    clientId,
    docType: textAt(ping, "type"),
    reason: textAt(ping, "payload", "info", "reason"),
    appName: textAt(ping, "application", "name"),
    appVersion: textAt(ping, "application", "version"),
    appBuildId: textAt(ping, "application", "buildId"),
    appVendor: textAt(ping, "application", "vendor"),
    appUpdateChannel: channel,
    normalizedChannel: channel === undefined ? undefined : channels.includes(channel) ? channel : "Other",
    os: textAt(ping, "environment", "system", "os", "name"),
    Host: "incoming.telemetry.mozilla.org",
    Date: arrival.toUTCString(),
    sourceName: "telemetry",
    sourceVersion: "4",
    submissionDate: arrival.toISOString().slice(0, 10).replaceAll("-", ""),
    sampleId: typeof clientId === "string" ? Bun.hash.crc32(clientId) % 100 : undefined,
    creationTimestamp: createdNs === undefined ? undefined : Number(createdNs),
    telemetryEnabled: typeof enabled === "boolean" ? enabled : undefined,
  };
  const given = Object.fromEntries(Object.entries(meta).filter(([, value]) => value !== undefined));
  const facts = { ...defaults, ...given };
  return { ...facts, timestamp, uuid: meta.uuid ?? uuidBytes(facts.documentId ?? "") };
}

const stringNames = [
  "submissionDate",
  "Date",
  "appUpdateChannel",
  "documentId",
  "docType",
  "geoCity",
  "geoCountry",
  "appBuildId",
  "appVersion",
  "Host",
  "appName",
  "sourceName",
  "DNT",
  "reason",
  "os",
  "normalizedChannel",
  "appVendor",
  "clientId",
] as const;

/** The fields beside the sections; numbers packed in the first era, one by one in the later ones. */
function scalarFields(meta: PingMeta, era: Era): FieldInit[] {
  const packed = era === "heka";
  const fields: FieldInit[] = [];
  const add = (name: string, type: FieldInit["type"], value: string | number | boolean | null | undefined): void => {
    if (value !== undefined && value !== null) fields.push({ name, type, values: [value], packed });
  };
  for (const name of stringNames) add(name, "string", meta[name]);
  add("creationTimestamp", "double", meta.creationTimestamp);
  add("telemetryEnabled", "bool", meta.telemetryEnabled);
  add("sourceVersion", era === "heka" ? "string" : "double", meta.sourceVersion);
  add("sampleId", "double", meta.sampleId);
  return fields;
}

function uuidBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll("-", "");
  return /^[0-9a-fA-F]{32}$/.test(hex) ? Uint8Array.fromHex(hex) : new Uint8Array(16);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function find(ping: JsonObject, ...keys: string[]): Json | undefined {
  let value: Json | undefined = ping;
  for (const key of keys) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

function textAt(ping: JsonObject, ...keys: string[]): string | undefined {
  const value = find(ping, ...keys);
  return typeof value === "string" ? value : undefined;
}
