// A stream whose schema changes: batch keeps apart what readers could not read together.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../scripts/built.ts";
import { framePing } from "../../src/heka/ping.ts";
import { derive } from "./derive.ts";

builtBinary();
const folder = mkdtempSync(join(tmpdir(), "derive-evolution-"));
afterAll(() => rmSync(folder, { recursive: true }));

for (const day of ["20151027", "20151028", "20151029"]) {
  mkdirSync(join(folder, "raw/t", day), { recursive: true });
  writeFileSync(join(folder, "raw/t", day, "a"), framePing({ clientId: "c", n: 1 }, {}, "heka"));
}
writeFileSync(
  join(folder, "derive.toml"),
  'input = "raw"\noutput = "out"\n[sources.telemetry]\nprefix = "t"\ndimensions = ["submissionDate"]\n',
);
const stream = (columns: string, more = "") =>
  writeFileSync(
    join(folder, "S.ts"),
    `import { defineStream, int, long, string } from "derive";\nexport default defineStream({ streamName: "telemetry", ${more} columns: { ${columns} } });\n`,
  );
const batch = (...words: string[]) => derive(["batch", "./S.ts", "--from", ...words], folder);

test("columns may be added; one of another type is refused, until the stream has a new version", async () => {
  stream("n: int()");
  expect((await batch("20151027")).exit).toBe(0);
  stream("n: int(), clientId: string()");
  expect((await batch("20151028")).exit).toBe(0);

  stream("n: long(), clientId: string()");
  for (const more of [[], ["--dry-run"], ["--on-change", "replace"]]) {
    const { exit, stderr } = await batch("20151029", ...more);
    expect(exit).toBe(5);
    expect(stderr).toContain("n is long, it was int");
    expect(stderr).toContain("submission_date_s3=20151028/");
  }
  expect((await batch("20151027", "--on-change", "replace")).exit).toBe(5); // beside the 28th it would not do either
  stream("n: long(), clientId: string()", "version: 2,");
  expect((await batch("20151029")).exit).toBe(0);
});

test("all days of a version at once may change", async () => {
  stream("n: string()");
  expect((await batch("20151027", "--to", "20151028", "--on-change", "replace")).exit).toBe(0);
});

test("schema check tells it beforehand, from what is there", async () => {
  stream("n: long()");
  const check = (...words: string[]) => derive(["schema", "check", "out/s/v1", "./S.ts", ...words], folder);
  expect(await check()).toMatchObject({ exit: 5, stdout: "incompatible  n is long, it was string\n" });
  expect(JSON.parse((await check("--json")).stdout)).toEqual({
    path: "n",
    compatible: false,
    says: "is long, it was string",
  });
  stream("n: string().optional()");
  expect(await check()).toMatchObject({ exit: 0, stdout: "compatible    n may be null now\n" });
});
