// What a stream's columns ask for is known before the first message: nothing has to be learned from it the plain way.
import { expect, test } from "bun:test";
import { defineStream, double, int, json, list, map, record, string, timestamp } from "derive";
import { Asks } from "../../src/kernel/asks.ts";

test("all that computed, mapped and nested columns read, below the columns they are made of, too", () => {
  const { rows } = defineStream({
    streamName: "telemetry",
    columns: {
      plain: string(),
      hours: double("payload.info.subsessionLength").map((seconds) => seconds / 3600),
      days: int().from({ made: int("environment.profile.creationDate"), sent: double() }, ({ made, sent }) =>
        Math.floor(sent - made),
      ),
      deep: int().from({ inner: int().from({ deepest: int("a.b") }, ({ deepest }) => deepest) }, ({ inner }) => inner),
      searches: map(int("sum"), "payload.keyedHistograms.SEARCH_COUNTS"),
      addons: list(record({ id: string("$key") }), ["environment", "addons.active"]),
      all: json("payload"),
      grouped: record({ one: string("x.y") }, []),
      anything: string().from((message) => message.string("made.up")),
      at: timestamp("creationDate"),
    },
  });
  expect(rows!.asked([1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual([
    { path: "payload.info.subsessionLength", getter: "double" },
    { path: "environment.profile.creationDate", getter: "int" },
    { path: ["sent"], getter: "double" },
    { path: "a.b", getter: "int" },
    { path: "payload.keyedHistograms.SEARCH_COUNTS", getter: "json" },
    { path: ["environment", "addons.active"], getter: "json" },
    { path: "payload", getter: "json" },
  ]);
});

test("a path of one part is the same as text and as array, unless it has a dot", () => {
  const asks = new Asks();
  const number = asks.add(["docType"], "text");
  expect(asks.numberOf("docType", "text")).toBe(number);
  expect(asks.numberOf(["docType"], "text")).toBe(number);
  expect(asks.numberOf("docType", "int")).not.toBe(number);
  expect(asks.numberOf(["a.b"], "text")).not.toBe(asks.numberOf("a.b", "text"));
  expect(asks.numberOf(["a", "b"], "text")).not.toBe(asks.numberOf(["a.b"], "text"));
});
