// The books: sums, causes, balance, and the error budget at its edges.
import { describe, expect, test } from "bun:test";
import { InternalError } from "../../src/errors.ts";
import { addBooks, checkBalance, countCause, emptyBooks, OTHER_CAUSES, weighErrors } from "../../src/pipeline/books.ts";

describe("P8 the error budget", () => {
  const weigh = (errors: number, frames: number, budget: { count: number; fraction: number }) =>
    weighErrors({ ...emptyBooks(), frames, failed: errors }, budget).within;

  test.each([
    [10, 100, true],
    [11, 100, false],
    [10, 1000, true],
    [11, 1000, false],
    [20, 2000, true],
    [21, 2000, false],
    [20, 1999, false],
    [1, 1, true],
  ])("10 or 1 %%: %d errors of %d", (errors, frames, within) => {
    expect(weigh(errors, frames, { count: 10, fraction: 0.01 })).toBe(within);
  });

  test("every whole percentage is exact, whatever it is in binary", () => {
    for (let percent = 0; percent <= 100; percent++) {
      const budget = { count: 0, fraction: percent / 100 };
      expect(weigh(percent, 100, budget)).toBe(true);
      expect(weigh(percent * 10_000_000, 1_000_000_000, budget)).toBe(true);
      if (percent < 100) expect(weigh(percent + 1, 100, budget)).toBe(false);
      if (percent < 100) expect(weigh(percent * 10_000_000 + 1, 1_000_000_000, budget)).toBe(false);
    }
  });

  test("counts undecodable frames, failed records and damaged ranges, against frames and damaged ranges", () => {
    const books = { ...emptyBooks(), frames: 8, undecodable: 1, failed: 2, damagedRanges: 2 };
    expect(weighErrors(books, { count: 5, fraction: 0 })).toEqual({ errors: 5, within: true });
    expect(weighErrors(books, { count: 4, fraction: 0 }).within).toBe(false);
    expect(weighErrors(books, { count: 0, fraction: 0.5 }).within).toBe(true);
    expect(weighErrors(books, { count: 0, fraction: 0.49 }).within).toBe(false);
  });
});

test("P7 books that do not balance are an error of ours", () => {
  const sound = { ...emptyBooks(), bytes: 9, bytesInFrames: 5, bytesDamaged: 3, bytesBlank: 1 };
  const messages = { frames: 5, decoded: 4, undecodable: 1, written: 2, filtered: 1, failed: 1 };
  expect(() => checkBalance("file:///x", { ...sound, ...messages })).not.toThrow();
  expect(() => checkBalance("file:///x", { ...sound, ...messages, bytes: 10 })).toThrow(InternalError);
  expect(() => checkBalance("file:///x", { ...sound, ...messages, frames: 6 })).toThrow(/frames of file:\/\/\/x/);
  expect(() => checkBalance("file:///x", { ...sound, ...messages, written: 3 })).toThrow(/decoded messages/);
});

test("causes are bounded in number, and names of Object's own are causes like others", () => {
  const books = emptyBooks();
  for (const cause of ["constructor", "__proto__", "constructor"]) countCause(books.failures, cause);
  expect(Object.entries(books.failures)).toEqual([
    ["constructor", 2],
    ["__proto__", 1],
  ]);
  for (let i = 0; i < 5000; i++) countCause(books.failures, `cause ${i}`);
  expect(Object.keys(books.failures).length).toBeLessThanOrEqual(1001);
  expect(Object.values(books.failures).reduce((sum, times) => sum + times)).toBe(5003);
  expect(books.failures[OTHER_CAUSES]).toBeGreaterThan(0);
});

test("sums keep the first 100 places", () => {
  const sum = emptyBooks();
  for (let i = 0; i < 30; i++) {
    const damage = Array.from({ length: 7 }, (_, j) => ({ object: "o", offset: i * 7 + j, bytes: 1, cause: "c" }));
    addBooks(sum, { ...emptyBooks(), objects: 1, written: i, damage, filteredBy: { where: 2 } });
  }
  expect(sum).toMatchObject({ objects: 30, written: 435, filteredBy: { where: 60 } });
  expect(sum.damage.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => i));
});
