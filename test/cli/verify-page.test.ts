// The page of `derive verify --html`: the numbers of the books, nothing fetched, nothing in it commands the browser.
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { framePing } from "../../src/heka/ping.ts";
import { derive, inFolder, spawnDerive } from "./run.ts";

/** Two days of a stream, one of them damaged afterwards; its column and a value of its key look like HTML. */
async function withPage(use: (page: string, exit: number) => void | Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const write = (path: string, content: string | Uint8Array) => {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), content);
    };
    const pings = [{ clientId: "a", n: 1 }, { clientId: "b", n: "x" }, { n: 2 }].map((ping) =>
      framePing(ping, {}, "heka"),
    );
    const app = "<script>alert(1)<%2Fscript>";
    write(`raw/t/20151001/${app}/o`, Buffer.concat(pings));
    write(`raw/t/20151002/${app}/o`, Buffer.concat([pings[0]!, Buffer.from("garbage"), pings[1]!]));
    write(
      "derive.toml",
      'input = "raw"\noutput = "out"\n[sources.telemetry]\nprefix = "t"\ndimensions = ["submissionDate", "appName"]\n',
    );
    write(
      "S.ts",
      'import { defineStream, int, map, string } from "derive";\nexport default defineStream({ streamName: "telemetry", partitionBy: ["submissionDate", "appName"], columns: { clientId: string().orSkip(), n: int(), m: map(string(), "none").default({}) } });\n',
    );
    const run = (...words: string[]) => spawnDerive(words, { cwd: folder });
    expect((await run("batch", "./S.ts", "--from", "20151001", "--to", "20151002")).exit).toBe(0);
    const { exit } = await run("verify", "out", "--html", "page.html");
    await use(readFileSync(join(folder, "page.html"), "utf8"), exit);
  });
}

test("what the books say stands in it, beside each chart", async () => {
  await withPage((page, exit) => {
    expect(exit).toBe(0);
    expect(page).toContain("All sound");
    expect(page).toContain(
      "Of 5 messages 2 became rows, 1 were left out and 2 failed; 0 frames held no message, 7 B were damaged.",
    );
    for (const told of ["clientId missing", "n is not an int", "m.key", "Row groups"]) expect(page).toContain(told);
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(page.match(/role="img" aria-label="[^"]+"/g)).toHaveLength(2);
  });
});

test("P12 P13 nothing is fetched or run, and what data says is text", async () => {
  await withPage((page) => {
    expect(page).toContain("default-src &#39;none&#39;".replaceAll("&#39;", "'"));
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\bon\w+=|https?:/i);
    expect(page).toContain("&lt;script&gt;alert(1)");
    const tags = [...page.matchAll(/<(\/?)([a-z0-9]+)[^>]*?(\/?)>/g)].filter(
      ([, , name, self]) => !self && name !== "meta",
    );
    const open: string[] = [];
    for (const [, end, name] of tags) {
      if (end) expect(open.pop()).toBe(name!);
      else open.push(name!);
    }
    expect(open).toEqual([]);
  });
});

test("a place that cannot be written is exit 6", async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, "raw"), framePing({ clientId: "a" }, {}, "heka"));
    expect((await derive(["convert", "AddonsStream", join(folder, "raw"), "-o", join(folder, "out")])).exit).toBe(0);
    const { exit, stderr } = await derive(["verify", join(folder, "out"), "--html", join(folder, "raw/page.html")]);
    expect([exit, stderr.includes("Cannot write")]).toEqual([6, true]);
  });
});
