// Days, filters and Hive paths as people and readers write them.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { UsageError } from "../../src/errors.ts";
import { days, parseDay, parseOnly, sanitize, wantedValues } from "../../src/jobs/dimensions.ts";
import { hivePath, snakeCase } from "../../src/jobs/hive.ts";

describe("days", () => {
  const today = new Date("2016-03-01T00:30:00+02:00"); // still February 29 in UTC

  test.each([
    ["20151028", "20151028"],
    ["2015-10-28", "20151028"],
    ["20160229", "20160229"],
    ["today", "20160229"],
    ["yesterday", "20160228"],
    ["-0d", "20160229"],
    ["-1d", "20160228"],
    ["-60d", "20151231"],
  ])("%p is %p", (text, day) => {
    expect(parseDay(text, today)).toBe(day);
  });

  test.each([
    "",
    "2015",
    "20150229",
    "20151301",
    "20151000",
    "2015-1028",
    "201510281",
    " 20151028",
    "-d",
    "3d",
    "--3d",
    "tomorrow",
  ])("%p is none", (text) => {
    expect(() => parseDay(text, today)).toThrow(UsageError);
  });

  test("a range has both its ends, across months, leap days and changes of the clock", () => {
    expect(days("20151028", "20151028")).toEqual(["20151028"]);
    expect(days("20160227", "20160301")).toEqual(["20160227", "20160228", "20160229", "20160301"]);
    expect(days("20151024", "20151026")).toEqual(["20151024", "20151025", "20151026"]);
    expect(days("20150101", "20151231")).toHaveLength(365);
    expect(() => days("20151029", "20151028")).toThrow(UsageError);
  });
});

test("values are sanitised as the keys' writer did", () => {
  expect(sanitize("Firefox for Android")).toBe("Firefox_for_Android");
  expect(sanitize("44.0a1-é😀/")).toBe("44.0a1____");
  expect(sanitize("")).toBe("");
  expect(sanitize(undefined)).toBe("UNKNOWN");
});

describe("filters", () => {
  const wanted = (texts: string[]) => wantedValues(parseOnly(texts), ["day", "doc", "app"]);

  test("--only has one form", () => {
    expect(parseOnly(["doc=main,crash", "app=F*"])).toEqual([{ doc: ["main", "crash"] }, { app: ["F*"] }]);
    expect(parseOnly(["doc=a=b"])).toEqual([{ doc: ["a=b"] }]);
    for (const text of ["", "doc", "=main", "doc=", "doc=a,,b"]) expect(() => parseOnly([text])).toThrow(UsageError);
  });

  test("nothing asked, nothing pruned", () => {
    expect(wanted([])).toEqual([undefined, undefined, undefined]);
    expect(wanted(["doc=main"])[2]).toBeUndefined();
  });

  test.each([
    ["main", "main", true],
    ["main", "mai", false],
    ["ma?n", "main", true],
    ["ma?n", "mann2", false],
    ["m*", "main", true],
    ["*", "", true],
    ["*n", "main\n", false],
    ["a.b", "axb", false],
    ["[ab]", "a", false],
    ["Firefox for Android", "Firefox_for_Android", true],
    ["Firefox for Android", "Firefox for Android", true],
    ["Firefox for*", "Firefox_for_Android", true],
    ["(a+)+$", "(a+)+$", true],
  ])("%p against %p: %p", (pattern, value, matches) => {
    expect(wanted([`doc=${pattern}`])[1]!.matches(value)).toBe(matches);
  });

  test("filters of a dimension are joined by AND; literals are told so that they can be looked up", () => {
    const doc = wanted(["doc=main,crash,core", "doc=c*", "doc=*e"])[1]!;
    expect(doc.literals).toEqual(["core"]);
    expect(["main", "crash", "core"].filter(doc.matches)).toEqual(["core"]);
    expect(wanted(["doc=m*"])[1]!.literals).toBeUndefined();
    expect(wanted(["doc=a", "doc=b"])[1]!.literals).toEqual([]);
    expect(wanted(["app=a b"])[2]!.literals).toEqual(["a b", "a_b"]);
  });

  test("an unknown dimension is refused with the nearest one", () => {
    expect(() => wanted(["dco=main"])).toThrow(UsageError);
    expect(() => wanted(["dco=main"])).toThrow("Did you mean doc?");
    expect(() => wanted(["toString=main"])).toThrow(UsageError);
  });
});

describe("Hive", () => {
  test.each([
    ["submissionDate", "submission_date"],
    ["appBuildId", "app_build_id"],
    ["ExampleStream", "example_stream"],
    ["clientID", "client_id"],
    ["HTTPServer", "http_server"],
    ["telemetry-executive.summary", "telemetry_executive_summary"],
    ["already_snake", "already_snake"],
    ["OS2Build", "os2_build"],
  ])("%p becomes %p", (name, snake) => {
    expect(snakeCase(name)).toBe(snake);
  });

  test("values are escaped as Hive does", () => {
    const path = (value: string) => hivePath([{ dimension: "docType", value }]);
    expect(path("main")).toBe("doc_type_s3=main");
    expect(path("")).toBe("doc_type_s3=__HIVE_DEFAULT_PARTITION__");
    expect(path("a/b=c%d:e")).toBe("doc_type_s3=a%2Fb%3Dc%25d%3Ae");
    expect(path("..")).toBe("doc_type_s3=..");
    expect(path("\n\u007f{[]^}\\\"'#*?")).toBe("doc_type_s3=%0A%7F%7B%5B%5D%5E}%5C%22%27%23%2A%3F");
    expect(path("é 日本")).toBe("doc_type_s3=é 日本");
    expect(
      hivePath([
        { dimension: "day", value: "1" },
        { dimension: "b", value: "2" },
      ]),
    ).toBe("day_s3=1/b_s3=2");
    expect(hivePath([])).toBe("");
  });

  test("a value is one segment, and comes back by unescaping", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (value) => {
        const path = hivePath([{ dimension: "d", value }]);
        expect(path).not.toContain("/");
        expect(
          path.slice("d_s3=".length).replace(/%([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
        ).toBe(value);
      }),
    );
  });
});
