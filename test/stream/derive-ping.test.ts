// derivePing: both eras, and what the pipeline knew beside the ping.

import { expect, test } from "bun:test";
import { defineStream, string } from "derive";
import { derivePing } from "derive/test";

test("a stream that sees one era's own layout is told so", () => {
  // Only the first era has the rest of the ping as the message's payload.
  const columns = { payload: string().from((message) => message.payload) };
  const stream = defineStream({ streamName: "t", columns });
  expect(() => derivePing(stream, { a: 1 })).toThrow("the eras disagree");
});

test("a section is the same whole in both eras", () => {
  const stream = defineStream({
    streamName: "t",
    buildSchema: () => ({ type: "record", name: "Text", fields: [{ name: "text", type: "string" }] }),
    buildRecord: (message) => ({ text: JSON.stringify(message.json("environment")) }),
  });
  const environment = { other: 1, build: { version: "44" }, profile: { days: [1, 2] } };
  expect(derivePing(stream, { environment })).toEqual({ row: { text: JSON.stringify(environment) } });
});

test("meta stands for the fields the pipeline added, null for one it did not", () => {
  const columns = { id: string("clientId").optional(), country: string("geoCountry").default("??") };
  const stream = defineStream({ streamName: "t", columns });
  expect(derivePing(stream, { clientId: "c" }, { geoCountry: "FR" })).toEqual({ row: { id: "c", country: "FR" } });
  expect(derivePing(stream, { clientId: "c" }, { clientId: "d" })).toEqual({ row: { id: "d", country: "??" } });
});

test("a default of the schema is in the row", () => {
  const stream = defineStream({
    streamName: "t",
    buildSchema: () => ({ type: "record", name: "Filled", fields: [{ name: "a", type: "int", default: 7 }] }),
    buildRecord: () => ({}),
  });
  expect(derivePing(stream, {})).toEqual({ row: { a: 7 } });
});

test("a schema that cannot be used is an error of the test, not of the record", () => {
  const fields = [{ name: "a", type: "nonesuch" }];
  const definition = {
    streamName: "t",
    buildSchema: () => ({ type: "record", name: "R", fields }),
    buildRecord: () => null,
  };
  expect(() => derivePing(defineStream(definition as never), {})).toThrow("Cannot use schema");
});
