// Heka's message matcher: what it says of messages, and what it refuses to understand.
import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../src/errors.ts";
import { compileMatch } from "../../../src/heka/match/matcher.ts";
import { MessageDecoder } from "../../../src/heka/message.ts";
import { encodeMessage, type MessageInit } from "../../../src/heka/writer.ts";

const telemetry: MessageInit = {
  uuid: Uint8Array.from({ length: 16 }, (_, i) => i),
  timestamp: 1464126660000000001n,
  type: "telemetry",
  logger: "",
  severity: 6,
  pid: -3,
  payload: "Test Payload\nzürich",
  fields: [
    { name: "docType", type: "string", values: ["main"] },
    { name: "docType", type: "string", values: ["crash", "second"] },
    { name: "environment.build", type: "string", values: ['{"a":1}'] },
    { name: "submission", type: "bytes", values: [Buffer.from("cliënt")] },
    { name: "count", type: "integer", values: [9007199254740993n] },
    { name: "sampleId", type: "double", values: [42, 0.5] },
    { name: "yes", type: "bool", values: [true] },
    { name: "empty", type: "string", values: [] },
  ],
};

const holds = (expression: string, message = telemetry): boolean =>
  compileMatch(expression)(new MessageDecoder().decode(encodeMessage(message)));

describe("matches", () => {
  test.each([
    ["TRUE"],
    ['Type == "telemetry"'],
    ["Type == 'telemetry' && Severity == 6"],
    ['(Severity == 7 || Payload =~ /^Test/) && Type == "telemetry"'],
    ['Type == "no" && FALSE || TRUE'], // && binds closer
    ['TRUE || Type == "no" && FALSE'],
    ['Fields[docType] == "main"'],
    ["Fields[docType] =~ /^main/ && Fields[docType] !~ /^saved/"],
    ['Fields[docType][1] == "crash"'],
    ['Fields[docType][1][1] == "second"'],
    ['Fields[environment.build] =~ /"a":1/'],
    ['Fields[submission] == "cliënt"'],
    ["Fields[submission] =~ /cli.nt$/"],
    ["Fields[count] == 9007199254740993"],
    ["Fields[count] != 9007199254740992"],
    ["Fields[sampleId] == 42"],
    ["Fields[sampleId] < 42.5 && Fields[sampleId] >= 4.2e1"],
    ["Fields[sampleId][0][1] == .5"],
    ["Fields[yes] == TRUE"],
    ["Fields[yes] != FALSE"],
    ["Fields[none] == NIL && Fields[docType] != NIL"],
    ["Fields[empty] == NIL"],
    ["Fields[docType][2] == NIL"],
    ["Hostname == NIL && Logger != NIL && Pid != NIL && EnvVersion == NIL"],
    ['Logger == ""'],
    ["Pid == -3 && Pid < -2"],
    ["Timestamp > 1464126660000000000"],
    ['Timestamp > "2016-05-24T21:51:00Z" && Timestamp == "2016-05-24T23:51:00.000000001+02:00"'],
    ['Uuid == "00010203-0405-0607-0809-0A0B0C0D0E0F"'],
    ['Type > "t" && Type <= "telemetry"'],
    ["Payload =~ /(?i)test payload/"],
    ["Payload =~ /Payload.z/"].map((text) => text.replace("/P", "/(?s)P")),
    ["Payload =~ /z.rich$/"],
    ["Type =~ /tele\\/?metry/"],
  ])("%s", (expression) => expect(holds(expression)).toBe(true));
});

describe("does not match", () => {
  test.each([
    ["FALSE"],
    ['Type != "telemetry"'],
    ['Fields[none] == "x"'],
    ['Fields[none] != "x"'], // absent: no test but NIL holds
    ["Fields[none] !~ /x/"],
    ["Fields[docType] == 1"], // of another type
    ["Fields[docType] != 1"],
    ['Fields[count] == "9007199254740993"'],
    ["Fields[count] == 9007199254740992"],
    ["Fields[yes] == FALSE"],
    ["Fields[docType][0][1] != NIL"],
    ["Fields[docType] == NIL"],
    ["Payload =~ /test payload/"],
    ["Payload =~ /Payload.z/"],
  ])("%s", (expression) => expect(holds(expression)).toBe(false));
});

test.each([
  ["", 1, "expected a variable"],
  ['Typ == "x"', 1, "Did you mean Type?"],
  ["Type = 'x'", 6, "not understood"],
  ['Type == "x', 9, "not closed"],
  ["Type == x", 9, "expected"],
  ["Type == 5", 9, "Type is a text"],
  ['Severity == "5"', 13, "Severity is a number"],
  ['Timestamp > "yesterday"', 13, "no time"],
  ['Type =~ "x"', 9, "take a /regex/"],
  ["Type == /x/", 9, "take a /regex/"],
  ["Type =~ /(/", 9, "no regular expression"],
  ["Fields[a] > NIL", 13, "only == and !="],
  ["Fields == 1", 1, "Fields[name]"],
  ["Fields[] == 1", 1, "name of the field"],
  ['(Type == "x"', 13, "not closed"],
  ['Type == "x")', 12, "expected && or ||"],
  ['Type == "x" Logger == "y"', 13, "expected && or ||"],
  ["Type &&", 6, "expected one of"],
  ["Type", 5, "expected one of"],
])("refuses %s, and shows where", (expression, character, why) => {
  const refuse = () => compileMatch(expression);
  expect(refuse).toThrow(UsageError);
  expect(refuse).toThrow(why);
  expect(refuse).toThrow(`at character ${character}:`);
});
