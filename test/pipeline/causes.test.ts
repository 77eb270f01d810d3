// P12: how what a stream threw is told: nothing that its author or we did not write.
import { expect, test } from "bun:test";
import { FormatError, InternalError, MissingField, ValueError } from "../../src/errors.ts";
import { causeOf, describeThrown, wordsOf } from "../../src/pipeline/causes.ts";
import { className, placesOf } from "../../src/thrown.ts";

const words = wordsOf(
  new Map([
    [
      "/streams/My.ts",
      'class NoSearches extends Error {}\nmessage.double(["payload", "keyed", key, "sum"]); id: string("a.b")',
    ],
    ["/streams/lib/dates.ts", "export const day = 1;"],
  ]),
);

/** An error whose stack says this. */
const at = <E extends Error>(error: E, stack: string): E => Object.assign(error, { stack });

const thrown: [unknown, string][] = [
  [new MissingField("payload.keyed.secret.sum"), "payload.keyed.*.sum missing"],
  [new ValueError("secret", "is not a string"), "* is not a string"],
  [new ValueError("keyed[][].secret[]", "is not an int"), "keyed[][].*[] is not an int"],
  [new ValueError("keyed.*", "is not an int"), "keyed.* is not an int"],
  [new ValueError("record", "is not an object"), "record is not an object"],
  [new ValueError("", "is not a map"), " is not a map"],
  [new FormatError("Cannot read message: it ends", 3), "Cannot read message: it ends"],
  ["secret", "a thrown string"],
  [null, "a thrown object"],
  [undefined, "a thrown undefined"],
  [Symbol("secret"), "a thrown symbol"],
  [at(new TypeError("secret"), "TypeError: secret\n    at f (/streams/My.ts:3:1)"), "TypeError at My.ts:3"],
  [
    at(new Error("x"), "Error: x\n    at /streams/lib/dates.ts:17:20\n    at /streams/My.ts:3:1"),
    "Error at dates.ts:17",
  ],
  [at(new Error("x"), "Error: x\n    at f (file:///streams/My.ts:3:1)"), "Error at My.ts:3"],
  [at(new Error("x"), "Error: x\n    at f (/tmp/secret.ts:3:1)"), "Error"],
  [at(new Error("x"), "Error: x\n    at f (/streams/My.ts:12345678:1)"), "Error"],
  [at(new (class NoSearches extends Error {})("x"), ""), "NoSearches"],
  [at(new (class Secret extends RangeError {})("x"), ""), "RangeError"],
  [Object.assign(new Error("x"), { name: "secret", stack: 7 }), "Error"],
];

test.each(thrown.map(([error, cause], index) => [index, cause, error] as const))("%d: %s", (_index, cause, error) => {
  expect(causeOf(error, words)).toBe(cause);
});

test("an error that cannot be looked at is told as such", () => {
  const trap = () => {
    throw new Error("secret");
  };
  for (const error of [
    new Proxy(new Error("x"), { getPrototypeOf: trap }),
    new Proxy(new ValueError("x", "y"), { get: trap }),
    Object.defineProperty(new Error("x"), "stack", { get: trap }),
  ]) {
    expect(causeOf(error, words)).toBe("an error that cannot be read");
    expect(describeThrown(error, words)).toBe("an error that cannot be read");
  }
});

test("an error that is not of our making: its built-in class, and places without its own text", () => {
  const error = new SyntaxError("secret\n    at secret (/x.ts:1:1)");
  expect(className(Object.assign(error, { name: "secret" }))).toBe("SyntaxError");
  const places = placesOf(error);
  expect(places.length).toBeGreaterThan(0);
  expect(places.join()).not.toContain("secret");
  expect(placesOf("secret")).toEqual([]);
  expect(className(new InternalError("x"))).toBe("Error");
});
