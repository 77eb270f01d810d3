// Tables that fit, and values that cannot command the terminal.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { cut, table, visible } from "../../src/cli/table.ts";

const plain = (_style: unknown, text: string) => text;
const lines = (columns: string[], rows: string[][], width?: number) => {
  const shown = table(
    columns.map((name) => ({ name, right: name.startsWith("#") })),
    rows,
    width,
    plain,
  );
  return { lines: shown.text.slice(0, -1).split("\n"), hidden: shown.hidden };
};

test("columns are as wide as what they hold, numbers at the right", () => {
  expect(
    lines(
      ["name", "#n"],
      [
        ["a", "1"],
        ["longer", "1234"],
      ],
    ).lines,
  ).toEqual(["name      #n", "a          1", "longer  1234"]);
});

test("wide and combining characters are measured as terminals show them", () => {
  expect(lines(["漢字", "x"], [["e\u0301", "1"]]).lines).toEqual(["漢字  x", "e\u0301     1"]);
});

test("the widest column is cut first, then columns are left out", () => {
  const wide = "x".repeat(100);
  expect(lines(["a", "b"], [["1", wide]], 40).lines[1]).toBe(`1  ${"x".repeat(36)}…`);
  const { lines: shown, hidden } = lines(["a", "b", "c", "d"], [[wide, wide, wide, wide]], 40);
  expect(Math.max(...shown.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(40);
  expect(hidden).toEqual(["d"]);
});

test("numbers are never cut, but left out", () => {
  const digits = "1234567890123456789";
  expect(lines(["#a", "text", "#b"], [[digits, "x".repeat(30), digits]], 45)).toEqual({
    lines: [`${" ".repeat(17)}#a  text`, `${digits}  ${"x".repeat(23)}…`],
    hidden: ["#b"],
  });
});

test.each([
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["漢字漢", 4, "漢…"],
  ["漢字", 4, "漢字"],
  ["👩‍👩‍👧x", 2, "…"],
  ["👩‍👩‍👧", 2, "👩‍👩‍👧"],
  ["", 0, ""],
])("%j in %d columns is %j", (text, room, shown) => {
  expect(cut(text, room)).toBe(shown);
});

test.each([
  ["a\nb", "a␊b"],
  ["\x1b[31mred", "␛[31mred"],
  ["\x7f", "␡"],
  ["\x9b", "\\u009b"],
  ["\u202etxt", "\\u202etxt"],
  ["tab\t", "tab␉"],
  ["ü漢👍", "ü漢👍"],
])("%j is shown as %j", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("no text makes a table wider than the terminal, or breaks its lines", () => {
  const cell = fc.string({ unit: "grapheme", maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }),
      fc.integer({ min: 40, max: 90 }),
      (rows, width) => {
        const shown = lines(["one", "#two", "three"], rows, width).lines;
        expect(shown.length).toBe(rows.length + 1);
        for (const line of shown) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});
