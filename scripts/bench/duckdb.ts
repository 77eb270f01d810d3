// DuckDB on the same messages as plain NDJSON: a fast engine that is spared frames, protobuf and Snappy.
// bun scripts/bench/duckdb.ts main|executive <threads> <out.parquet> <in.ndjson...>: JSON with the number of rows on stdout
import { DuckDBInstance } from "@duckdb/node-api";

const [shape, threads, output, ...inputs] = process.argv.slice(2);
if (output === undefined || threads === undefined)
  throw new Error("Usage: duckdb.ts main|executive <threads> <out> <in…>");

const pingColumns = {
  meta: "STRUCT(submissionDate VARCHAR, creationTimestamp DOUBLE, geoCountry VARCHAR)",
  type: "VARCHAR",
  id: "VARCHAR",
  clientId: "VARCHAR",
  application: "STRUCT(channel VARCHAR, buildId VARCHAR, name VARCHAR, version VARCHAR, vendor VARCHAR)",
  environment:
    "STRUCT(profile STRUCT(creationDate BIGINT), system STRUCT(os STRUCT(name VARCHAR, version VARCHAR)), " +
    "settings STRUCT(isDefaultBrowser BOOLEAN))",
  payload:
    "STRUCT(info STRUCT(reason VARCHAR, subsessionLength BIGINT), " +
    "keyedHistograms STRUCT(SEARCH_COUNTS MAP(VARCHAR, STRUCT(sum BIGINT))))",
};
const texts =
  "docType submissionDate clientId documentId country channel os osVersion buildId app version vendor reason";
const recordColumns = {
  ...Object.fromEntries(texts.split(" ").map((name) => [name, "VARCHAR"])),
  ...Object.fromEntries(["activityTimestamp", "profileCreationTimestamp", "hours"].map((name) => [name, "DOUBLE"])),
  default: "BOOLEAN",
  ...Object.fromEntries(["google", "yahoo", "bing", "other", "pluginHangs"].map((name) => [name, "INTEGER"])),
};

const searches = (engine: string): string =>
  `coalesce(list_sum(list_transform(list_filter(map_entries(payload.keyedHistograms.SEARCH_COUNTS),
    lambda entry: regexp_matches(entry.key, '${engine}')), lambda entry: entry.value.sum)), 0)::INTEGER`;
const counted =
  "coalesce(list_sum(list_transform(map_entries(payload.keyedHistograms.SEARCH_COUNTS), lambda entry: entry.value.sum)), 0)";
const [google, yahoo, bing] = ["^[gG]oogle", "^[yY]ahoo", "^[bB]ing"].map(searches);
const seconds = "payload.info.subsessionLength";
const pings = `SELECT type docType, meta.submissionDate, meta.creationTimestamp,
  coalesce(environment.profile.creationDate * 864e11, 0) profileCreationTimestamp, clientId, id documentId,
  meta.geoCountry country, application.channel, environment.system.os.name os, environment.system.os.version osVersion,
  coalesce(environment.settings.isDefaultBrowser, false) "default", application.buildId, application.name app,
  application.version, application.vendor, payload.info.reason,
  CASE WHEN ${seconds} > 0 AND ${seconds} < 180 * 86400 THEN ${seconds} / 3600.0 ELSE 0 END "hours",
  ${google} google, ${yahoo} yahoo, ${bing} bing, (${counted} - ${google} - ${yahoo} - ${bing})::INTEGER other`;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const columns = shape === "main" ? pingColumns : recordColumns;
const typed = Object.entries(columns).map(([name, type]) => `"${name}": ${literal(type)}`);
const source =
  `read_json([${inputs.map(literal).join(", ")}], columns = {${typed.join(", ")}}, ` +
  "format = 'newline_delimited', maximum_object_size = 33554432)";
const query = `${shape === "main" ? pings : "SELECT *"} FROM ${source}`;

const instance = await DuckDBInstance.create(":memory:", { threads });
const connection = await instance.connect();
const copied = await connection.run(`COPY (${query}) TO ${literal(output)} (FORMAT parquet, COMPRESSION snappy)`);
console.log(JSON.stringify({ rows: Number((await copied.getRows())[0]![0]) }));
