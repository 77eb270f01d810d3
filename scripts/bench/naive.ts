// What the bench measures derive against: the program one would write in an afternoon with the same libraries.
// It reads files whole, takes each message apart into an object, parses the JSON sections that its columns need,
// collects the columns in arrays and lets hyparquet-writer write them. No damage, no checks. Runs in Node, too, once bundled.
// bun scripts/bench/naive.ts main|executive <out.parquet> <in.heka…>
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { snappyUncompressor } from "hysnappy";

type Fields = Record<string, string | number | boolean | undefined>;
type Row = Record<string, string | number | boolean>;
type ColumnType = "STRING" | "DOUBLE" | "BOOLEAN" | "INT32";

const uncompress = snappyUncompressor();
const utf8 = new TextDecoder();

function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++]!;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
}

/** The members of one protobuf message: number, and value or range of bytes. */
function* members(bytes: Uint8Array): Generator<[number: number, value: Uint8Array | number]> {
  let at = 0;
  while (at < bytes.length) {
    let tag: number;
    let length: number;
    [tag, at] = varint(bytes, at);
    if ((tag & 7) === 0) {
      let value: number;
      [value, at] = varint(bytes, at);
      yield [tag >> 3, value];
      continue;
    }
    if ((tag & 7) === 2) [length, at] = varint(bytes, at);
    else length = (tag & 7) === 1 ? 8 : 4;
    yield [tag >> 3, bytes.subarray(at, at + length)];
    at += length;
  }
}

const double = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);

function readFields(message: Uint8Array): Fields {
  const fields: Fields = {};
  for (const [number, value] of members(message)) {
    if (number !== 10 || typeof value === "number") continue;
    let name = "";
    for (const [part, content] of members(value)) {
      if (typeof content === "number") {
        if (part === 6) fields[name] = content;
        if (part === 8) fields[name] = content !== 0;
      } else if (part === 1) name = utf8.decode(content);
      else if (part === 4 || part === 5) fields[name] = utf8.decode(content);
      else if (part === 6) fields[name] = varint(content, 0)[0];
      else if (part === 7) fields[name] = double(content);
      else if (part === 8) fields[name] = content[0] !== 0;
    }
  }
  return fields;
}

/** The messages of one object: each in Snappy, or plain, the whole then in gzip. */
function* readMessages(stored: Uint8Array): Generator<Uint8Array> {
  const isGzip = stored[0] === 0x1f && stored[1] === 0x8b;
  const file = isGzip ? gunzipSync(stored) : stored;
  let at = 0;
  while (at < file.length) {
    if (file[at] !== 0x1e) {
      at++;
      continue;
    }
    const headerEnd = at + 2 + file[at + 1]!;
    const [length] = varint(file, at + 3);
    const message = file.subarray(headerEnd + 1, headerEnd + 1 + length);
    yield isGzip ? message : uncompress(message, varint(message, 0)[0]);
    at = headerEnd + 1 + length;
  }
}

const mainTypes: Record<string, ColumnType> = {
  docType: "STRING",
  submissionDate: "STRING",
  creationTimestamp: "DOUBLE",
  profileCreationTimestamp: "DOUBLE",
  clientId: "STRING",
  documentId: "STRING",
  country: "STRING",
  channel: "STRING",
  os: "STRING",
  osVersion: "STRING",
  default: "BOOLEAN",
  buildId: "STRING",
  app: "STRING",
  version: "STRING",
  vendor: "STRING",
  reason: "STRING",
  hours: "DOUBLE",
  google: "INT32",
  yahoo: "INT32",
  bing: "INT32",
  other: "INT32",
};

/** ExampleStream's 21 columns; undefined leaves the message out. */
function mainRow(fields: Fields): Row | undefined {
  const json = (name: string) => (typeof fields[name] === "string" ? JSON.parse(fields[name]) : undefined);
  const docType = fields.docType;
  const [profile, system, settings] = ["profile", "system", "settings"].map((name) => json(`environment.${name}`));
  const info = json("payload.info");
  const keyed = json("payload.keyedHistograms");
  if (docType !== "main" && docType !== "crash") return undefined;
  if (!profile || !system || !settings || !info || !keyed || !fields.clientId || !fields.documentId) return undefined;
  const searches = { google: 0, yahoo: 0, bing: 0, other: 0 };
  for (const [key, histogram] of Object.entries<{ sum: number }>(keyed.SEARCH_COUNTS ?? {})) {
    const engine = (["google", "yahoo", "bing"] as const).find((name) => key.slice(1).startsWith(name.slice(1)));
    searches[engine ?? "other"] += histogram.sum;
  }
  const seconds = info.subsessionLength ?? 0;
  return {
    docType,
    submissionDate: fields.submissionDate ?? "",
    creationTimestamp: fields.creationTimestamp ?? 0,
    profileCreationTimestamp: (profile.creationDate ?? 0) * 864e11,
    clientId: fields.clientId,
    documentId: fields.documentId,
    country: fields.geoCountry ?? "",
    channel: fields.appUpdateChannel ?? "",
    os: fields.os ?? "",
    osVersion: system.os?.version ?? "",
    default: settings.isDefaultBrowser ?? false,
    buildId: fields.appBuildId ?? "",
    app: fields.appName ?? "",
    version: fields.appVersion ?? "",
    vendor: fields.appVendor ?? "",
    reason: fields.reason ?? "",
    hours: seconds > 0 && seconds < 180 * 86_400 ? seconds / 3_600 : 0,
    ...searches,
  };
}

const executiveTypes: Record<string, ColumnType> = {
  docType: "STRING",
  submissionDate: "STRING",
  activityTimestamp: "DOUBLE",
  profileCreationTimestamp: "DOUBLE",
  clientId: "STRING",
  documentId: "STRING",
  country: "STRING",
  channel: "STRING",
  os: "STRING",
  osVersion: "STRING",
  default: "BOOLEAN",
  buildId: "STRING",
  app: "STRING",
  version: "STRING",
  vendor: "STRING",
  reason: "STRING",
  hours: "DOUBLE",
  google: "INT32",
  yahoo: "INT32",
  bing: "INT32",
  other: "INT32",
  pluginHangs: "INT32",
};
const nothing = { STRING: "", DOUBLE: 0, BOOLEAN: false, INT32: 0 } as const;

/** ExecutiveStream's 22 columns. */
function executiveRow(fields: Fields): Row | undefined {
  if (fields.clientId === undefined || fields.documentId === undefined || fields.default === undefined)
    return undefined;
  const row: Row = {};
  for (const name in executiveTypes) row[name] = fields[name] ?? nothing[executiveTypes[name]!];
  return row;
}

const [shape, output, ...inputs] = process.argv.slice(2);
if (output === undefined) throw new Error("Usage: naive.ts main|executive <out.parquet> <in.heka…>");
const types = shape === "main" ? mainTypes : executiveTypes;
const makeRow = shape === "main" ? mainRow : executiveRow;
const rows: Row[] = [];
for (const input of inputs) {
  for (const message of readMessages(readFileSync(input))) {
    const row = makeRow(readFields(message));
    if (row !== undefined) rows.push(row);
  }
}
const columnData: ColumnSource[] = Object.entries(types).map(([name, type]) => ({
  name,
  data: rows.map((row) => row[name]) as ColumnSource["data"],
  type,
}));
writeFileSync(output, new Uint8Array(parquetWriteBuffer({ columnData })));
console.log(JSON.stringify({ rows: rows.length }));
